"""What is installed, told on request: GetChargingProfiles with its ReportChargingProfiles (2.0.1, K09)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from portal.simulator.profiles import StoredProfile
from portal.simulator.station import Station
from portal.simulator.v2 import EXTERNAL_SOURCE
from portal.simulator.v2_profiles import PURPOSES
from portal.simulator.wire import Message, Payload

PER_REPORT = 6


@dataclass(frozen=True, slots=True)
class _Page:
    source: str
    evse: int
    profiles: tuple[StoredProfile, ...]


def report_profiles(station: Station, payload: Payload) -> Callable[[], None] | None:
    """What sends the reports that a GetChargingProfiles asks for; None where no profile is meant."""
    pages = _pages(station, payload)
    if not pages:
        return None

    def send() -> None:
        for number, page in enumerate(pages, start=1):
            last = number == len(pages)
            station.link.tell(_message(page, payload["requestId"], last=last))

    return send


def _pages(station: Station, payload: Payload) -> list[_Page]:
    """By who set the limit and by EVSE, a handful at a time (K09.FR.03)."""
    criterion = payload["chargingProfile"]
    found: list[_Page] = []
    external = station.schedules.external
    for source, profiles in (
        ("CSO", station.schedules.profiles),
        (EXTERNAL_SOURCE, [external] if external else []),
    ):
        if source not in criterion.get("chargingLimitSource", [source]):
            continue
        meant = [profile for profile in profiles if _is_meant(profile, criterion, payload.get("evseId"))]
        for evse in sorted({profile.evse for profile in meant}):
            here = [profile for profile in meant if profile.evse == evse]
            found += [_Page(source, evse, batch) for batch in _batches(here)]
    return found


def _batches(profiles: list[StoredProfile]) -> list[tuple[StoredProfile, ...]]:
    starts = range(0, len(profiles), PER_REPORT)
    return [tuple(itertools.islice(profiles, start, start + PER_REPORT)) for start in starts]


def _is_meant(profile: StoredProfile, criterion: Payload, evse: int | None) -> bool:
    purpose = criterion.get("chargingProfilePurpose")
    return (
        evse in {None, profile.evse}
        and profile.profile_id in criterion.get("chargingProfileId", [profile.profile_id])
        and (purpose is None or PURPOSES.get(purpose) == profile.purpose)
        and criterion.get("stackLevel") in {None, profile.level}
    )


def _message(page: _Page, request_id: int, *, last: bool) -> Message:
    report = {
        "requestId": request_id,
        "chargingLimitSource": page.source,
        "evseId": page.evse,
        "tbc": not last,
        "chargingProfile": [profile.wire for profile in page.profiles],
    }
    return Message("ReportChargingProfiles", lambda: report)
