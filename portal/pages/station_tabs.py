"""The parts of a station's page, in a few groups, so that a newcomer finds the way: a group, then a page within it."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stations.models import Station

Labels = dict[str, Promise]

# For who works for the operator of the station; an official never sees a single driver's session, nor messages.
STAFF_ONLY = frozenset(
    {
        "sessions",
        "commands",
        "access",
        "security",
        "certificates",
        "frames",
        "connection",
        "files",
        "firmware_updates",
    }
)
# OCPP 1.6 has no monitors.
SINCE_2 = frozenset({"monitors", "noticed"})
GROUPS: tuple[tuple[Promise, Labels], ...] = (
    (
        _("Energy"),
        {
            "profiles": _("Profiles"),
            "read_back": _("Read back"),
            "registers": _("Registers"),
            "sessions": _("Sessions"),
        },
    ),
    (
        _("Control"),
        {
            "commands": _("Commands"),
            "configuration": _("Configuration"),
            "monitors": _("Monitors"),
            "noticed": _("Noticed"),
            "access": _("Access"),
            "security": _("Security"),
            "certificates": _("Certificates"),
        },
    ),
    (
        _("Diagnosis"),
        {
            "frames": _("Messages"),
            "connection": _("Connectivity"),
            "files": _("Files"),
            "firmware_updates": _("Firmware"),
        },
    ),
    (_("Compliance"), {"compliance": _("Compliance"), "evidence": _("Evidence")}),
)
URL_NAMES = {"profiles": "detail"}  # of the others the key is the name


@dataclass(frozen=True, slots=True)
class Tab:
    label: Promise
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Some tabs under one name; a group of a single page is that page."""

    label: Promise
    tabs: tuple[Tab, ...]

    @property
    def url(self) -> str:
        return self.tabs[0].url

    @property
    def current(self) -> bool:
        return any(tab.current for tab in self.tabs)

    @property
    def is_single(self) -> bool:
        return len(self.tabs) == 1


def groups_of(station: Station, *, is_staff: bool, current: str) -> list[Group]:
    """The groups in which this visitor may see a page; `current` is the key of the page shown."""
    groups = []
    for label, labels in GROUPS:
        tabs = tuple(
            _tab(station, key, name, current)
            for key, name in labels.items()
            if (is_staff or key not in STAFF_ONLY) and (station.ocpp_version != "1.6" or key not in SINCE_2)
        )
        if tabs:
            groups.append(Group(tabs[0].label if len(tabs) == 1 else label, tabs))
    return groups


def _tab(station: Station, key: str, label: Promise, current: str) -> Tab:
    url = reverse(f"stations:{URL_NAMES.get(key, key)}", args=[station.identity])
    return Tab(label, url, key == current)
