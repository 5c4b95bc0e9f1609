"""A tariff as OCPI writes it (2.2.1 and 2.3.0, mod_tariffs), read into terms that can be reckoned with. Pure.

What is wrong is refused with its field. Members that are not known are left alone, as OCPI asks of a receiver; where a
person writes a tariff they are refused (`strict`), for a restriction that is misspelt would be none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

MOST = Decimal(10**9)
Choice = TypeVar("Choice", bound=StrEnum)


class BadTariff(ValueError):
    """A tariff that cannot be reckoned with: the field, as a path within it, and what is wrong there."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class Dimension(StrEnum):
    """TariffDimensionType."""

    FLAT = "FLAT"
    ENERGY = "ENERGY"  # per kWh
    TIME = "TIME"  # per hour of charging, or of a reservation
    PARKING_TIME = "PARKING_TIME"  # per hour without charging


class Reservation(StrEnum):
    """ReservationRestrictionType: a reservation that was used, and one that ran out."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class TaxIncluded(StrEnum):
    YES = "YES"
    NO = "NO"
    NOT_APPLICABLE = "N/A"


DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")


@dataclass(frozen=True, slots=True)
class PriceComponent:
    """`price` is per kWh, per hour, or once; `step_size` in Wh or s; `vat` in percent."""

    dimension: Dimension
    price: Decimal
    step_size: int = 1
    vat: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Restrictions:
    """All of them must hold. A minimum and a start belong to it, a maximum and an end do not (OCPI, 11.4.6)."""

    start_time: time | None = None
    end_time: time | None = None
    start_date: date | None = None
    end_date: date | None = None
    min_kwh: Decimal | None = None
    max_kwh: Decimal | None = None
    min_current_a: Decimal | None = None
    max_current_a: Decimal | None = None
    min_power_kw: Decimal | None = None
    max_power_kw: Decimal | None = None
    min_duration: timedelta | None = None
    max_duration: timedelta | None = None
    days: frozenset[int] = frozenset()  # 0 is Monday; empty is every day
    reservation: Reservation | None = None


@dataclass(frozen=True, slots=True)
class Element:
    components: tuple[PriceComponent, ...]
    restrictions: Restrictions = Restrictions()

    def component(self, dimension: Dimension) -> PriceComponent | None:
        return next((each for each in self.components if each.dimension == dimension), None)


@dataclass(frozen=True, slots=True)
class PriceLimit:
    """At least or at most this much; either may be left open."""

    before_taxes: Decimal | None
    after_taxes: Decimal | None


@dataclass(frozen=True, slots=True)
class Tariff:
    currency: str
    elements: tuple[Element, ...]
    tax_included: TaxIncluded
    min_price: PriceLimit | None = None
    max_price: PriceLimit | None = None

    def uses(self, *names: str) -> bool:
        """Whether any element is restricted by one of these."""
        plain = Restrictions()
        return any(
            getattr(element.restrictions, name) != getattr(plain, name)
            for element in self.elements
            for name in names
        )

    def prices(self, dimension: Dimension) -> bool:
        return any(element.component(dimension) for element in self.elements)


def parse(raw: Mapping[str, Any], *, strict: bool = False) -> Tariff:
    """The tariff in an OCPI Tariff object, or in the part of it that decides a price. Raises BadTariff."""
    elements = raw.get("elements")
    if not isinstance(elements, list) or not elements:
        raise BadTariff("elements", "must be a list of at least one element")
    tariff = Tariff(
        currency=_currency(raw.get("currency", "EUR")),
        elements=tuple(
            _element(each, f"elements[{index}]", strict=strict) for index, each in enumerate(elements)
        ),
        # 2.2.1 has no such member: there prices are without VAT.
        tax_included=_choice(TaxIncluded, raw.get("tax_included", "NO"), "tax_included"),
        min_price=_limit(raw.get("min_price"), "min_price"),
        max_price=_limit(raw.get("max_price"), "max_price"),
    )
    _check_limits(tariff)
    return tariff


def _element(raw: Any, at: str, *, strict: bool) -> Element:
    raw = _object(raw, at, {"price_components", "restrictions"} if strict else None)
    components = raw.get("price_components")
    if not isinstance(components, list) or not components:
        raise BadTariff(f"{at}.price_components", "must be a list of at least one component")
    parsed = tuple(
        _component(each, f"{at}.price_components[{index}]", strict=strict)
        for index, each in enumerate(components)
    )
    dimensions = [each.dimension for each in parsed]
    if len(set(dimensions)) < len(dimensions):
        raise BadTariff(f"{at}.price_components", "each type may stand in an element once")
    restrictions = _restrictions(raw.get("restrictions"), f"{at}.restrictions", strict=strict)
    if restrictions.reservation and not set(dimensions) <= {Dimension.FLAT, Dimension.TIME}:
        raise BadTariff(f"{at}.price_components", "a reservation has a price of type FLAT or TIME only")
    return Element(parsed, restrictions)


def _component(raw: Any, at: str, *, strict: bool) -> PriceComponent:
    raw = _object(raw, at, {"type", "price", "vat", "step_size"} if strict else None)
    step_size = raw.get("step_size", 1)
    if isinstance(step_size, bool) or not isinstance(step_size, int) or not 0 < step_size <= MOST:
        # 0 is what older peers send for "no steps" (FLAT has none).
        if step_size != 0 or isinstance(step_size, bool):
            raise BadTariff(f"{at}.step_size", "must be a whole number of Wh or seconds, 1 or more")
        step_size = 1
    vat = raw.get("vat")
    return PriceComponent(
        dimension=_choice(Dimension, raw.get("type"), f"{at}.type"),
        price=_number(raw.get("price"), f"{at}.price", least=-MOST),
        step_size=step_size,
        vat=Decimal(0) if vat is None else _number(vat, f"{at}.vat", most=Decimal(100)),
    )


_NUMBERS = {
    "min_kwh": "min_kwh",
    "max_kwh": "max_kwh",
    "min_current": "min_current_a",
    "max_current": "max_current_a",
    "min_power": "min_power_kw",
    "max_power": "max_power_kw",
}


def _restrictions(raw: Any, at: str, *, strict: bool) -> Restrictions:
    if raw is None:
        return Restrictions()
    raw = _object(raw, at, {*_NUMBERS, *_READERS} if strict else None)
    said: dict[str, Any] = {
        field: _number(raw[name], f"{at}.{name}")
        for name, field in _NUMBERS.items()
        if raw.get(name) is not None
    }
    for name, (field, read) in _READERS.items():
        if raw.get(name) is not None:
            said[field] = read(raw[name], f"{at}.{name}")
    found = Restrictions(**said)
    _check_order(found, at)
    return found


def _check_order(found: Restrictions, at: str) -> None:
    """A range that nothing is in would make an element that never holds."""
    for name, low, high in (
        ("max_kwh", found.min_kwh, found.max_kwh),
        ("max_current", found.min_current_a, found.max_current_a),
        ("max_power", found.min_power_kw, found.max_power_kw),
        ("max_duration", found.min_duration, found.max_duration),
        ("end_date", found.start_date, found.end_date),
    ):
        if low is not None and high is not None and high <= low:  # type: ignore[operator]
            raise BadTariff(f"{at}.{name}", "must be more than where it starts")


def _time(raw: Any, at: str) -> time:
    if not isinstance(raw, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", raw):
        raise BadTariff(at, "must be a time as 00:00 to 23:59")
    return time.fromisoformat(raw)


def _date(raw: Any, at: str) -> date:
    try:
        if isinstance(raw, str) and len(raw) == len("2026-01-01"):
            return date.fromisoformat(raw)
    except ValueError:
        pass
    raise BadTariff(at, "must be a date as 2026-01-31")


def _duration(raw: Any, at: str) -> timedelta:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MOST:
        raise BadTariff(at, "must be a whole number of seconds")
    return timedelta(seconds=raw)


def _days(raw: Any, at: str) -> frozenset[int]:
    if not isinstance(raw, list) or any(day not in DAYS for day in raw):
        raise BadTariff(at, f"must be a list of {', '.join(DAYS)}")
    return frozenset(DAYS.index(day) for day in raw)


_READERS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "start_time": ("start_time", _time),
    "end_time": ("end_time", _time),
    "start_date": ("start_date", _date),
    "end_date": ("end_date", _date),
    "min_duration": ("min_duration", _duration),
    "max_duration": ("max_duration", _duration),
    "day_of_week": ("days", _days),
    "reservation": ("reservation", lambda raw, at: _choice(Reservation, raw, at)),
}


def _limit(raw: Any, at: str) -> PriceLimit | None:
    """PriceLimit of 2.3.0, or Price of 2.2.1."""
    if raw is None:
        return None
    raw = _object(raw, at, None)
    before, after = raw.get("before_taxes", raw.get("excl_vat")), raw.get("after_taxes", raw.get("incl_vat"))
    if before is None and after is None:
        raise BadTariff(at, "must have before_taxes or after_taxes")
    return PriceLimit(
        None if before is None else _number(before, f"{at}.before_taxes", least=-MOST),
        None if after is None else _number(after, f"{at}.after_taxes", least=-MOST),
    )


def _check_limits(tariff: Tariff) -> None:
    for at, limit in (("min_price", tariff.min_price), ("max_price", tariff.max_price)):
        if limit and limit.before_taxes is not None and limit.after_taxes is not None:
            low, high = sorted((limit.before_taxes, limit.after_taxes), key=abs)
            if low != limit.before_taxes or low * high < 0:
                raise BadTariff(f"{at}.after_taxes", "must not be less than before_taxes")
    if tariff.min_price is None or tariff.max_price is None:
        return
    for name in ("before_taxes", "after_taxes"):
        least, most = getattr(tariff.min_price, name), getattr(tariff.max_price, name)
        if least is not None and most is not None and most < least:
            raise BadTariff(f"max_price.{name}", "must not be less than min_price")


def _object(raw: Any, at: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(raw, Mapping):
        raise BadTariff(at, "must be an object")
    unknown = sorted(set(raw) - known) if known is not None else []
    if unknown:
        raise BadTariff(f"{at}.{unknown[0]}", "is not known")
    return raw


def _number(raw: Any, at: str, *, least: Decimal = Decimal(0), most: Decimal = MOST) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        raise BadTariff(at, "must be a number")
    try:
        number = Decimal(str(raw))
    except InvalidOperation:  # pragma: no cover - str of a number is one
        raise BadTariff(at, "must be a number") from None
    if not number.is_finite() or not least <= number <= most:
        raise BadTariff(at, f"must be a number from {least} to {most}")
    return number


def _currency(raw: Any) -> str:
    if not isinstance(raw, str) or not re.fullmatch(r"[A-Z]{3}", raw):
        raise BadTariff("currency", "must be three capital letters (ISO 4217)")
    return raw


def _choice(kind: type[Choice], raw: Any, at: str) -> Choice:
    try:
        return kind(raw)
    except ValueError:
        raise BadTariff(at, f"must be one of {', '.join(kind)}") from None
