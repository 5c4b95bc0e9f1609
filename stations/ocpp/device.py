"""Places in the device model of 2.x: which variable of which component; a key of 1.6 is one without component. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Payload = dict[str, Any]

# As a person writes them and as v2.component_text and v2.instance_text show them: Name[instance]#evse.connector.
_COMPONENT = re.compile(
    r"(?P<name>[^\[\]#]{1,50})(?:\[(?P<instance>[^\[\]]{1,50})\])?(?:#(?P<evse>\d{1,4})(?:\.(?P<connector>\d{1,4}))?)?"
)
_VARIABLE = re.compile(r"(?P<name>[^\[\]]{1,50})(?:\[(?P<instance>[^\[\]]{1,50})\])?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands, part by part, so that a question about it says exactly what the station said."""

    variable: str
    component: str = ""
    variable_instance: str = ""
    component_instance: str = ""
    evse: int | None = None
    connector: int | None = None

    @property
    def component_text(self) -> str:
        """`EVSE#1`, `Connector#1.2`, `OCPPCommCtrlr[main]`; empty for a key of 1.6."""
        text = _with_instance(self.component, self.component_instance)
        if self.evse is None:
            return text
        return f"{text}#{self.evse}" + (f".{self.connector}" if self.connector is not None else "")

    @property
    def name_text(self) -> str:
        return _with_instance(self.variable, self.variable_instance)

    @property
    def key(self) -> tuple[str, str]:
        """To compare by: names are case-insensitive in both versions."""
        return self.component_text.lower(), self.name_text.lower()

    def __str__(self) -> str:
        return f"{self.component_text}.{self.name_text}" if self.component else self.name_text

    def wire(self) -> Payload:
        """ComponentType and VariableType of 2.x."""
        component: Payload = {"name": self.component}
        if self.component_instance:
            component["instance"] = self.component_instance
        if self.evse is not None:
            component["evse"] = {"id": self.evse}
            if self.connector is not None:
                component["evse"]["connectorId"] = self.connector
        variable = {"name": self.variable}
        if self.variable_instance:
            variable["instance"] = self.variable_instance
        return {"component": component, "variable": variable}


def place_of(entry: Payload) -> Place:
    """Of anything on the wire with a `component` and, mostly, a `variable`."""
    component, variable = entry["component"], entry.get("variable") or {}
    evse = component.get("evse") or {}
    return Place(
        variable=str(variable.get("name", "")),
        component=component["name"],
        variable_instance=variable.get("instance") or "",
        component_instance=component.get("instance") or "",
        evse=evse.get("id"),
        connector=evse.get("connectorId"),
    )


def read_place(component: str, name: str) -> Place | None:
    """The place that these texts name; None where they cannot be read. Without a component: a key of 1.6, as it is."""
    component, name = component.strip(), name.strip()
    if not component:
        return Place(name) if 0 < len(name) <= 50 else None
    of, what = _COMPONENT.fullmatch(component), _VARIABLE.fullmatch(name)
    if of is None or what is None:
        return None
    return Place(
        variable=what["name"],
        component=of["name"],
        variable_instance=what["instance"] or "",
        component_instance=of["instance"] or "",
        evse=int(of["evse"]) if of["evse"] else None,
        connector=int(of["connector"]) if of["connector"] else None,
    )


def _with_instance(name: str, instance: str) -> str:
    return f"{name}[{instance}]" if instance else name
