"""What a session costs by a tariff: the one owner of tariffs, after OCPI 2.2.1 and 2.3.0 (mod_tariffs). Pure.

Amounts are Decimal. What is added up stays exact; a total is rounded once, half up, to a hundredth of the currency.
A period is cut where a restriction begins or ends; its energy is then taken to have flowed evenly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from stations.domain.tariff_terms import (
    BadTariff,
    Dimension,
    Element,
    PriceComponent,
    PriceLimit,
    Reservation,
    Restrictions,
    Tariff,
    TaxIncluded,
    parse,
)

__all__ = [
    "BadTariff", "Cost", "Dimension", "Line", "Period", "PriceComponent", "Reservation", "Tariff", "Tax",
    "TaxIncluded", "parse", "price",
]  # fmt: skip

ZERO = Decimal(0)
CENT = Decimal("0.01")
LINE = Decimal("0.0001")  # how exact a line is told; OCPI's own custom
# A cut leaves this much of a kWh to either side as it likes; the two are together exactly what there was.
ENERGY = Decimal("0.000000001")
SECONDS_AN_HOUR = 3600
TIME_FAMILY = (Dimension.TIME, Dimension.PARKING_TIME)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of a session in which nothing changed but the register. Energy that was given back is negative."""

    start: datetime
    end: datetime
    energy_kwh: Decimal = ZERO
    is_charging: bool = True
    power_kw: Decimal | None = None
    current_a: Decimal | None = None  # all phases together
    reservation: Reservation | None = None

    @property
    def seconds(self) -> Decimal:
        return _seconds(self.end - self.start)


@dataclass(frozen=True, slots=True)
class Line:
    """What one price came to: `quantity` as it was used, `billed` after steps; kWh, hours, or 1."""

    dimension: Dimension
    element: int
    quantity: Decimal
    billed: Decimal
    unit_price: Decimal
    vat: Decimal
    excl_tax: Decimal
    incl_tax: Decimal

    @property
    def tax(self) -> Decimal:
        return self.incl_tax - self.excl_tax


@dataclass(frozen=True, slots=True)
class Tax:
    percentage: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """`limited_by`: "min_price" or "max_price", where that made the total."""

    currency: str
    lines: tuple[Line, ...]
    excl_tax: Decimal
    incl_tax: Decimal
    taxes: tuple[Tax, ...]
    limited_by: str = ""

    @property
    def tax(self) -> Decimal:
        return self.incl_tax - self.excl_tax


def price(tariff: Tariff, periods: Sequence[Period], *, zone: tzinfo = UTC) -> Cost:
    """The cost of a session by its periods, in order; `zone` is the local time of its place."""
    used = _Used(tariff)
    for piece in _pieces(tariff, periods, zone):
        used.take_in(piece, zone)
    lines = tuple(_line(tariff, each) for each in used.stepped())
    return _total(tariff, lines)


# ---------------------------------------------------------------- which element holds
@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a period in which no restriction begins or ends, and how far the session was at its start."""

    period: Period
    used_kwh: Decimal
    lasted: timedelta


def _holds(restrictions: Restrictions, piece: _Piece, zone: tzinfo) -> bool:
    local = piece.period.start.astimezone(zone)
    return (
        restrictions.reservation == piece.period.reservation
        and _within_day(restrictions, local.time())
        and _from_until(local.date(), restrictions.start_date, restrictions.end_date)
        and (not restrictions.days or local.weekday() in restrictions.days)
        and _from_until(piece.used_kwh, restrictions.min_kwh, restrictions.max_kwh)
        and _from_until(piece.lasted, restrictions.min_duration, restrictions.max_duration)
        and _from_until(piece.period.power_kw, restrictions.min_power_kw, restrictions.max_power_kw)
        and _from_until(piece.period.current_a, restrictions.min_current_a, restrictions.max_current_a)
    )


def _within_day(restrictions: Restrictions, at: time) -> bool:
    """An end before the start is on the next day; 00:00 as an end is the end of the day (OCPI, 11.4.6)."""
    start, end = restrictions.start_time or time.min, restrictions.end_time or time.min
    if start == end:
        return True
    if end == time.min or start < end:
        return at >= start and (end == time.min or at < end)
    return at >= start or at < end


def _from_until(value, least, most) -> bool:  # type: ignore[no-untyped-def]
    """What is not known is within no bounds but none."""
    if least is None and most is None:
        return True
    return value is not None and (least is None or value >= least) and (most is None or value < most)


# ---------------------------------------------------------------- cutting
def _pieces(tariff: Tariff, periods: Sequence[Period], zone: tzinfo) -> Iterator[_Piece]:
    used_kwh, begun = ZERO, dict[Reservation | None, datetime]()
    for period in periods:
        start = begun.setdefault(period.reservation, period.start)
        for part in _cut_by_time(period, _moments(tariff, period, start, zone)):
            for piece in _cut_by_energy(part, used_kwh, tariff):
                yield _Piece(piece, used_kwh, piece.start - start)
                used_kwh += piece.energy_kwh


def _moments(tariff: Tariff, period: Period, begun: datetime, zone: tzinfo) -> list[datetime]:
    """Where within `period` a restriction by time may begin or end."""
    moments: set[datetime] = set()
    for element in tariff.elements:
        limits = (element.restrictions.min_duration, element.restrictions.max_duration)
        moments.update(begun + limit for limit in limits if limit is not None)
    if tariff.uses("start_time", "end_time", "start_date", "end_date", "days"):
        times = {time.min}
        for element in tariff.elements:
            found = (element.restrictions.start_time, element.restrictions.end_time)
            times.update(each for each in found if each is not None)
        day, last = period.start.astimezone(zone).date(), period.end.astimezone(zone).date()
        while day <= last:
            moments.update(_moments_of_day(day, times, zone))
            day += timedelta(days=1)
    return sorted(moment for moment in moments if period.start < moment < period.end)


def _moments_of_day(day: date, times: Iterable[time], zone: tzinfo) -> Iterator[datetime]:
    """These times of a local day. When the clock changes an hour comes twice or never: then every hour is a cut."""
    for at in times:
        for fold in (0, 1):
            yield datetime.combine(day, at, tzinfo=zone).replace(fold=fold).astimezone(UTC)
    start = datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
    end = datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)
    if end - start != timedelta(days=1):
        for hour in range(26):
            yield start + timedelta(hours=hour)


def _cut_by_time(period: Period, moments: Sequence[datetime]) -> Iterator[Period]:
    for moment in moments:
        part = (period.energy_kwh * _seconds(moment - period.start) / period.seconds).quantize(ENERGY)
        yield replace(period, end=moment, energy_kwh=part)
        period = replace(period, start=moment, energy_kwh=period.energy_kwh - part)
    yield period


def _cut_by_energy(period: Period, used_kwh: Decimal, tariff: Tariff) -> Iterator[Period]:
    """At each amount of energy at which an element begins or ends; also on the way back down."""
    until = used_kwh + period.energy_kwh
    low, high = sorted((used_kwh, until))
    amounts = {
        amount
        for element in tariff.elements
        for amount in (element.restrictions.min_kwh, element.restrictions.max_kwh)
        if amount is not None and low < amount < high
    }
    for amount in sorted(amounts, reverse=until < used_kwh):
        share = (amount - used_kwh) / period.energy_kwh
        moment = period.start + timedelta(seconds=float(period.seconds * share))
        yield replace(period, end=moment, energy_kwh=amount - used_kwh)
        period = replace(period, start=moment, energy_kwh=until - amount)
        used_kwh = amount
    yield period


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 1_000_000


# ---------------------------------------------------------------- what was used of each price
@dataclass(slots=True)
class _Use:
    """Of one component of one element: kWh, seconds, or how many times; `billed` is with its steps."""

    element: int
    component: PriceComponent
    quantity: Decimal = ZERO
    extra: Decimal = ZERO

    @property
    def billed(self) -> Decimal:
        return self.quantity + self.extra


@dataclass(slots=True)
class _Used:
    tariff: Tariff
    uses: dict[tuple[int, Dimension], _Use] = field(default_factory=dict)
    flat_for: set[Reservation | None] = field(default_factory=set)
    last_energy: _Use | None = None
    last_time: _Use | None = None
    last_run_s: Decimal = ZERO  # how long the last price by time held without another in between

    def take_in(self, piece: _Piece, zone: tzinfo) -> None:
        holding = [
            (index, element)
            for index, element in enumerate(self.tariff.elements)
            if _holds(element.restrictions, piece, zone)
        ]
        period = piece.period
        if period.reservation not in self.flat_for and (use := self._use(holding, Dimension.FLAT)):
            use.quantity = Decimal(1)
            self.flat_for.add(period.reservation)
        if period.energy_kwh and (use := self._use(holding, Dimension.ENERGY)):
            use.quantity += period.energy_kwh
            self.last_energy = use
        self._take_time(period, holding)

    def _take_time(self, period: Period, holding: list[tuple[int, Element]]) -> None:
        is_time = period.is_charging or period.reservation is not None
        use = self._use(holding, Dimension.TIME if is_time else Dimension.PARKING_TIME)
        if use is None or not period.seconds:
            return
        use.quantity += period.seconds
        self.last_run_s = period.seconds + (self.last_run_s if use is self.last_time else ZERO)
        self.last_time = use

    def _use(self, holding: list[tuple[int, Element]], dimension: Dimension) -> _Use | None:
        """The first element that holds and has a price for this decides; without one it is free."""
        for index, element in holding:
            component = element.component(dimension)
            if component is not None:
                return self.uses.setdefault((index, dimension), _Use(index, component))
        return None

    def stepped(self) -> list[_Use]:
        """With steps: all energy together by the last price per kWh, and of what goes by time the last period only.

        Energy that came out on balance is not rounded: a step is the least that is sold (OCPI, 11.4.2).
        """
        energy_wh = 1000 * sum(
            (each.quantity for each in self.uses.values() if each.component.dimension == Dimension.ENERGY),
            ZERO,
        )
        if self.last_energy is not None and energy_wh > 0:
            self.last_energy.extra = _missing(energy_wh, self.last_energy.component.step_size) / 1000
        if self.last_time is not None:
            self.last_time.extra = _missing(self.last_run_s, self.last_time.component.step_size)
        order = list(Dimension)
        return sorted(
            self.uses.values(), key=lambda each: (order.index(each.component.dimension), each.element)
        )


def _missing(amount: Decimal, step: int) -> Decimal:
    """What `amount` lacks to a whole number of steps."""
    over = amount % step
    return step - over if over else ZERO


# ---------------------------------------------------------------- money
def _line(tariff: Tariff, use: _Use) -> Line:
    component = use.component
    by_time = component.dimension in TIME_FAMILY
    amount = component.price * use.billed / (SECONDS_AN_HOUR if by_time else 1)
    excl, incl = _with_tax(amount, component.vat, tariff.tax_included)
    hours = Decimal(SECONDS_AN_HOUR if by_time else 1)
    vat = ZERO if tariff.tax_included == TaxIncluded.NOT_APPLICABLE else component.vat
    return Line(
        component.dimension,
        use.element,
        use.quantity / hours,
        use.billed / hours,
        component.price,
        vat,
        excl,
        incl,
    )


def _with_tax(amount: Decimal, vat: Decimal, included: TaxIncluded) -> tuple[Decimal, Decimal]:
    factor = 1 + vat / 100
    if included == TaxIncluded.YES:
        return amount / factor, amount
    return amount, amount if included == TaxIncluded.NOT_APPLICABLE else amount * factor


def _total(tariff: Tariff, lines: tuple[Line, ...]) -> Cost:
    excl = sum((line.excl_tax for line in lines), ZERO)
    incl = sum((line.incl_tax for line in lines), ZERO)
    factor = incl / excl if excl else _common_factor(tariff)
    limited_by = ""
    for name, limit in (("min_price", tariff.min_price), ("max_price", tariff.max_price)):
        if limit is not None:
            before, after = _limited(excl, incl, limit, factor, is_max=name == "max_price")
            if (before, after) != (excl, incl):
                excl, incl, limited_by = before, after, name
    excl, incl = (
        _rounded(tariff, amount, which) for amount, which in ((excl, "before_taxes"), (incl, "after_taxes"))
    )
    return Cost(
        tariff.currency,
        tuple(_told(line) for line in lines),
        excl,
        incl,
        _taxes(lines, excl, incl),
        limited_by,
    )


def _common_factor(tariff: Tariff) -> Decimal:
    if tariff.tax_included == TaxIncluded.NOT_APPLICABLE:
        return Decimal(1)
    return 1 + max(component.vat for element in tariff.elements for component in element.components) / 100


def _limited(
    excl: Decimal, incl: Decimal, limit: PriceLimit, factor: Decimal, *, is_max: bool
) -> tuple[Decimal, Decimal]:
    """Both within the limit; an amount for which it names no limit follows the other, at the same tax."""
    choose = min if is_max else max
    if limit.before_taxes is not None:
        before = choose(excl, limit.before_taxes)
        excl, incl = before, incl if before == excl else before * factor
    if limit.after_taxes is not None:
        after = choose(incl, limit.after_taxes)
        excl = excl if after == incl or limit.before_taxes is not None else after / factor
        incl = after
    return excl, incl


def _rounded(tariff: Tariff, amount: Decimal, which: str) -> Decimal:
    """Half up to a hundredth; a limit that is finer than that is not stepped over."""
    rounded = amount.quantize(CENT, ROUND_HALF_UP)
    least = getattr(tariff.min_price, which, None)
    most = getattr(tariff.max_price, which, None)
    if most is not None and rounded > most:
        return amount.quantize(CENT, ROUND_FLOOR)
    if least is not None and rounded < least:
        return amount.quantize(CENT, ROUND_CEILING)
    return rounded


def _taxes(lines: Iterable[Line], excl: Decimal, incl: Decimal) -> tuple[Tax, ...]:
    """The tax of the total by its rates; the last takes what rounding and limits left."""
    by_rate: dict[Decimal, Decimal] = {}
    for line in lines:
        if line.vat:
            by_rate[line.vat] = by_rate.get(line.vat, ZERO) + line.tax
    total, left = incl - excl, incl - excl
    exact = sum(by_rate.values(), ZERO)
    taxes = []
    for rate in sorted(by_rate)[:-1]:
        part = (total * by_rate[rate] / exact).quantize(CENT, ROUND_HALF_UP) if exact else ZERO
        taxes.append(Tax(rate, part))
        left -= part
    return (*taxes, *(Tax(rate, left) for rate in sorted(by_rate)[-1:]))


def _told(line: Line) -> Line:
    return replace(
        line,
        excl_tax=line.excl_tax.quantize(LINE, ROUND_HALF_UP),
        incl_tax=line.incl_tax.quantize(LINE, ROUND_HALF_UP),
    )
