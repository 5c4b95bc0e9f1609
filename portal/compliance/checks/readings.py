"""What a probed station is and what stands on it, and the composite that each legal reading of the standard expects.
Pure.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, cast

from portal.compliance.checks.composites import Period, Reported, Tolerance
from smartcharging.domain.profiles import (
    NOMINAL_V,
    Installed,
    LocalLimit,
    Policy,
    Purpose,
    Transaction,
    Unit,
    policy_for,
    rules_of,
)
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.wire import parse_profile

Outcome = Literal["accepted", "refused", "failed", "unanswered"]
# Profile ids of the probes' own, so that none is taken for another's.
FIRST_ID, LAST_ID = 900_000, 999_999  # standing.PROBE_IDS


@dataclass(frozen=True, slots=True)
class Place:
    """Where the probe's profiles go, and the EVSEs whose composite shows them; the first is read at every step."""

    purpose: Purpose
    evse: int
    read_on: tuple[int, ...]


def first_id_of(probe_id: int, *, needed: int) -> int:
    """The first of `needed` ids of the probe's own, so that what one probe left behind is never taken for another's."""
    return FIRST_ID + (probe_id * needed) % (LAST_ID + 1 - FIRST_ID - needed)


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile of our own on the station, as sent. `without`: parts of the probe for which it was taken away."""

    evse: int
    profile: Mapping[str, Any]
    without: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """What the station is and what stood on it. `ceiling`: all limits of the probe lie below it, in `unit`."""

    version: str
    evses: tuple[int, ...]
    phases: int
    unit: Unit
    ceiling: float
    standing: tuple[Standing, ...] = ()
    transactions: tuple[Transaction, ...] = ()

    def is_idle(self, evse: int) -> bool:
        """No transaction runs on `evse`; for 0: on any."""
        return not any(evse in {0, transaction.evse} for transaction in self.transactions)


class Reading(NamedTuple):
    """A legal reading of the standard: the policy, and the phases that a limit in W is taken to be divided over.

    `station_max_only`: the composite of connector 0 names the station's own limit, not what the EVSEs add up to (D12).
    """

    policy: Policy
    phases: int
    station_max_only: bool = False


def legal(setting: Setting) -> Iterator[Reading]:
    """All legal readings, our own first: D6, D8 and D9, D12, D14 of composite-schedule.md."""
    ours = policy_for(rules_of(setting.version))
    for simulate, conversion, summed, rounding, phases in itertools.product(
        (True, False),
        ("own_phases", "common_phases"),
        ("unit_first", "everest", "max_only"),
        ("down", "none"),
        dict.fromkeys((3, setting.phases)),
    ):
        policy = replace(
            ours,
            simulate_transaction=simulate,
            unit_conversion=conversion,
            station_sum="unit_first" if summed == "max_only" else summed,
            rounding=rounding,
        )
        yield Reading(policy, phases, summed == "max_only")


def composite_of(
    setting: Setting,
    *,
    evse: int,
    reported: Reported,
    reading: Reading,
    probed: Sequence[Installed] = (),
    part: int | None = None,
) -> Reported:
    """The composite of what stands by our own records and of `probed`, the profiles of the probe, under `reading`.

    Over the time and in the unit of `reported`. `part` of the probe: profiles that were taken away for it do not count.
    """
    installed = [*_standing(setting, part), *probed]
    if reading.station_max_only and evse == 0:
        installed = [item for item in installed if item.profile.purpose is Purpose.STATION_MAX]
    composite = composite_schedule(
        installed=installed,
        now=reported.start,
        duration_s=max(1, int(reported.duration_s)),
        unit=cast(Unit, reported.unit or setting.unit),
        evse=evse,
        evse_count=len(setting.evses),
        transactions=setting.transactions,
        defaults=LocalLimit(phases=reading.phases),
        policy=reading.policy,
    )
    periods = tuple(Period(period.start_s, period.limit, period.phases) for period in composite.periods)
    return Reported("read", composite.start, composite.duration_s, composite.unit, periods)


def _standing(setting: Setting, part: int | None) -> list[Installed]:
    version = rules_of(setting.version)
    return [
        Installed(parse_profile(dict(item.profile), version), item.evse)
        for item in setting.standing
        if part not in item.without
    ]


def shows(setting: Setting, place: Place, reading: Reading) -> bool:
    """Whether this reading puts a profile of `place` into the composite at all: D9 decides while none charges."""
    if place.purpose is Purpose.STATION_MAX or reading.policy.simulate_transaction:
        return True
    return not any(setting.is_idle(evse) for evse in place.read_on)


def tolerance(setting: Setting, unit: str) -> Tolerance:
    """A tenth of an ampere per phase, also for a station that computes in A and answers in W (D14)."""
    free = convert(setting.ceiling, unit=setting.unit, to=unit, phases=setting.phases)
    return Tolerance(within=convert(0.1, unit="A", to=unit, phases=setting.phases), free=free)


def convert(limit: float, *, unit: str, to: str, phases: int) -> float:
    """A limit per phase in A and in total in W are the same at the nominal voltage (1.6 7.14)."""
    if unit == to or not unit or not to:
        return limit
    return limit * NOMINAL_V * phases if to == "W" else limit / (NOMINAL_V * phases)


# ---------------------------------------------------------------- as JSON, in evidence
def without_sessions(setting: Setting) -> Setting:
    """The setting for evidence: transactions are numbered anew, and say when they began only where a limit counts from
    then. Officials never see one driver's session (context.md)."""
    names = {str(item.id): number for number, item in enumerate(setting.transactions, start=1)}
    counts = any(item.profile.get("chargingProfileKind") == "Relative" for item in setting.standing)
    year = datetime(2000, 1, 1, tzinfo=UTC)
    version_id = int if setting.version == "1.6" else str
    return replace(
        setting,
        transactions=tuple(
            Transaction(version_id(names[str(item.id)]), item.evse, item.start if counts else year)
            for item in setting.transactions
        ),
        standing=tuple(
            replace(item, profile=_renamed(item.profile, names, version_id)) for item in setting.standing
        ),
    )


def _renamed(profile: Mapping[str, Any], names: Mapping[str, int], version_id: Any) -> Mapping[str, Any]:
    if "transactionId" not in profile:
        return profile
    return {**profile, "transactionId": version_id(names.get(str(profile["transactionId"]), 0))}


def setting_to_json(setting: Setting) -> dict[str, Any]:
    stored = asdict(setting)
    stored["transactions"] = [
        {"id": item.id, "evse": item.evse, "start": item.start.isoformat()} for item in setting.transactions
    ]
    return stored


def setting_from_json(stored: Mapping[str, Any]) -> Setting:
    return Setting(
        version=stored["version"],
        evses=tuple(stored["evses"]),
        phases=stored["phases"],
        unit=stored["unit"],
        ceiling=stored["ceiling"],
        standing=tuple(
            Standing(item["evse"], item["profile"], tuple(item["without"])) for item in stored["standing"]
        ),
        transactions=tuple(
            Transaction(item["id"], item["evse"], datetime.fromisoformat(item["start"]))
            for item in stored["transactions"]
        ),
    )
