"""The figures of requirement 207: per kind of profile the periods that were accepted and that came back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from django.utils.translation import gettext_noop

from portal.compliance.checks.findings import Figure
from portal.compliance.checks.periods_plan import NEEDED, Trial
from portal.compliance.checks.readings import Setting
from smartcharging.domain.profiles import Purpose

PERIODS = gettext_noop("periods")
RULE = gettext_noop("at least 20")
NOT_TRIED = gettext_noop("not tried: no session ran")
NOT_READ = gettext_noop("not read: 20 were not accepted")
KEYS = {Purpose.STATION_MAX: "station_max", Purpose.TX_DEFAULT: "tx_default", Purpose.TX: "tx"}
NAMES = {
    "accepted_station_max": gettext_noop("Limit of the station: periods accepted"),
    "seen_station_max": gettext_noop("Limit of the station: periods that came back"),
    "accepted_tx_default": gettext_noop("Default per session: periods accepted"),
    "seen_tx_default": gettext_noop("Default per session: periods that came back"),
    "accepted_tx": gettext_noop("Within a session: periods accepted"),
    "seen_tx": gettext_noop("Within a session: periods that came back"),
}


class Tried(Protocol):
    """What is known of one trial. `is_open`: what should have come back is not known."""

    @property
    def taken(self) -> int: ...
    @property
    def seen(self) -> int: ...
    @property
    def verdict(self) -> str: ...


def figures(
    setting: Setting, trials: Sequence[Trial], found: Sequence[Tried], *, stated: int | None
) -> Iterator[Figure]:
    for purpose, key in KEYS.items():
        of_purpose = [one for trial, one in zip(trials, found, strict=True) if trial.place.purpose is purpose]
        if not of_purpose:
            if purpose is Purpose.TX and not setting.transactions:
                name = NAMES[f"accepted_{key}"]
                yield Figure(f"periods_accepted_{key}", name, NOT_TRIED, "", RULE, None)
            continue
        yield _counted("accepted", key, min(of_purpose, key=lambda one: one.taken), "taken")
        yield _seen(key, min(of_purpose, key=lambda one: one.seen))
    if stated is not None:
        yield stated_figure(stated)


def _seen(key: str, one: Tried) -> Figure:
    """What came back, of a profile that stood: of one that was refused there was nothing to read."""
    if one.taken < NEEDED and not one.seen:
        return Figure(f"periods_seen_{key}", NAMES[f"seen_{key}"], NOT_READ, "", RULE, None)
    return _counted("seen", key, one, "seen")


def _counted(what: str, key: str, one: Tried, counted: str) -> Figure:
    """A number that falls short is held against the station only where the verdict is."""
    count = getattr(one, counted)
    holds = True if count >= NEEDED else False if one.verdict == "deviation" else None
    return Figure(f"periods_{what}_{key}", NAMES[f"{what}_{key}"], count, PERIODS, RULE, holds)


def stated_figure(stated: int) -> Figure:
    """ChargingScheduleMaxPeriods (1.6) or PeriodsPerSchedule (2.x)."""
    name = gettext_noop("Periods per profile that the station states")
    return Figure("periods_stated", name, stated, PERIODS, RULE, stated >= NEEDED)
