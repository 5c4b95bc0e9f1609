"""Who calls whom in the code of this house, by name: enough to say which part asks a station for what.

A node is a function, class or constant at the top of a module: `stations.commands:request`. An edge is any mention.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

# What only talks about actions, or plays a station.
LEFT_OUT = ("/migrations/", "/simulator/", "/demo/", "stations/ocpp/", "portal/ocpp_actions.py")
Names = dict[str, str]


class CallGraph:
    def __init__(self, root: Path, packages: Iterable[str]) -> None:
        self._nodes: dict[str, ast.stmt] = {}
        self._imports: dict[str, Names] = {}
        paths = [path.relative_to(root) for package in packages for path in (root / package).rglob("*.py")]
        self._modules = {_module_name(path): path for path in sorted(paths) if not _is_left_out(path)}
        for name, path in self._modules.items():
            self._read(name, ast.parse((root / path).read_text()))

    def reached_from(self, node: str) -> set[str]:
        """`node` and all that it mentions, and so on."""
        return _closure({node}, self._edges)

    def leading_to(self, node: str) -> set[str]:
        """`node` and all that mention it, and so on."""
        return _closure({node}, self._edges_back)

    def users_of(self, word: str, target: str) -> set[str]:
        """Functions that lead to `target` and write `word`: themselves, or in a constant, or a function of their own
        module, that they mention.

        What stands in the module of `target` itself is about all words, and none in particular.
        """
        home = target.partition(":")[0] + ":"
        constants = {
            name for name, node in self._nodes.items() if isinstance(node, ast.Assign | ast.AnnAssign)
        }

        def said_by(node: str) -> bool:
            own = node.partition(":")[0] + ":"
            near = {each for each in self._edges[node] if each.startswith(own) or each in constants}
            return any(word in self._words[each] for each in near | {node} if not each.startswith(home))

        return {node for node in self.leading_to(target) if not node.startswith(home) and said_by(node)}

    def attributes_of(self, node: str, of: str) -> set[str]:
        """`BOOTED` for a mention of `Kind.BOOTED` or `events.Kind.BOOTED` in `node`."""
        return {
            each.attr
            for each in ast.walk(self._nodes[node])
            if isinstance(each, ast.Attribute)
            and of
            == (each.value.attr if isinstance(each.value, ast.Attribute) else getattr(each.value, "id", ""))
        }

    # ------------------------------------------------------------ reading

    def _read(self, module: str, tree: ast.Module) -> None:
        imports: Names = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    target = whole if whole in self._modules else f"{node.module}:{alias.name}"
                    imports[alias.asname or alias.name] = target
        self._imports[module] = imports
        for statement in tree.body:
            for name in _names_of(statement):
                self._nodes[f"{module}:{name}"] = statement

    @cached_property
    def _words(self) -> dict[str, set[str]]:
        return {
            name: {
                each.value
                for each in ast.walk(node)
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            }
            for name, node in self._nodes.items()
        }

    @cached_property
    def _edges(self) -> dict[str, set[str]]:
        return {name: self._mentioned(name) for name in self._nodes}

    @cached_property
    def _edges_back(self) -> dict[str, set[str]]:
        back: dict[str, set[str]] = {name: set() for name in self._nodes}
        for name, mentioned in self._edges.items():
            for each in mentioned:
                back[each].add(name)
        return back

    def _mentioned(self, name: str) -> set[str]:
        module = name.partition(":")[0]
        imports = self._imports[module]
        found = set()
        for each in ast.walk(self._nodes[name]):
            if isinstance(each, ast.Name):
                found.add(imports.get(each.id, f"{module}:{each.id}"))
            elif isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
                found.add(f"{imports.get(each.value.id, '')}:{each.attr}")
        return {each for each in found if each in self._nodes and each != name}


def _is_left_out(path: Path) -> bool:
    return any(part in path.as_posix() for part in LEFT_OUT)


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _names_of(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [each.id for each in targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _closure(start: set[str], edges: dict[str, set[str]]) -> set[str]:
    found, new = set(start), list(start)
    while new:
        for each in edges.get(new.pop(), ()):
            if each not in found:
                found.add(each)
                new.append(each)
    return found
