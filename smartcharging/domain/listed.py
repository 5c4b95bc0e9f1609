"""A profile in a station's own list (2.x ReportChargingProfiles, K09) beside the one that we want there. Pure.

Only what we said is compared. A station may add what we left out (the number of phases it assumed, the moment of a
dynamic update), lower the number of phases to what it has (K01.FR.19/.20), and round a limit to the schema's tenth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.profiles import ChargingPeriod, ChargingProfile, Version
from smartcharging.domain.progress import Listed
from smartcharging.domain.wire import parse_profile

ROUNDING = 0.1
SLACK_S = 1  # fractions of a second are cut off (1.6 3.14)


@dataclass(frozen=True, slots=True)
class ListedProfile:
    """One profile as a station reported it: `evse` 0 is the station, `source` a ChargingLimitSource."""

    evse: int
    source: str
    wire: Mapping[str, Any]

    @property
    def id(self) -> int | None:
        number = self.wire.get("id")
        return number if isinstance(number, int) else None


@dataclass(frozen=True, slots=True)
class Found:
    """What the list says of one profile; `fields` are those that differ, as OCPP names them."""

    listed: Listed
    fields: tuple[str, ...] = ()


def find(wanted: ChargingProfile, *, evse: int, listed: Sequence[ListedProfile], version: Version) -> Found:
    """`wanted` in a complete list, by its id."""
    same_id = [item for item in listed if item.id == wanted.id]
    if not same_id:
        return Found(Listed.MISSING)
    found = [_compared(wanted, evse, item, version) for item in same_id]
    best = {Listed.PRESENT: 0, Listed.SILENT: 1, Listed.DIFFERENT: 2}
    return min(found, key=lambda one: best[one.listed])


def _compared(wanted: ChargingProfile, evse: int, item: ListedProfile, version: Version) -> Found:
    try:
        have = parse_profile(item.wire, version)
    except MalformedProfile:
        return Found(Listed.SILENT)
    fields = tuple(_differences(wanted, have))
    if item.evse != evse:
        fields = ("evseId", *fields)
    return Found(Listed.DIFFERENT if fields else Listed.PRESENT, fields)


def _differences(want: ChargingProfile, have: ChargingProfile) -> Iterator[str]:
    plain: list[tuple[str, Any, Any]] = [
        ("stackLevel", want.stack_level, have.stack_level),
        ("chargingProfilePurpose", want.purpose, have.purpose),
        ("chargingProfileKind", want.kind, have.kind),
        ("recurrencyKind", want.recurrency, have.recurrency),
        ("chargingRateUnit", want.schedule.unit, have.schedule.unit),
        ("duration", want.schedule.duration_s, have.schedule.duration_s),
    ]
    yield from (name for name, wanted, found in plain if wanted != found)
    if want.transaction_id is not None and str(want.transaction_id) != str(have.transaction_id):
        yield "transactionId"
    for name, wanted, found in (
        ("validFrom", want.valid_from, have.valid_from),
        ("validTo", want.valid_to, have.valid_to),
        ("startSchedule", want.schedule.start, have.schedule.start),
    ):
        if wanted is not None and not _is_same_moment(wanted, found):
            yield name
    if not _are_same(want.schedule.periods, have.schedule.periods):
        yield "chargingSchedulePeriod"


def _is_same_moment(want: datetime, have: datetime | None) -> bool:
    return have is not None and abs(want.astimezone(UTC) - have.astimezone(UTC)) <= timedelta(seconds=SLACK_S)


def _are_same(want: Sequence[ChargingPeriod], have: Sequence[ChargingPeriod]) -> bool:
    return len(want) == len(have) and all(map(_is_same_period, want, have))


def _is_same_period(want: ChargingPeriod, have: ChargingPeriod) -> bool:
    fewer = want.phases is None or have.phases is None or have.phases <= want.phases
    rounded = abs(want.limit - have.limit) <= ROUNDING or want.limit == have.limit
    operation = want.operation is None or want.operation == have.operation
    return want.start_s == have.start_s and rounded and fewer and operation
