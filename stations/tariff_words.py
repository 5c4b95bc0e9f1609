"""A tariff in plain words: a sentence for each price, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, number_format, time_format
from django.utils.translation import gettext as _

from stations.domain.tariff_terms import (
    Dimension,
    Element,
    PriceComponent,
    PriceLimit,
    Reservation,
    Restrictions,
    Tariff,
    TaxIncluded,
)


def sentences(tariff: Tariff) -> list[str]:
    """What it says, for who wrote it and for who pays it."""
    told = [
        sentence
        for number, element in enumerate(tariff.elements, start=1)
        for sentence in _element(number, element, tariff)
    ]
    if tariff.min_price is not None:
        told.append(_("A session costs at least %(amount)s.") % {"amount": _limit(tariff.min_price, tariff)})
    if tariff.max_price is not None:
        told.append(_("A session costs at most %(amount)s.") % {"amount": _limit(tariff.max_price, tariff)})
    if len(tariff.elements) > 1:
        told.append(
            _("For each kind of price the first element that holds decides. What has no price is free.")
        )
    return told


def _element(number: int, element: Element, tariff: Tariff) -> Iterator[str]:
    conditions = ", ".join(_conditions(element.restrictions))
    for component in element.components:
        values = {"number": number, "price": _price(component, tariff), "when": conditions or _("always")}
        yield _("%(number)d. %(price)s: %(when)s.") % values


def _price(component: PriceComponent, tariff: Tariff) -> str:
    per = {
        Dimension.ENERGY: _("per kWh"),
        Dimension.TIME: _("per hour of charging"),
        Dimension.PARKING_TIME: _("per hour parked without charging"),
        Dimension.FLAT: _("at the start"),
    }
    text = f"{_money(component.price, tariff.currency)} {per[component.dimension]}"
    if component.step_size > 1 and component.dimension == Dimension.ENERGY:
        text += ", " + _("in steps of %(step)d Wh") % {"step": component.step_size}
    elif component.step_size > 1 and component.dimension != Dimension.FLAT:
        text += ", " + _("in steps of %(step)d seconds") % {"step": component.step_size}
    if component.vat and tariff.tax_included != TaxIncluded.NOT_APPLICABLE:
        vat = {"vat": number_format(component.vat.normalize())}
        is_in = tariff.tax_included == TaxIncluded.YES
        text += " (" + (_("%(vat)s%% VAT in it") if is_in else _("%(vat)s%% VAT on top")) % vat + ")"
    return text


def _conditions(held: Restrictions) -> Iterator[str]:
    if held.reservation == Reservation.RESERVATION:
        yield _("for a reservation")
    if held.reservation == Reservation.RESERVATION_EXPIRES:
        yield _("for a reservation that was not used")
    if held.days:
        yield _("on %(days)s") % {"days": ", ".join(str(WEEKDAYS[day]) for day in sorted(held.days))}
    yield from _between(
        time_format(held.start_time, "H:i") if held.start_time else None,
        time_format(held.end_time, "H:i") if held.end_time else None,
    )
    yield from _between(
        date_format(held.start_date, "j M Y") if held.start_date else None,
        date_format(held.end_date, "j M Y") if held.end_date else None,
    )
    yield from _between(_number(held.min_kwh, "kWh"), _number(held.max_kwh, "kWh"))
    yield from _between(_number(held.min_power_kw, "kW"), _number(held.max_power_kw, "kW"))
    yield from _between(_number(held.min_current_a, "A"), _number(held.max_current_a, "A"))
    low, high = (
        None
        if limit is None
        else _("%(minutes)s minutes") % {"minutes": number_format(limit.total_seconds() / 60, 0)}
        for limit in (held.min_duration, held.max_duration)
    )
    yield from _between(low, high)


def _between(low: str | None, high: str | None) -> Iterator[str]:
    if low and high:
        yield _("from %(low)s to %(high)s") % {"low": low, "high": high}
    elif low:
        yield _("from %(low)s") % {"low": low}
    elif high:
        yield _("up to %(high)s") % {"high": high}


def _number(value: Decimal | None, unit: str) -> str | None:
    return None if value is None else f"{number_format(value.normalize())} {unit}"


def _limit(limit: PriceLimit, tariff: Tariff) -> str:
    if limit.after_taxes is not None:
        return _("%(amount)s with taxes") % {"amount": _money(limit.after_taxes, tariff.currency)}
    return _("%(amount)s without taxes") % {
        "amount": _money(limit.before_taxes or Decimal(0), tariff.currency)
    }


def _money(amount: Decimal, currency: str) -> str:
    places = max(2, -int(amount.normalize().as_tuple().exponent))
    shown = number_format(amount, places)
    return f"€ {shown}" if currency == "EUR" else f"{shown} {currency}"
