"""What the probe of requirement 206 asked and heard, and what each legal reading of the standard expects. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, cast

from portal.compliance.checks import composites
from portal.compliance.checks.composites import Period, Reported, Tolerance
from portal.compliance.checks.stacking_plan import Stack
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


@dataclass(frozen=True, slots=True)
class Step:
    """One thing asked of the station. `levels` are those that stood on it when it was asked.

    kind install, clear: `level`, `outcome`, `reason` (the station's code). kind read: `evse`, `reported`.
    """

    kind: Literal["install", "read", "clear"]
    stack: int
    at: datetime
    levels: tuple[int, ...]
    level: int | None = None
    evse: int = 0
    outcome: Outcome = "accepted"
    reason: str = ""
    reported: Reported | None = None
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A profile of our own on the station, as it was sent. `without`: stacks for which it was taken away."""

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


def readings(setting: Setting) -> Iterator[Reading]:
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


def expected(setting: Setting, stack: Stack, number: int, step: Step, reading: Reading) -> Reported:
    """The composite that `step` should have reported under `reading`, over the time and in the unit it reported."""
    installed = _standing(setting, number)
    installed += [stack.installed(level) for level in stack.levels if level.level in step.levels]
    reported = step.reported or Reported("unanswered", step.at)
    return _composite(setting, installed, evse=step.evse, reported=reported, reading=reading)


def composite_of(setting: Setting, *, evse: int, reported: Reported, reading: Reading) -> Reported:
    """The composite without any profile of the probe: what stands by our own records."""
    return _composite(setting, _standing(setting, None), evse=evse, reported=reported, reading=reading)


def _composite(
    setting: Setting, installed: Sequence[Installed], *, evse: int, reported: Reported, reading: Reading
) -> Reported:
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
    periods = tuple(Period(*period) for period in composite.periods)
    return Reported("read", composite.start, composite.duration_s, composite.unit, periods)


def _standing(setting: Setting, number: int | None) -> list[Installed]:
    version = rules_of(setting.version)
    return [
        Installed(parse_profile(dict(item.profile), version), item.evse)
        for item in setting.standing
        if number not in item.without
    ]


def tolerance(setting: Setting, unit: str) -> Tolerance:
    """A tenth of an ampere per phase, also for a station that computes in A and answers in W (D14)."""
    free = convert(setting.ceiling, unit=setting.unit, to=unit, phases=setting.phases)
    return Tolerance(within=convert(0.1, unit="A", to=unit, phases=setting.phases), free=free)


def settled(steps: Sequence[Step]) -> list[Step]:
    """The steps without those that were repeated at once: what was asked again counts as it was answered last."""
    return [step for step, later in itertools.zip_longest(steps, steps[1:]) if not _repeats(later, step)]


def _repeats(later: Step | None, step: Step) -> bool:
    if later is None or step.kind == "clear" or (step.outcome == "accepted" and step.kind == "install"):
        return False
    return _asked(later) == _asked(step)


def _asked(step: Step) -> tuple[str, int, int, int | None, tuple[int, ...]]:
    return step.kind, step.stack, step.evse, step.level, step.levels


def fits(setting: Setting, stack: Stack, number: int, reads: Sequence[Step], reading: Reading) -> bool:
    return all(difference(setting, stack, number, step, reading) is None for step in reads)


def difference(setting: Setting, stack: Stack, number: int, step: Step, reading: Reading) -> float | None:
    if step.reported is None or not step.reported.is_readable:
        return None
    wanted = expected(setting, stack, number, step, reading)
    return composites.first_difference(wanted, step.reported, tolerance(setting, step.reported.unit))


def is_as_expected(setting: Setting, stack: Stack, number: int, step: Step) -> bool:
    """Whether a reading that puts the stack into the composite explains this one answer."""
    is_readable = step.reported is not None and step.reported.is_readable
    return is_readable and any(
        shows(setting, stack, reading) and difference(setting, stack, number, step, reading) is None
        for reading in readings(setting)
    )


def shows(setting: Setting, stack: Stack, reading: Reading) -> bool:
    """Whether this reading puts the stack into the composite at all: D9 decides where no transaction runs."""
    if stack.place.purpose is Purpose.STATION_MAX or reading.policy.simulate_transaction:
        return True
    return not any(setting.is_idle(evse) for evse in stack.place.read_on)


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


def step_to_json(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "stack": step.stack,
        "at": step.at.isoformat(),
        "levels": list(step.levels),
        "level": step.level,
        "evse": step.evse,
        "outcome": step.outcome,
        "reason": step.reason,
        "reported": composites.to_json(step.reported) if step.reported else None,
        "message_id": step.message_id,
    }


def step_from_json(stored: Mapping[str, Any]) -> Step:
    return Step(
        kind=stored["kind"],
        stack=stored["stack"],
        at=datetime.fromisoformat(stored["at"]),
        levels=tuple(stored["levels"]),
        level=stored["level"],
        evse=stored["evse"],
        outcome=stored["outcome"],
        reason=stored["reason"],
        reported=composites.from_json(stored["reported"]) if stored["reported"] else None,
        message_id=stored["message_id"],
    )
