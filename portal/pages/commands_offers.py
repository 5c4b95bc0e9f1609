"""Which commands a station can be given: by its version, by what it says it has, and by what there is to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from stations.models import ChargingSession, FirmwareImage, Station, Token

_OFF = ("false", "0", "no")


@dataclass(frozen=True, slots=True)
class Offer:
    """A command by the name of its form. `reason`: why it cannot be given now; empty where it can."""

    kind: str
    label: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What decides on the offers of one station, looked up once."""

    version: str
    lacks: frozenset[str]  # features that the station says it does not have
    is_charging: bool
    has_cards: bool
    has_firmware: bool


def place_of(station: Station) -> Place:
    tokens = Token.objects.filter(operator=station.site.operator, blocked=False)
    return Place(
        version=station.ocpp_version,
        lacks=_lacks(station),
        is_charging=station.sessions.filter(state=ChargingSession.State.ACTIVE).exists(),
        has_cards=tokens.exclude(sealed_number="").exists(),
        has_firmware=FirmwareImage.objects.filter(operator=station.site.operator).exists(),
    )


def groups_of(place: Place) -> list[Group]:
    """Every command there is a form for in this version, in the order of the page."""
    return [
        Group(
            _("Control"),
            (
                Offer("reset", _("Restart")),
                Offer("unlock", _("Unlock a cable")),
                Offer("availability", _("In or out of use")),
                Offer("trigger", _("Ask for a message"), _missing(place, "RemoteTrigger")),
            ),
        ),
        Group(_("Sessions"), _sessions(place)),
        Group(_("Cards"), _cards(place)),
        Group(_("Maintenance"), _maintenance(place)),
        Group(
            _("Other"),
            (
                Offer("data-transfer", _("Message of the maker")),
                Offer("raw", _("Any command, as JSON")),
            ),
        ),
    ]


def offer_of(place: Place, kind: str) -> Offer | None:
    """None: this version has no such command."""
    return next((one for group in groups_of(place) for one in group.offers if one.kind == kind), None)


def _sessions(place: Place) -> tuple[Offer, ...]:
    no_cards = "" if place.has_cards else _("There is no card of which the number is known here.")
    no_session = "" if place.is_charging else _("Nothing is charging here now.")
    return (
        Offer("start", _("Start charging"), no_cards),
        Offer("stop", _("Stop charging"), no_session),
        Offer("reserve", _("Reserve a socket"), _missing(place, "Reservation") or no_cards),
    )


def _cards(place: Place) -> tuple[Offer, ...]:
    missing = _missing(place, "LocalAuthListManagement")
    return (
        Offer("local-list", _("Send the list of cards"), missing),
        Offer("list-version", _("Ask for the version of its list"), missing),
        Offer("clear-cache", _("Forget the cards it knows")),
    )


def _maintenance(place: Place) -> tuple[Offer, ...]:
    missing = _missing(place, "FirmwareManagement")
    no_firmware = "" if place.has_firmware else _("No firmware has been uploaded yet.")
    offers = [Offer("log", _("Fetch a log"))]
    if place.version == "1.6":
        offers.append(Offer("diagnostics", _("Fetch diagnostics"), missing))
    offers.append(Offer("firmware", _("Update the firmware"), missing or no_firmware))
    offers.append(Offer("certificates", _("Ask for its certificates")))
    return tuple(offers)


def _missing(place: Place, feature: str) -> str:
    if feature not in place.lacks:
        return ""
    return _("The station says that it does not have this (%(feature)s).") % {"feature": feature}


def _lacks(station: Any) -> frozenset[str]:
    """1.6 lists its feature profiles (4.2 of the keys); 2.x has a component with Available and Enabled for each."""
    capabilities = getattr(station, "capabilities", None)
    if station.ocpp_version == "1.6":
        said = {name.lower() for name in (capabilities.feature_profiles if capabilities else ())}
        known = ("Reservation", "LocalAuthListManagement", "RemoteTrigger", "FirmwareManagement")
        return frozenset(name for name in known if said and name.lower() not in said)
    components = {"reservationctrlr": "Reservation", "localauthlistctrlr": "LocalAuthListManagement"}
    rows = station.configuration.filter(name__in=("Available", "Enabled")).values_list("component", "value")
    return frozenset(
        components[component.lower()]
        for component, value in rows
        if component.lower() in components and value.strip().lower() in _OFF
    )
