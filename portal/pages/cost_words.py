"""The cost of a session in words: each price of its tariff, what was used of it, and what that came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from portal.templatetags.measures import NBSP, money
from stations.costs import SessionCost
from stations.domain.tariff import Line

# Of a kWh or an hour: what is rounded away below this, nobody sees.
STEP_TO_TELL = Decimal("0.005")


@dataclass(frozen=True, slots=True)
class CostRow:
    """A row of the table of costs, as text."""

    name: str
    used: str  # the quantity and its price; empty for a fee
    excl_tax: str
    tax: str
    incl_tax: str


def cost_rows(cost: SessionCost) -> list[CostRow]:
    return [_row(line, cost.currency) for line in cost.lines]


def notes(cost: SessionCost) -> Iterator[str]:
    """What a total rests on beside its lines."""
    if cost.limited_by == "min_price":
        yield _("The lowest price of a session holds.")
    if cost.limited_by == "max_price":
        yield _("The highest price of a session holds.")
    if any(line.billed - line.quantity >= STEP_TO_TELL for line in cost.lines):
        yield _("What was used is rounded up to the steps of the tariff.")


def _row(line: Line, currency: str) -> CostRow:
    unit = {"ENERGY": "kWh", "TIME": _("hours"), "PARKING_TIME": _("hours")}.get(line.dimension, "")
    return CostRow(
        name=_name(line.dimension),
        used=f"{_amount(line.billed, 3)}{NBSP}{unit} × {_price(line.unit_price, currency)}" if unit else "",
        excl_tax=money(_rounded(line.excl_tax), currency),
        tax=money(_rounded(line.tax), currency),
        incl_tax=money(_rounded(line.incl_tax), currency),
    )


def _name(dimension: str) -> str:
    names = {
        "ENERGY": _("Energy"),
        "TIME": _("Time charging"),
        "PARKING_TIME": _("Time parked"),
        "FLAT": _("Start fee"),
    }
    return names.get(dimension, dimension)


def _amount(value: Decimal, places: int) -> str:
    return number_format(value, places, use_l10n=True)


def _price(value: Decimal, currency: str) -> str:
    """With as many places as it has, two at least."""
    places = max(2, -int(value.normalize().as_tuple().exponent))
    if places == 2:
        return money(value, currency)
    shown = money(Decimal("0.00"), currency)
    return shown.replace(number_format(Decimal("0.00"), 2), number_format(value, places))


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"))
