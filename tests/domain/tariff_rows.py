"""Tariffs, what was used, and what that costs without taxes, worked out by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from stations.domain.tariff import Period, Reservation

ZONE = ZoneInfo("Europe/Amsterdam")
Raw = dict[str, Any]


def at(text: str, *, fold: int = 0) -> dt.datetime:
    """A local time of 1 July 2026 (a Wednesday), or of the day that is given."""
    day, _, clock = text.rpartition("T")
    local = dt.datetime.fromisoformat(f"{day or '2026-07-01'}T{clock}").replace(tzinfo=ZONE, fold=fold)
    return local.astimezone(dt.UTC)


def period(start: str, end: str, kwh: float = 0, **more: Any) -> Period:
    """Charging where energy flowed, unless it is said."""
    said = {"is_charging": kwh != 0, **more}
    for name in ("power_kw", "current_a"):
        if name in said:
            said[name] = Decimal(str(said[name]))
    return Period(at(start), at(end), Decimal(str(kwh)), **said)


def component(kind: str, amount: float, **more: Any) -> Raw:
    return {"type": kind, "price": amount, "step_size": 1, **more}


def element(*components: Raw, **restrictions: Any) -> Raw:
    found: Raw = {"price_components": list(components)}
    return found | ({"restrictions": restrictions} if restrictions else {})


def tariff(*elements: Raw, **more: Any) -> Raw:
    return {"currency": "EUR", "tax_included": "NO", "elements": list(elements), **more}


ENERGY = component("ENERGY", 0.50)
NIGHT = element(component("ENERGY", 0.20), start_time="22:00", end_time="06:00")

# what is asked, what was used, what it costs without taxes
AMOUNTS: list[tuple[str, Raw, list[Period], str]] = [
    ("energy: 10 kWh at 0.50", tariff(element(ENERGY)), [period("10:00", "11:00", 10)], "5.00"),
    (
        "flat: once, however many periods",
        tariff(element(component("FLAT", 0.35))),
        [period("10:00", "11:00", 1), period("11:00", "12:00", 1)],
        "0.35",
    ),
    (
        "time: 90 minutes at 2.00 an hour",
        tariff(element(component("TIME", 2))),
        [period("10:00", "11:30", 5)],
        "3.00",
    ),
    (
        "parking: only while nothing flows",
        tariff(element(component("PARKING_TIME", 4))),
        [period("10:00", "11:00", 5), period("11:00", "11:15")],
        "1.00",
    ),
    (
        "what has no price is free",
        tariff(element(component("PARKING_TIME", 4))),
        [period("10:00", "11:00", 5)],
        "0.00",
    ),
    (
        "all four together: 5 + 2 + 1 + 0.35",
        tariff(element(ENERGY, component("TIME", 2), component("PARKING_TIME", 4), component("FLAT", 0.35))),
        [period("10:00", "11:00", 10), period("11:00", "11:15")],
        "8.35",
    ),
    ("nothing used", tariff(element(ENERGY)), [], "0.00"),
    # ------------------------------------------------ the order of elements
    (
        "the first that holds and has the dimension",
        tariff(element(component("ENERGY", 0.3)), element(ENERGY)),
        [period("10:00", "11:00", 10)],
        "3.00",
    ),
    (
        "each dimension finds its own: 3 + 0.25 x 4",
        tariff(element(component("ENERGY", 0.3)), element(ENERGY, component("PARKING_TIME", 4))),
        [period("10:00", "11:00", 10), period("11:00", "11:15")],
        "4.00",
    ),
    (
        "an element that does not hold is passed over",
        tariff(element(component("ENERGY", 0.1), min_kwh=50), element(ENERGY)),
        [period("10:00", "11:00", 10)],
        "5.00",
    ),
    # ------------------------------------------------ time of day and dates
    (
        "16:00 to 18:00, dearer from 17:00: 5 x 0.5 + 5 x 0.8",
        tariff(element(component("ENERGY", 0.8), start_time="17:00", end_time="20:00"), element(ENERGY)),
        [period("16:00", "18:00", 10)],
        "6.50",
    ),
    (
        "an end is not in it",
        tariff(element(component("ENERGY", 0.8), start_time="17:00", end_time="20:00"), element(ENERGY)),
        [period("20:00", "21:00", 10)],
        "5.00",
    ),
    (
        "a start is",
        tariff(element(component("ENERGY", 0.8), start_time="17:00", end_time="20:00"), element(ENERGY)),
        [period("17:00", "18:00", 10)],
        "8.00",
    ),
    (
        "over midnight: 21:00 to 23:00, half by night",
        tariff(NIGHT, element(ENERGY)),
        [period("21:00", "23:00", 10)],
        "3.50",
    ),
    (
        "over midnight, the morning after: 05:00 to 07:00",
        tariff(NIGHT, element(ENERGY)),
        [period("2026-07-02T05:00", "2026-07-02T07:00", 10)],
        "3.50",
    ),
    (
        "the whole night: 1 + 8 + 1 hours of 1 kWh: 0.5 + 8 x 0.2 + 0.5",
        tariff(NIGHT, element(ENERGY)),
        [period("21:00", "2026-07-02T07:00", 10)],
        "2.60",
    ),
    (
        "until 00:00 is until the end of the day: 2 x 0.9 + 2 x 0.5",
        tariff(element(component("ENERGY", 0.9), start_time="20:00", end_time="00:00"), element(ENERGY)),
        [period("22:00", "2026-07-02T02:00", 4)],
        "2.80",
    ),
    (
        "only a start time: 09:00 to 11:00 from 10:00",
        tariff(element(component("ENERGY", 0.9), start_time="10:00"), element(ENERGY)),
        [period("09:00", "11:00", 2)],
        "1.40",
    ),
    (
        "from a date, that day in",
        tariff(element(component("ENERGY", 0.9), start_date="2026-07-02"), element(ENERGY)),
        [period("23:00", "2026-07-02T01:00", 2)],
        "1.40",
    ),
    (
        "until a date, that day out",
        tariff(element(component("ENERGY", 0.9), end_date="2026-07-02"), element(ENERGY)),
        [period("23:00", "2026-07-02T01:00", 2)],
        "1.40",
    ),
    (
        "a day of the week, from local midnight: Thursday",
        tariff(element(component("ENERGY", 0.1), day_of_week=["THURSDAY"]), element(ENERGY)),
        [period("23:00", "2026-07-02T01:00", 2)],
        "0.60",
    ),
    (
        "all restrictions must hold: Thursday and night: 22 to 24 of Wednesday is not",
        tariff(
            element(component("ENERGY", 0.1), start_time="22:00", end_time="06:00", day_of_week=["THURSDAY"]),
            element(ENERGY),
        ),
        [period("22:00", "2026-07-02T02:00", 4)],
        "1.20",
    ),
    # ------------------------------------------------ energy, power, current, duration
    (
        "dearer from 10 kWh on: 10 x 0.5 + 5 x 1",
        tariff(element(component("ENERGY", 1), min_kwh=10), element(ENERGY)),
        [period("10:00", "11:00", 15)],
        "10.00",
    ),
    (
        "the first 4 kWh free",
        tariff(element(component("ENERGY", 0), max_kwh=4), element(ENERGY)),
        [period("10:00", "11:00", 10)],
        "3.00",
    ),
    (
        "fast is dear, from 16 kW on",
        tariff(element(component("TIME", 6), min_power=16), element(component("TIME", 2))),
        [period("10:00", "11:00", 16, power_kw=16), period("11:00", "12:00", 5, power_kw=5)],
        "8.00",
    ),
    (
        "up to 16 kW, 16 not in it",
        tariff(element(component("TIME", 2), max_power=16), element(component("TIME", 6))),
        [period("10:00", "11:00", 16, power_kw=16)],
        "6.00",
    ),
    (
        "from 32 A, all phases together",
        tariff(element(component("TIME", 6), min_current=32), element(component("TIME", 2))),
        [period("10:00", "11:00", 7, current_a=32), period("11:00", "12:00", 7, current_a=31.9)],
        "8.00",
    ),
    (
        "up to 32 A",
        tariff(element(component("TIME", 2), max_current=32), element(component("TIME", 6))),
        [period("10:00", "11:00", 7, current_a=10)],
        "2.00",
    ),
    (
        "a power that is not known is within no bounds",
        tariff(element(component("TIME", 6), min_power=1), element(component("TIME", 2))),
        [period("10:00", "11:00", 7)],
        "2.00",
    ),
    (
        "parking after two hours of session: 1 of 2 hours parked",
        tariff(element(component("PARKING_TIME", 3), min_duration=7200)),
        [period("10:00", "11:00", 10), period("11:00", "13:00")],
        "3.00",
    ),
    (
        "the first hour free",
        tariff(element(component("TIME", 0), max_duration=3600), element(component("TIME", 4))),
        [period("10:00", "12:30", 10)],
        "6.00",
    ),
    # ------------------------------------------------ reservations
    (
        "a reservation has prices of its own: 0.5 x 2 + 1, then 5",
        tariff(
            element(component("TIME", 2), component("FLAT", 1), reservation="RESERVATION"), element(ENERGY)
        ),
        [period("09:30", "10:00", reservation=Reservation.RESERVATION), period("10:00", "11:00", 10)],
        "7.00",
    ),
    (
        "one that ran out",
        tariff(element(component("FLAT", 4), reservation="RESERVATION_EXPIRES"), element(ENERGY)),
        [period("09:30", "10:00", reservation=Reservation.RESERVATION_EXPIRES)],
        "4.00",
    ),
    (
        "without such an element a reservation is free",
        tariff(element(component("TIME", 2), component("FLAT", 1))),
        [period("09:30", "10:00", reservation=Reservation.RESERVATION)],
        "0.00",
    ),
    # ------------------------------------------------ steps
    (
        "energy in steps of 1 kWh, over the whole: 2.4 is 3",
        tariff(element(component("ENERGY", 1, step_size=1000))),
        [period("10:00", "11:00", 1.2), period("11:00", "12:00", 1.2)],
        "3.00",
    ),
    (
        "by the step of the last price: 1 + 1.25 in steps of 0.5 is 2.5: 1 x 1 + 1.5 x 2",
        tariff(
            element(component("ENERGY", 1, step_size=5000), max_kwh=1),
            element(component("ENERGY", 2, step_size=500)),
        ),
        [period("10:00", "11:00", 2.25)],
        "4.00",
    ),
    (
        "time in steps of 5 minutes: 6 is 10",
        tariff(element(component("TIME", 6, step_size=300))),
        [period("10:00", "10:06", 1)],
        "1.00",
    ),
    (
        "exactly a step stays",
        tariff(element(component("TIME", 6, step_size=300))),
        [period("10:00", "10:10", 1)],
        "1.00",
    ),
    (
        "of time and parking only the last: 7 min charged, 42 parked is 45",
        tariff(element(component("TIME", 60, step_size=900), component("PARKING_TIME", 4, step_size=900))),
        [period("10:00", "10:07", 3), period("10:07", "10:49")],
        "10.00",
    ),
    (
        "of two prices for time the last: 5 min at 12, 16 in steps of 15 is 30 at 24",
        tariff(
            element(component("TIME", 12, step_size=1800), end_time="17:00"),
            element(component("TIME", 24, step_size=900)),
        ),
        [period("16:55", "17:16", 3)],
        "13.00",
    ),
    (
        "what is free in between does not begin a new step: 10 + 10 is 30",
        tariff(element(component("TIME", 2, step_size=900))),
        [period("10:00", "10:10", 1), period("10:10", "10:40"), period("10:40", "10:50", 1)],
        "1.00",
    ),
    # ------------------------------------------------ energy given back
    (
        "energy given back has the same price: 10 - 4",
        tariff(element(ENERGY)),
        [period("10:00", "11:00", 10), period("11:00", "12:00", -4)],
        "3.00",
    ),
    (
        "on balance given back is money back, in no steps",
        tariff(element(component("ENERGY", 0.5, step_size=1000))),
        [period("10:00", "11:00", -4.2)],
        "-2.10",
    ),
    (
        "a negative price pays who takes energy",
        tariff(element(component("ENERGY", -0.1))),
        [period("10:00", "11:00", 10)],
        "-1.00",
    ),
    # ------------------------------------------------ at least, at most
    (
        "at least 3",
        tariff(element(ENERGY), min_price={"before_taxes": 3}),
        [period("10:00", "11:00", 1)],
        "3.00",
    ),
    (
        "at most 4",
        tariff(element(ENERGY), max_price={"before_taxes": 4}),
        [period("10:00", "11:00", 10)],
        "4.00",
    ),
    (
        "in between neither",
        tariff(element(ENERGY), min_price={"before_taxes": 3}, max_price={"before_taxes": 9}),
        [period("10:00", "11:00", 10)],
        "5.00",
    ),
    (
        "a credit is raised to the least",
        tariff(element(ENERGY), min_price={"before_taxes": 0}),
        [period("10:00", "11:00", -4)],
        "0.00",
    ),
    # ------------------------------------------------ rounding, once, half up
    ("half a cent is a cent: 1.01 x 0.5", tariff(element(ENERGY)), [period("10:00", "11:00", 1.01)], "0.51"),
    (
        "two lines of 0.004 are 0.008: 0.01",
        tariff(element(component("ENERGY", 0.004), component("FLAT", 0.004))),
        [period("10:00", "11:00", 1)],
        "0.01",
    ),
]
