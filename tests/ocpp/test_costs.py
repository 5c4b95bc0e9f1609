"""What a session costs, from what its station said: while it runs, when it ends, and when something comes late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from stations import costs
from stations.costs import Unknown, cost_of, costs_of
from stations.models import ChargingSession, Station
from tests.factories import make_operator, make_reading, make_session, make_station, make_tariff
from tests.ocpp.conversation import minutes, say, wire

pytestmark = pytest.mark.django_db
State = ChargingSession.State


def part(kind: str, price: float, **more: Any) -> dict[str, Any]:
    return {"type": kind, "price": price, "step_size": 1, **more}


def priced(*parts: dict[str, Any], **fields: Any) -> Any:
    return make_tariff(elements=[{"price_components": list(parts)}], **fields)


def ended(
    station: Station | None = None, *, start: float = -120, end: float = 0, **fields: Any
) -> ChargingSession:
    """Two hours before noon, from 1,000 Wh to 11,000 Wh."""
    said = {
        "state": State.ENDED,
        "started_at": minutes(start),
        "ended_at": minutes(end),
        "start_import_wh": 1_000.0,
        "end_import_wh": 11_000.0,
    }
    session = make_session(station or make_station(), **{**said, **fields})
    found: ChargingSession = ChargingSession.objects.select_related("station__site").get(pk=session.pk)
    return found


def measured(session: ChargingSession, *registers: tuple[float, float], **fields: Any) -> None:
    for at, wh in registers:
        make_reading(session.station, sampled_at=minutes(at), import_wh=wh, **fields)


def now(at: float = 0) -> Any:
    return minutes(at)


class TestPeriods:
    def test_charged_and_parked_are_told_apart_by_the_register(self) -> None:
        priced(part("ENERGY", 0.5), part("TIME", 2), part("PARKING_TIME", 4))
        session = ended()
        measured(session, (-90, 6_000), (-60, 11_000), (-30, 11_000))
        cost = cost_of(session, now=now())
        assert {line.dimension: (line.quantity, line.excl_tax) for line in cost.lines} == {
            "ENERGY": (Decimal(10), Decimal("5.0000")),
            "TIME": (Decimal(1), Decimal("2.0000")),
            "PARKING_TIME": (Decimal(1), Decimal("4.0000")),
        }
        assert cost.incl_tax == Decimal("11.00")

    def test_fast_is_dear_by_the_mean_power_between_registers(self) -> None:
        fast = {"price_components": [part("ENERGY", 1)], "restrictions": {"min_power": 11}}
        make_tariff(elements=[fast, {"price_components": [part("ENERGY", 0.5)]}])
        session = ended()
        measured(session, (-60, 9_000))  # 8 kW, then 2 kW
        assert cost_of(session, now=now()).incl_tax == Decimal("5.00")
        measured(session, (-90, 7_500))  # 13 kW, 3 kW, 2 kW
        assert cost_of(session, now=now()).incl_tax == Decimal("8.25")

    def test_by_the_local_time_of_the_place(self) -> None:
        """Noon in UTC is 14:00 there: the second of the two hours is the dear one."""
        dear = {"price_components": [part("ENERGY", 1)], "restrictions": {"start_time": "13:00"}}
        make_tariff(elements=[dear, {"price_components": [part("ENERGY", 0.5)]}])
        assert cost_of(ended(), now=now()).incl_tax == Decimal("7.50")

    def test_energy_given_back_has_no_price_unless_the_tariff_says_so(self) -> None:
        tariff = priced(part("ENERGY", 0.5))
        session = ended(start_export_wh=0.0, end_export_wh=4_000.0)
        assert cost_of(session, now=now()).incl_tax == Decimal("5.00")
        type(tariff).objects.update(credits_export=True)
        assert cost_of(session, now=now()).incl_tax == Decimal("3.00")


class TestWhichTariff:
    def test_the_one_that_held_at_the_start(self) -> None:
        priced(part("ENERGY", 1), valid_from=minutes(-500), valid_until=minutes(-200))
        priced(part("ENERGY", 2), valid_from=minutes(-200))
        priced(part("ENERGY", 3), valid_from=minutes(-60))
        assert cost_of(ended(), now=now()).incl_tax == Decimal("20.00")

    def test_that_of_its_station_goes_before(self) -> None:
        own = priced(part("ENERGY", 1), valid_from=minutes(-900))
        priced(part("ENERGY", 2), valid_from=minutes(-300))
        assert cost_of(ended(make_station(tariff=own)), now=now()).incl_tax == Decimal("10.00")

    def test_never_anothers(self) -> None:
        priced(part("ENERGY", 1), operator=make_operator("beta"))
        assert cost_of(ended(), now=now()).unknown == Unknown.NO_TARIFF


class TestUnknown:
    @pytest.mark.parametrize(
        ("fields", "why"),
        [
            ({"end_import_wh": None}, Unknown.NO_ENERGY),
            ({"end_import_wh": None, "import_fall": "reset"}, Unknown.NO_ENERGY),
            ({"start_import_wh": None}, Unknown.NO_ENERGY),
            ({"started_at": None}, Unknown.NO_START),
            ({"state": State.UNCLOSED, "ended_at": None, "end_import_wh": None}, Unknown.NO_END),
        ],
    )
    def test_is_named_and_never_an_amount(self, fields: dict[str, Any], why: str) -> None:
        priced(part("ENERGY", 1))
        cost = cost_of(ended(**fields), now=now())
        assert (cost.incl_tax, cost.unknown) == (None, why)
        assert cost.why_unknown.endswith(".")

    def test_a_fee_alone_needs_no_energy(self) -> None:
        priced(part("FLAT", 3))
        assert cost_of(ended(end_import_wh=None), now=now()).incl_tax == Decimal("3.00")

    def test_a_running_session_that_measured_nothing_yet(self) -> None:
        priced(part("ENERGY", 1))
        session = make_session()
        assert cost_of(session, now=now(5)).unknown == Unknown.NO_ENERGY


class TestRunning:
    def test_so_far(self) -> None:
        priced(part("ENERGY", 0.5), part("FLAT", 1))
        session = make_session(started_at=minutes(-60))
        measured(session, (-30, 3_000), (-10, 5_000))
        cost = cost_of(session, now=now())
        assert (cost.incl_tax, cost.is_final) == (Decimal("3.00"), False)


class TestKept:
    def test_when_it_ends_with_its_tariff_and_a_later_change_changes_nothing(self) -> None:
        tariff = priced(part("ENERGY", 0.5, vat=21), tax_included="NO")
        station = make_station()
        begin = {"connectorId": 1, "idTag": "A", "meterStart": 1000, "timestamp": wire(minutes(-60))}
        number = say(station, "StartTransaction", begin)["transactionId"]
        end = {"transactionId": number, "meterStop": 11000, "timestamp": wire(minutes(0))}
        say(station, "StopTransaction", end)
        session = ChargingSession.objects.select_related("station__site").get()
        costs.write_down(session, now=now())
        session.refresh_from_db()
        told = (session.cost_excl_tax, session.cost_incl_tax, session.cost_currency)
        assert told == (Decimal("5.00"), Decimal("6.05"), "EUR")
        type(tariff).objects.update(elements=[{"price_components": [part("ENERGY", 9)]}])
        again = ChargingSession.objects.select_related("station__site").get()
        assert cost_of(again, now=now()).incl_tax == Decimal("6.05")
        costs.write_down(again, now=now())
        assert ChargingSession.objects.get().cost_incl_tax == Decimal("6.05")
        assert cost_of(again, now=now()).price_per_kwh == Decimal("0.5")

    def test_a_late_reading_counts_until_it_is_settled(self) -> None:
        priced(part("PARKING_TIME", 6))
        session = ended()
        costs.settle(now=now(10))
        assert ChargingSession.objects.get().cost_incl_tax == Decimal("0.00")
        measured(session, (-60, 11_000), received_at=minutes(15))
        assert costs.settle(now=now(20)) == 0
        assert ChargingSession.objects.get().cost_incl_tax == Decimal("6.00")
        assert costs.settle(now=now(3 * 24 * 60)) == 1
        measured(session, (-90, 11_000), received_at=minutes(3 * 24 * 60))
        assert costs.settle(now=now(3 * 24 * 60)) == 0
        assert ChargingSession.objects.get().cost_incl_tax == Decimal("6.00")

    def test_what_is_not_known_is_kept_as_that(self) -> None:
        priced(part("ENERGY", 1))
        costs.write_down(ended(end_import_wh=None), now=now())
        session = ChargingSession.objects.get()
        assert (session.cost_incl_tax, session.cost_unknown) == (None, "no_energy")


def test_a_page_of_sessions_costs_two_questions_however_many_there_are() -> None:
    priced(part("ENERGY", 0.5), part("PARKING_TIME", 1))
    station = make_station()
    many = [ended(station, start=-120 - n * 200, end=-n * 200) for n in range(20)]
    with CaptureQueriesContext(
        connection,
    ) as asked:
        found = costs_of(many, now=now())
    assert len(asked) == 2
    assert {cost.incl_tax for cost in found.values()} == {Decimal("5.00")}
