"""What OCPP 2.1 adds to a limit: setpoints, discharge, values for each phase, local generation. Pure.

The general way through a composite, beside the short one in `limits.py` for limits alone; on those the two agree.
Clauses are those of OCPP 2.1 edition 2, V2X.nn those of its block Q as EVerest numbers them. Decided where the
standard or the implementations leave it open:

- Purposes that say something count in this order: the transaction's (PriorityCharging, Tx, TxDefault), the EVSE's own
  ExternalConstraints, ChargingStationMax, the station's ExternalConstraints.
- The mode, and what belongs to it (reactive power, curves, sleep), are those of the first that is not ChargingOnly, as
  in EVerest. SmartChargingCtrlr.SetpointPriority (Q06.FR.20-.22) is not looked at.
- Setpoints of several purposes merge toward zero, and are then kept within the limits (V2X.03, .04). Where one charges
  and another discharges, that is 0: EVerest would let the first one choose.
- The discharge limit is the one closest to zero. A purpose that names none forbids nothing.
- A negative `limit`, which only old messages have, is a discharge limit, and 0 A or W for charging.
- A limit that nobody names is the local one (D1); numberPhases is still the lowest named.
- Where one of the purposes has a value for L2 or L3, all are compared for each phase: a plain one in W is divided over
  its phases (D6), a plain one in A holds for each. On one phase the lowest of the three counts (K01.FR.147).
- LocalGeneration is added after the lowest was found (K27, K.3.6): that of the EVSE and that of the station, as both
  ExternalConstraints cap. It adds to a limit that a profile sets and never to the hardware's; it lowers nothing, also
  not the number of phases; only its `limit` counts.
- A phaseToUse that others contradict is not reported: a station refuses such a profile (K01.FR.20). It counts with one
  phase only (K01.FR.19).
- Of a station (EVSE 0) the limits and discharge limits of its EVSEs are added up, an EVSE in ChargingOnly discharging
  0; setpoints and modes are not: each belongs to its EVSE. Those of the station's own profiles count.
- limitAtSoC, randomizedDelay and preconditioning are carried and change nothing here: nobody but the station knows the
  state of charge and the number it drew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from smartcharging.domain.limits import UNLIMITED, Arithmetic, Limit, lowest
from smartcharging.domain.profiles import NOTHING, ChargingPeriod, Installed, Operation, OperationMode, Unit

Lines = tuple[float, float, float]  # A on L1, L2 and L3
Answer = tuple[float | None, int | None, Operation | None]  # limit, phases and the rest of a CompositePeriod

_PLAIN = Operation()


class Amount(NamedTuple):
    """A limit, a setpoint or a discharge limit, in both ways it may count; what discharges is negative.

    `plain`: on one phase, or for all alike. `lines`: for each phase; None where no phase has a value of its own.
    """

    plain: Limit
    lines: Lines | None = None


class Terms(NamedTuple):
    """What one period says, or several together. `operation`: the rest of it, None where it says ChargingOnly."""

    limit: Amount
    discharge: Amount | None = None
    setpoint: Amount | None = None
    reactive: Amount | None = None
    operation: Operation = _PLAIN

    @property
    def is_by_phase(self) -> bool:
        return any(amount is not None and amount.lines is not None for amount in self[:3])


_NOBODYS = Terms(Amount(UNLIMITED))


@dataclass(frozen=True, slots=True)
class Operations:
    """How periods with everything of 2.1 are combined for one question."""

    arithmetic: Arithmetic

    # ------------------------------------------------------------------------------------------- reading periods

    def of_periods(self, installed: Installed, which: slice) -> list[Terms]:
        """What each of these periods of a profile says."""
        schedule = installed.profile.schedule
        periods = schedule.periods[which]
        limits = [period._replace(limit=max(0.0, period.limit)) for period in periods]
        plain = self.arithmetic.of_schedule(schedule, limits)
        return [
            self._terms(period, limit, schedule.unit) for period, limit in zip(periods, plain, strict=True)
        ]

    def _terms(self, period: ChargingPeriod, limit: Limit, unit: Unit) -> Terms:
        operation, phases = period.operation or _PLAIN, limit[2]
        discharge = _closest(operation.discharge_limit, min(period.limit, 0.0) or None)
        by_phase = (operation.limit_l2, operation.limit_l3)
        return Terms(
            self._limit(period.limit, by_phase, unit, limit),
            self._amount(
                discharge, (operation.discharge_limit_l2, operation.discharge_limit_l3), unit, phases
            ),
            self._amount(operation.setpoint, (operation.setpoint_l2, operation.setpoint_l3), unit, phases),
            self._amount(operation.setpoint_reactive, (None, None), unit, phases),
            operation,
        )

    def _limit(
        self, limit: float, others: tuple[float | None, float | None], unit: Unit, plain: Limit
    ) -> Amount:
        if limit == NOTHING or others == (None, None):
            return Amount(plain)
        second, third = (None if other is None else max(0.0, other) for other in others)
        return self._by_phase(max(0.0, limit), (second, third), unit, plain[2])

    def _amount(
        self, value: float | None, others: tuple[float | None, float | None], unit: Unit, phases: int | None
    ) -> Amount | None:
        if value is None:
            return None
        if others == (None, None):
            return Amount(self.arithmetic.of_value(value, unit, phases))
        return self._by_phase(value, others, unit, phases)

    def _by_phase(
        self, value: float, others: tuple[float | None, float | None], unit: Unit, phases: int | None
    ) -> Amount:
        """The value of L1 with those of L2 and L3; a phase without one has that of L1 (K01.FR.143-.147)."""
        each = (value, *(value if other is None else other for other in others))
        amps, watts, _ = self.arithmetic.of_value(toward_zero(each), unit, 1)
        per_amp = 1.0 if unit == "A" else self.arithmetic.defaults.nominal_voltage
        return Amount((amps, watts, phases), _three(one / per_amp for one in each))

    # ------------------------------------------------------------------------------------------- putting together

    def of_evse(self, leading: Iterable[Terms], generation: Sequence[Terms]) -> Answer:
        """What leads for one EVSE, and what is added to it, as it goes into the answer."""
        terms = list(leading)
        together = self._raised(self.together(terms), generation if _names_limit(terms) else ())
        return self._answer(self._kept(together))

    def of_station(
        self, evses: Iterable[Sequence[Terms]], station: Sequence[Terms], generation: Sequence[Terms]
    ) -> Answer:
        """What leads for each EVSE, and for the station, added up as expected use from the grid (1.6 5.7; D12)."""
        each = list(evses)
        parts = [self._kept(self.together(terms)) for terms in each]
        together = self._merged([self._total(parts), *station])
        is_named = _names_limit([*station, *(term for terms in each for term in terms)])
        return self._answer(self._raised(together, generation if is_named else ()))

    def together(self, terms: Sequence[Terms]) -> Terms:
        """What all of these allow; where no limit is named, the local one (D1)."""
        merged = self._merged(terms)
        if merged.limit.plain[:2] != UNLIMITED[:2]:
            return merged
        amps, watts, _ = self.arithmetic.of_local_limit()
        plain = (amps, watts, merged.limit.plain[2])
        lines = None if merged.limit.lines is None else self._lines(Amount(plain), plain[2])
        return merged._replace(limit=Amount(plain, lines))

    def _merged(self, terms: Sequence[Terms]) -> Terms:
        limit = lowest(term.limit.plain for term in terms)
        phases = limit[2]
        by_phase = phases != 1 and any(term.is_by_phase for term in terms)
        setpoints = [term.setpoint for term in terms if term.setpoint is not None]
        discharges = [term.discharge for term in terms if term.discharge is not None]
        first = next((term for term in terms if not _is_charging_only(term)), _NOBODYS)
        lines = self._least_lines([term.limit for term in terms], phases) if by_phase else None
        return Terms(
            Amount(limit, lines),
            self._least(discharges, phases, by_phase=by_phase),
            self._least(setpoints, phases, by_phase=by_phase),
            first.reactive,
            _with_phase(first.operation, _agreed_phase(terms) if phases == 1 else None),
        )

    def _least(self, amounts: Sequence[Amount], phases: int | None, *, by_phase: bool) -> Amount | None:
        """The one closest to zero, on the phases of all; None where none is named."""
        if not amounts:
            return None
        values = [self.arithmetic.in_unit((amps, watts, phases)) for (amps, watts, _), _ in amounts]
        plain = self.arithmetic.of_value(toward_zero(values), self.arithmetic.unit, phases)
        return Amount(plain, self._least_lines(amounts, phases) if by_phase else None)

    def _least_lines(self, amounts: Sequence[Amount], phases: int | None) -> Lines:
        every = [self._lines(amount, phases) for amount in amounts]
        return _three(toward_zero(values) for values in zip(*every, strict=True))

    def _lines(self, amount: Amount, phases: int | None) -> Lines:
        """A on each phase: W are divided over the phases they are for, or that all together have (D6)."""
        if amount.lines is not None:
            return amount.lines
        amps, watts, _ = amount.plain
        if watts != NOTHING:
            amps = min(amps, watts / self.arithmetic.watts_per_amp(phases))
        return amps, amps, amps

    def _total(self, parts: Sequence[Terms]) -> Terms:
        limits = [part.limit for part in parts]
        plain = self.arithmetic.total([limit.plain for limit in limits])
        return Terms(Amount(plain, self._total_lines(limits)), self._total_discharge(parts, plain[2]))

    def _total_lines(self, amounts: Sequence[Amount]) -> Lines | None:
        """For each phase the sum, where any has values of its own; a plain one is counted on each."""
        if all(amount.lines is None for amount in amounts):
            return None
        every = [self._lines(amount, amount.plain[2]) for amount in amounts]
        return _three(sum(values) for values in zip(*every, strict=True))

    def _total_discharge(self, parts: Sequence[Terms], phases: int | None) -> Amount | None:
        """None where an EVSE may discharge and nobody says how much, or none may."""
        if any(part.discharge is None and not _is_charging_only(part) for part in parts):
            return None
        named = [part.discharge for part in parts if part.discharge is not None]
        if not named:
            return None
        total = sum(self.arithmetic.in_unit(amount.plain) for amount in named)
        plain = self.arithmetic.of_value(total, self.arithmetic.unit, phases)
        return Amount(plain, self._total_lines(named))

    def _raised(self, terms: Terms, generation: Sequence[Terms]) -> Terms:
        """With local generation on top (K27)."""
        found = [added.limit for added in generation if added.limit.plain[:2] != UNLIMITED[:2]]
        if not found:
            return terms
        phases = terms.limit.plain[2]
        value = self.arithmetic.in_unit(terms.limit.plain)
        value += sum(self.arithmetic.in_unit((amps, watts, phases)) for (amps, watts, _), _ in found)
        plain = self.arithmetic.of_value(value, self.arithmetic.unit, phases)
        lines = terms.limit.lines
        if lines is not None:
            every = [lines, *(self._lines(amount, phases) for amount in found)]
            lines = _three(sum(values) for values in zip(*every, strict=True))
        return terms._replace(limit=Amount(plain, lines))

    def _kept(self, terms: Terms) -> Terms:
        """Within what the hardware can do, if the policy says so (D13)."""
        if not self.arithmetic.policy.cap_by_local_limit:
            return terms
        local = self.arithmetic.of_local_limit()
        lines = terms.limit.lines
        if lines is not None:
            lines = self._least_lines([terms.limit, Amount(local)], terms.limit.plain[2])
        return terms._replace(limit=Amount(lowest((terms.limit.plain, local)), lines))

    # ------------------------------------------------------------------------------------------- reporting

    def _answer(self, terms: Terms) -> Answer:
        phases = terms.limit.plain[2]
        limits = self._reported(terms.limit, phases)
        discharges = self._reported(terms.discharge, phases)
        setpoints = self._reported(terms.setpoint, phases)
        caps = [
            within(setpoint, least, most)
            for setpoint, least, most in zip(setpoints, discharges, limits, strict=True)
        ]
        said = terms.operation
        operation = Operation(
            mode=said.mode,
            limit_l2=limits[1],
            limit_l3=limits[2],
            discharge_limit=discharges[0],
            discharge_limit_l2=discharges[1],
            discharge_limit_l3=discharges[2],
            setpoint=caps[0],
            setpoint_l2=caps[1],
            setpoint_l3=caps[2],
            setpoint_reactive=self._reported(terms.reactive, phases)[0],
            phase_to_use=said.phase_to_use,
            evse_sleep=said.evse_sleep,
            baseline_w=said.baseline_w,
            frequency_curve=said.frequency_curve,
            signal_curve=said.signal_curve,
        )
        return limits[0], phases, None if operation == _PLAIN else operation

    def _reported(
        self, amount: Amount | None, phases: int | None
    ) -> tuple[float | None, float | None, float | None]:
        """In the unit asked for, rounded: the plain value or that of L1, then those of L2 and L3 if they have any."""
        if amount is None:
            return None, None, None
        if amount.lines is None:
            return self._finite(self.arithmetic.in_unit((*amount.plain[:2], phases))), None, None
        volts = 1.0 if self.arithmetic.unit == "A" else self.arithmetic.defaults.nominal_voltage
        first, second, third = (self._finite(amps * volts) for amps in amount.lines)
        return first, second, None if phases == 2 else third

    def _finite(self, value: float) -> float | None:
        return None if value == NOTHING else self.arithmetic.rounded(value)


def toward_zero(values: Iterable[float]) -> float:
    """The one closest to zero; 0 where some are above it and some below."""
    every = list(values)
    if all(value >= 0 for value in every):
        return min(every)
    return max(every) if all(value <= 0 for value in every) else 0.0


def within(value: float | None, least: float | None, most: float | None) -> float | None:
    """A setpoint within the limits that are known (V2X.03/.04)."""
    if value is None:
        return None
    if least is not None:
        value = max(value, least)
    return value if most is None else min(value, most)


def _names_limit(terms: Iterable[Terms]) -> bool:
    return any(term.limit.plain[:2] != UNLIMITED[:2] for term in terms)


def _is_charging_only(terms: Terms) -> bool:
    return terms.operation.mode is OperationMode.CHARGING_ONLY


def _agreed_phase(terms: Iterable[Terms]) -> int | None:
    """The phase that all who name one want to use on one phase."""
    named = {term.operation.phase_to_use for term in terms} - {None}
    return named.pop() if len(named) == 1 else None


def _with_phase(operation: Operation, phase: int | None) -> Operation:
    return operation if operation.phase_to_use == phase else replace(operation, phase_to_use=phase)


def _closest(*values: float | None) -> float | None:
    named = [value for value in values if value is not None]
    return max(named, default=None)


def _three(values: Iterable[float]) -> Lines:
    first, second, third = values
    return first, second, third
