"""Composite-schedule vectors: a station, a moment and a question as JSON in, the composite as JSON out. Pure.

A vector: `ocpp`, `profiles` (each `{connector, profile}`, in order of installation, `profile` as on the wire),
`now`, `duration_s`, `unit`, `connector` (the EVSE in 2.x, 0 the station), `connectors` (how many there are),
`transaction` or `transactions` (`{id, connector, start}`), `defaults` (`{nominal_voltage, phases, limit_A,
limit_W}`), `simulate_transaction`, `txprofile_without_tx`, `policy`. Unknown keys are ignored.

For 2.1 also: `priority_charging` of a transaction (UsePriorityCharging), `received` of a profile (what Dynamic counts
from without a dynUpdateTime), `offline_s` (how long the station has been offline at `now`), `outages` (earlier ones,
each `{start, end}`); and a period of the answer has, where they apply, the members of a ChargingSchedulePeriod that
say more than a limit, under their names on the wire. `policy.timezone` is also what useLocalTime means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from smartcharging.domain.fields import Field
from smartcharging.domain.profiles import (
    OPERATION_ON_WIRE,
    CompositePeriod,
    CompositeSchedule,
    Installed,
    LocalLimit,
    OperationMode,
    Outages,
    Policy,
    Transaction,
    Unit,
    Version,
    policy_for,
)
from smartcharging.domain.schedule import composite_schedule
from smartcharging.domain.storing import install_all
from smartcharging.domain.wire import MAX_LIMIT, read_profile, read_version

MAX_EVSES = 1000
MAX_OFFLINE_S = 10**9

_CHOICES = {
    "recurring_before_start": ("wait", "extrapolate"),
    "txdefault_scope": ("per_level", "own_first"),
    "unit_conversion": ("own_phases", "common_phases"),
    "station_sum": ("unit_first", "everest"),
    "dynamic_from": ("update", "question"),
}


@dataclass(frozen=True, slots=True)
class Vector:
    """One question: everything `composite_schedule` needs, under a name."""

    name: str
    installed: tuple[Installed, ...]
    now: datetime
    duration_s: int
    unit: Unit
    evse: int
    evse_count: int
    transactions: tuple[Transaction, ...]
    defaults: LocalLimit
    policy: Policy
    outages: Outages

    def composite(self) -> CompositeSchedule:
        return composite_schedule(
            installed=self.installed,
            now=self.now,
            duration_s=self.duration_s,
            unit=self.unit,
            evse=self.evse,
            evse_count=self.evse_count,
            transactions=self.transactions,
            defaults=self.defaults,
            policy=self.policy,
            outages=self.outages,
        )


def answer(document: Any) -> dict[str, Any] | list[dict[str, Any]]:
    """The composite of one vector; or of each of `{"vectors": [...]}` or a list, in order. JSON in, JSON out.

    Raises MalformedProfile with the path to the field, such as `vectors[3].profiles[0].profile.stackLevel`.
    """
    if isinstance(document, dict) and "vectors" not in document:
        return _written(read_vector(Field(document)))
    vectors = document["vectors"] if isinstance(document, dict) else document
    return [
        _written(vector) for vector in [read_vector(field) for field in Field(vectors, "vectors").items()]
    ]


def read_vector(field: Field) -> Vector:
    """The vector at `field`. Raises MalformedProfile."""
    version = read_version(field.field("ocpp"))
    evse = field.field("connector").integer(least=0, most=MAX_EVSES)
    name = field.optional("name")
    installed, transactions = _read_installed(field, version), _read_transactions(field, version)
    mentioned = [evse, *(item.evse for item in installed), *(item.evse for item in transactions), 1]
    count, now = field.optional("connectors"), field.field("now").moment()
    return Vector(
        name=name.text() if name else "",
        installed=installed,
        now=now,
        duration_s=field.field("duration_s").integer(least=0),
        unit=cast(Unit, field.field("unit").one_of("A", "W")),
        evse=evse,
        evse_count=count.integer(least=1, most=MAX_EVSES) if count else max(mentioned),
        transactions=transactions,
        defaults=_read_defaults(field.optional("defaults")),
        policy=_read_policy(field, version),
        outages=_read_outages(field, now),
    )


def _read_installed(vector: Field, version: Version) -> tuple[Installed, ...]:
    """The profiles that are left after all were installed in order."""
    return install_all(
        [_read_one(item, version) for item in vector.field("profiles").items()], version=version
    )


def _read_one(item: Field, version: Version) -> Installed:
    received = item.optional("received")
    return Installed(
        profile=read_profile(item.field("profile"), version),
        evse=item.field("connector").integer(least=0, most=MAX_EVSES),
        received_at=received.moment() if received else None,
    )


def _read_outages(vector: Field, now: datetime) -> Outages:
    """When the station was offline; only 2.1 has profiles that mind."""
    since_s, earlier = vector.optional("offline_s"), vector.optional("outages")
    offline_s = since_s.integer(least=0, most=MAX_OFFLINE_S) if since_s else None
    return Outages(
        None if offline_s is None else now - timedelta(seconds=offline_s),
        tuple(
            (outage.field("start").moment(), outage.field("end").moment())
            for outage in (earlier.items() if earlier else [])
        ),
    )


def _read_transactions(vector: Field, version: Version) -> tuple[Transaction, ...]:
    """The running transactions: `transaction`, or the list `transactions`."""
    one, several = vector.optional("transaction"), vector.optional("transactions")
    fields = ([one] if one else []) + (several.items() if several else [])
    return tuple(
        Transaction(
            id=field.field("id").integer() if version == "1.6" else field.field("id").text(),
            evse=field.field("connector").integer(least=1, most=MAX_EVSES),
            start=field.field("start").moment(),
            has_priority=priority.boolean() if (priority := field.optional("priority_charging")) else False,
        )
        for field in fields
    )


def _read_defaults(field: Field | None) -> LocalLimit:
    if field is None:
        return LocalLimit()
    unsaid = LocalLimit()
    voltage, phases = field.optional("nominal_voltage"), field.optional("phases")
    limit_a, limit_w = field.optional("limit_A"), field.optional("limit_W")
    return LocalLimit(
        nominal_voltage=voltage.number(least=1, most=MAX_LIMIT) if voltage else unsaid.nominal_voltage,
        phases=phases.integer(least=1, most=3) if phases else unsaid.phases,
        limit_a=limit_a.number(least=0, most=MAX_LIMIT) if limit_a else None,
        limit_w=limit_w.number(least=0, most=MAX_LIMIT) if limit_w else None,
    )


def _read_policy(vector: Field, version: Version) -> Policy:
    """This project's decisions for the version, under what the vector says otherwise."""
    said: dict[str, Any] = {}
    for name in ("simulate_transaction", "txprofile_without_tx"):
        if (field := vector.optional(name)) is not None:
            said[name] = field.boolean()
    policy = vector.optional("policy")
    if policy is not None:
        for name, choices in _CHOICES.items():
            if (field := policy.optional(name)) is not None:
                said[name] = field.one_of(*choices)
        if (raises := policy.optional("min_rate_raises")) is not None:
            said["min_rate_raises"] = raises.boolean()
        said |= _read_timezone(policy)
    return replace(policy_for(version), **said)


def _read_timezone(policy: Field) -> dict[str, Any]:
    """The zone for useLocalTime, and under `"recurrence": "local"` for Recurring too (D10)."""
    recurrence, field = policy.optional("recurrence"), policy.optional("timezone")
    is_local = recurrence is not None and recurrence.one_of("elapsed", "local") == "local"
    if field is None and not is_local:
        return {}
    field = policy.field("timezone")
    try:
        zone = ZoneInfo(field.text())
    except (KeyError, ValueError, OSError):  # unknown, not a name at all, a folder
        raise field.malformed("must be a time zone such as Europe/Amsterdam") from None
    return {"local_time": zone, "timezone": zone if is_local else None}


def _written(vector: Vector) -> dict[str, Any]:
    composite = vector.composite()
    return {
        "name": vector.name,
        "start": composite.start.isoformat().replace("+00:00", "Z"),
        "duration_s": vector.duration_s,
        "unit": composite.unit,
        "periods": [_written_period(period) for period in composite.periods],
    }


def _written_period(period: CompositePeriod) -> dict[str, Any]:
    written: dict[str, Any] = {"start_s": period.start_s, "limit": period.limit, "phases": period.phases}
    operation = period.operation
    if operation is None:
        return written
    if operation.mode is not OperationMode.CHARGING_ONLY:
        written["operationMode"] = operation.mode.value
    said = {name: getattr(operation, ours) for ours, name in _MEMBERS.items()}
    said["v2xFreqWattCurve"] = [{"frequency": hz, "power": power} for hz, power in operation.frequency_curve]
    said["v2xSignalWattCurve"] = [{"signal": at, "power": power} for at, power in operation.signal_curve]
    return written | {name: value for name, value in said.items() if value not in (None, [])}


_MEMBERS = {
    **OPERATION_ON_WIRE,
    "phase_to_use": "phaseToUse",
    "evse_sleep": "evseSleep",
    "baseline_w": "v2xBaseline",
}
