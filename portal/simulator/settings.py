"""What the CSMS can read and change: configuration keys in 1.6, variables of components in 2.x."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LIST_PART, LIST_MOST = 20, 500  # tokens in one SendLocalList, and on the local list
INTEGER, BOOLEAN, TEXT, LIST = "integer", "boolean", "string", "MemberList"


@dataclass(slots=True)
class Setting:
    """`component` and `instance` are empty in 1.6. `allowed` are the members a list may have."""

    name: str
    value: str
    component: str = ""
    instance: str | None = None
    evse: int | None = None
    readonly: bool = False
    writeonly: bool = False
    kind: str = TEXT
    allowed: tuple[str, ...] = ()
    unit: str | None = None
    max_limit: int | None = None
    min_limit: int | None = None
    monitored: bool = False
    needs_reboot: bool = False  # it is taken, and counts after a restart

    def accepts(self, value: str) -> bool:
        if self.kind == INTEGER:
            return value.isdecimal() and self._fits(int(value))
        if self.kind == BOOLEAN:
            return value.lower() in {"true", "false"}
        members = [member.strip() for member in value.split(",") if member.strip()]
        return self.kind != LIST or not self.allowed or set(members) <= set(self.allowed)

    def _fits(self, number: int) -> bool:
        low, high = self.min_limit, self.max_limit
        return (low is None or number >= low) and (high is None or number <= high)


class Settings:
    """The settings of one station, found whatever the case of their names (1.6: CiString)."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        self._settings = {(s.component.lower(), s.name.lower(), s.instance, s.evse): s for s in settings}

    def __iter__(self) -> Iterator[Setting]:
        return iter(self._settings.values())

    def find(
        self, name: str, component: str = "", instance: str | None = None, evse: int | None = None
    ) -> Setting | None:
        return self._settings.get((component.lower(), name.lower(), instance, evse))

    def change(self, name: str, value: str, component: str = "") -> None:
        """The station's own doing: no rule about who may write applies."""
        setting = self.find(name, component)
        if setting is not None:
            setting.value = value

    def text(self, name: str, component: str = "") -> str:
        setting = self.find(name, component)
        return setting.value if setting else ""

    def number(self, name: str, component: str = "") -> int:
        text = self.text(name, component)
        return int(text) if text.isdecimal() else 0

    def members(self, name: str, component: str = "") -> set[str]:
        return {member.strip() for member in self.text(name, component).split(",") if member.strip()}
