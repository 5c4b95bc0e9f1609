"""What the apps above have against a command that somebody gave as it goes on the wire.

`stations` checks each payload against its schema; what a charging profile may say, only the app of charging profiles
knows. It registers its check here, in `AppConfig.ready()`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stations.models import Station


@dataclass(frozen=True, slots=True)
class Objection:
    """One rule that a payload breaks. `field` is its path, as in "csChargingProfiles.stackLevel"; "" is all of it.

    `code` is for programs, `text` for people; `clause` is of the standard, empty where the rule is our own.
    """

    field: str
    code: str
    text: str
    clause: str = ""


class Objected(ValueError):
    """A command that breaks a rule which its schema does not know."""

    def __init__(self, objection: Objection) -> None:
        super().__init__(objection.text)
        self.objection = objection


Check = Callable[[Station, dict[str, Any], datetime], Objection | None]
_checks: dict[str, Check] = {}


def register(action: str, check: Check) -> None:
    """Ask `check` about each `action`; its payload keeps the schema of the station's version."""
    _checks[action] = check


def heed(station: Station, action: str, payload: dict[str, Any], *, now: datetime) -> None:
    """Raises Objected where there is something against it."""
    check = _checks.get(action)
    objection = check(station, payload, now) if check else None
    if objection is not None:
        raise Objected(objection)
