"""Every rule of an OCPI tariff with an amount worked out by hand. Times are of Amsterdam, which is two hours ahead."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stations.domain.tariff import BadTariff, Cost, Period, parse, price
from tests.domain.tariff_rows import AMOUNTS, ENERGY, ZONE, Raw, at, component, element, period, tariff


def cost(raw: Raw, *periods: Period) -> Cost:
    return price(parse(raw), periods, zone=ZONE)


@pytest.mark.parametrize(
    ("raw", "periods", "amount"), [row[1:] for row in AMOUNTS], ids=[row[0] for row in AMOUNTS]
)
def test_amount(raw: Raw, periods: list[Period], amount: str) -> None:
    assert cost(raw, *periods).excl_tax == Decimal(amount)


class TestClockChange:
    """25 October 2026: 02:00 to 03:00 comes twice; 29 March: it never comes."""

    HOUR = tariff(
        element(component("TIME", 10), start_time="02:00", end_time="03:00"), element(component("TIME", 1))
    )

    def test_the_hour_that_comes_twice_counts_twice(self) -> None:
        night = Period(at("2026-10-25T01:00"), at("2026-10-25T04:00"), Decimal(4))
        assert cost(self.HOUR, night).excl_tax == Decimal("22.00")  # 1 + 2 x 10 + 1

    def test_the_hour_that_never_comes_costs_nothing(self) -> None:
        night = Period(at("2026-03-29T01:00"), at("2026-03-29T04:00"), Decimal(2))
        assert cost(self.HOUR, night).excl_tax == Decimal("2.00")

    def test_half_past_two_twice(self) -> None:
        late = tariff(
            element(component("TIME", 10), start_time="02:30", end_time="03:00"),
            element(component("TIME", 1)),
        )
        night = Period(at("2026-10-25T02:00"), at("2026-10-25T03:00"), Decimal(2))
        assert cost(late, night).excl_tax == Decimal("11.00")  # 0.5 x 1 + 0.5 x 10, twice


class TestTaxes:
    HOUR = period("10:00", "11:00", 10)

    @pytest.mark.parametrize(
        ("included", "excl", "incl"),
        [("NO", "5.00", "6.05"), ("YES", "4.13", "5.00"), ("N/A", "5.00", "5.00")],
    )
    def test_included_or_not(self, included: str, excl: str, incl: str) -> None:
        found = cost(tariff(element(component("ENERGY", 0.5, vat=21)), tax_included=included), self.HOUR)
        assert (found.excl_tax, found.incl_tax) == (Decimal(excl), Decimal(incl))

    def test_a_tariff_of_2_2_1_is_without_vat(self) -> None:
        raw = tariff(element(component("ENERGY", 0.5, vat=21)))
        del raw["tax_included"]
        assert cost(raw, self.HOUR).incl_tax == Decimal("6.05")

    def test_each_rate_apart(self) -> None:
        found = cost(
            tariff(element(component("ENERGY", 0.5, vat=21), component("FLAT", 2, vat=9))), self.HOUR
        )
        assert [(tax.percentage, tax.amount) for tax in found.taxes] == [
            (Decimal(9), Decimal("0.18")),
            (Decimal(21), Decimal("1.05")),
        ]
        assert found.incl_tax == Decimal("8.23")

    def test_a_price_without_vat_has_none(self) -> None:
        found = cost(tariff(element(ENERGY), tax_included="YES"), self.HOUR)
        assert (found.excl_tax, found.incl_tax, found.taxes) == (Decimal("5.00"), Decimal("5.00"), ())

    @pytest.mark.parametrize(
        ("limits", "excl", "incl", "by"),
        [
            ({"max_price": {"before_taxes": 4}}, "4.00", "4.84", "max_price"),
            ({"max_price": {"before_taxes": 4, "after_taxes": 4.5}}, "4.00", "4.50", "max_price"),
            ({"max_price": {"after_taxes": 4.84}}, "4.00", "4.84", "max_price"),
            ({"max_price": {"excl_vat": 4, "incl_vat": 4.84}}, "4.00", "4.84", "max_price"),
            ({"min_price": {"before_taxes": 10}}, "10.00", "12.10", "min_price"),
            ({"min_price": {"excl_vat": 10}}, "10.00", "12.10", "min_price"),
            ({"min_price": {"before_taxes": 1}}, "5.00", "6.05", ""),
        ],
    )
    def test_limits_in_the_shapes_of_both_versions(self, limits: Raw, excl: str, incl: str, by: str) -> None:
        found = cost(tariff(element(component("ENERGY", 0.5, vat=21)), **limits), self.HOUR)
        assert (found.excl_tax, found.incl_tax, found.limited_by) == (Decimal(excl), Decimal(incl), by)

    def test_the_least_of_a_session_in_which_nothing_was_used(self) -> None:
        raw = tariff(element(component("ENERGY", 0.5, vat=21)), min_price={"before_taxes": 1})
        assert (cost(raw).excl_tax, cost(raw).incl_tax) == (Decimal("1.00"), Decimal("1.21"))


def test_a_line_tells_what_was_used_and_what_is_billed() -> None:
    found = cost(
        tariff(
            element(component("ENERGY", 0.5, vat=21, step_size=1000), component("PARKING_TIME", 3, vat=21))
        ),
        period("10:00", "11:00", 2.4),
        period("11:00", "11:20"),
    )
    told = [(line.dimension.value, line.quantity, line.billed, line.excl_tax) for line in found.lines]
    assert told[0] == ("ENERGY", Decimal("2.4"), Decimal(3), Decimal("1.5000"))
    assert (told[1][0], round(told[1][1], 4), told[1][3]) == (
        "PARKING_TIME",
        Decimal("0.3333"),
        Decimal("1.0000"),
    )


BAD: list[tuple[Raw, str]] = [
    ({}, "elements"),
    ({"elements": []}, "elements"),
    ({"elements": {}}, "elements"),
    (tariff("x"), "elements[0]"),  # type: ignore[arg-type]
    (tariff({}), "elements[0].price_components"),
    (tariff(element()), "elements[0].price_components"),
    (tariff(element(ENERGY), element(3)), "elements[1].price_components[0]"),  # type: ignore[arg-type]
    (tariff(element(component("POWER", 1))), "elements[0].price_components[0].type"),
    (tariff(element(component("ENERGY", "1"))), "elements[0].price_components[0].price"),  # type: ignore[arg-type]
    (tariff(element(component("ENERGY", True))), "elements[0].price_components[0].price"),
    (tariff(element(component("ENERGY", float("nan")))), "elements[0].price_components[0].price"),
    (tariff(element(component("ENERGY", 1e300))), "elements[0].price_components[0].price"),
    (tariff(element({"type": "ENERGY"})), "elements[0].price_components[0].price"),
    (tariff(element(component("ENERGY", 1, step_size=0.5))), "elements[0].price_components[0].step_size"),
    (tariff(element(component("ENERGY", 1, step_size=-1))), "elements[0].price_components[0].step_size"),
    (tariff(element(component("ENERGY", 1, vat=-1))), "elements[0].price_components[0].vat"),
    (tariff(element(component("ENERGY", 1, vat=101))), "elements[0].price_components[0].vat"),
    (tariff(element(ENERGY, ENERGY)), "elements[0].price_components"),
    (tariff(element(ENERGY, start_time="24:00")), "elements[0].restrictions.start_time"),
    (tariff(element(ENERGY, end_time="9:00")), "elements[0].restrictions.end_time"),
    (tariff(element(ENERGY, start_date="2026-02-30")), "elements[0].restrictions.start_date"),
    (
        tariff(element(ENERGY, start_date="2026-02-02", end_date="2026-02-02")),
        "elements[0].restrictions.end_date",
    ),
    (tariff(element(ENERGY, min_kwh=-1)), "elements[0].restrictions.min_kwh"),
    (tariff(element(ENERGY, min_kwh=5, max_kwh=5)), "elements[0].restrictions.max_kwh"),
    (tariff(element(ENERGY, max_current="16")), "elements[0].restrictions.max_current"),
    (tariff(element(ENERGY, min_power=20, max_power=10)), "elements[0].restrictions.max_power"),
    (tariff(element(ENERGY, min_duration=1.5)), "elements[0].restrictions.min_duration"),
    (tariff(element(ENERGY, day_of_week=["monday"])), "elements[0].restrictions.day_of_week"),
    (tariff(element(ENERGY, day_of_week="MONDAY")), "elements[0].restrictions.day_of_week"),
    (tariff(element(ENERGY, reservation="YES")), "elements[0].restrictions.reservation"),
    (tariff(element(ENERGY, reservation="RESERVATION")), "elements[0].price_components"),
    (tariff(element(ENERGY), tax_included="MAYBE"), "tax_included"),
    (tariff(element(ENERGY), currency="euro"), "currency"),
    (tariff(element(ENERGY), min_price={}), "min_price"),
    (tariff(element(ENERGY), min_price=3), "min_price"),
    (tariff(element(ENERGY), max_price={"before_taxes": 4, "after_taxes": 3}), "max_price.after_taxes"),
    (
        tariff(element(ENERGY), min_price={"before_taxes": 4}, max_price={"before_taxes": 3}),
        "max_price.before_taxes",
    ),
]


@pytest.mark.parametrize(("raw", "field"), BAD, ids=[field for _, field in BAD])
def test_a_bad_tariff_is_refused_with_its_field(raw: Raw, field: str) -> None:
    with pytest.raises(BadTariff) as refused:
        parse(raw)
    assert refused.value.field == field


def test_what_is_not_known_is_left_alone_and_refused_to_who_writes() -> None:
    raw = tariff({**element(ENERGY, min_power=1), "later": 1})
    assert parse(raw).elements[0].restrictions.min_power_kw == 1
    for wrong, field in (
        (raw, "elements[0].later"),
        (tariff(element(ENERGY, max_kw=1)), "elements[0].restrictions.max_kw"),
        (tariff(element({**ENERGY, "VAT": 21})), "elements[0].price_components[0].VAT"),
    ):
        with pytest.raises(BadTariff) as refused:
            parse(wrong, strict=True)
        assert refused.value.field == field
