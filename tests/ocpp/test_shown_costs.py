"""A station of 2.x that shows costs hears what it costs: while it runs, and at the end."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from stations import shown_costs
from stations.models import ChargingSession, Command, ConfigurationValue, Presence, Station
from stations.tasks import tell_running_costs
from tests.factories import NOW, make_station, make_tariff
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until
from tests.ocpp.conversation import answer, minutes, say, wire

EURO_A_KWH = [{"price_components": [{"type": "ENERGY", "price": 0.5, "step_size": 1}]}]
VERSIONS = ["2.0.1", "2.1"]


def says(station: Station, name: str, value: str) -> None:
    ConfigurationValue.objects.create(
        station=station, component="TariffCostCtrlr", name=name, value=value, read_at=NOW
    )


def make_shower(version: str = "2.0.1", **fields: Any) -> Station:
    """A station that shows costs, by a tariff of half a euro a kWh."""
    make_tariff(elements=EURO_A_KWH)
    station = make_station(version=version, **fields)
    says(station, "Enabled[Cost]", "true")
    return station


def event(kind: str, seq_no: int, at: str, kwh: float, *, number: str = "T", evse: int = 1) -> dict[str, Any]:
    context = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind, "Sample.Periodic")
    value = {"value": kwh, "context": context, "unitOfMeasure": {"unit": "kWh"}}
    return {
        "eventType": kind,
        "seqNo": seq_no,
        "timestamp": at,
        "triggerReason": "MeterValuePeriodic",
        "transactionInfo": {"transactionId": number},
        "evse": {"id": evse},
        "meterValue": [{"timestamp": at, "sampledValue": [value]}],
    }


def connect(station: Station) -> None:
    Presence.objects.create(station=station, connection=uuid4(), connected_at=NOW, renewed_at=minutes(999))


def told(station: Station) -> list[float]:
    rows = Command.objects.filter(station=station, action="CostUpdated").order_by("pk")
    return [payload["totalCost"] for payload in rows.values_list("payload", flat=True)]


@pytest.mark.django_db
class TestRunning:
    @pytest.fixture
    def station(self) -> Station:
        station = make_shower()
        connect(station)
        self.measures(station, "Started", 0, 0, 1)
        return station

    def measures(self, station: Station, kind: str, seq_no: int, at: float, kwh: float) -> None:
        say(station, "TransactionEvent", event(kind, seq_no, wire(minutes(at)), kwh), now=minutes(at))

    def test_is_told_where_it_changed_and_not_more_often_than_set(
        self, station: Station, settings: Any
    ) -> None:
        settings.OCPP_RUNNING_COST_S = 120
        assert shown_costs.tell_running(now=minutes(0.5)) == 0, "nothing was measured since the start"
        for at, kwh in [(1, 3), (2, 5), (3, 7), (4, 7), (5, 7), (6, 9)]:
            self.measures(station, "Updated", at, at, kwh)
            shown_costs.tell_running(now=minutes(at + 0.1))
        assert told(station) == [1.0, 3.0, 4.0], "at 1, 3 and 6: the rest was too soon, or the same"
        payload = Command.objects.filter(action="CostUpdated").latest("pk").payload
        assert payload["transactionId"] == "T"

    def test_is_not_told_after_its_end(self, station: Station) -> None:
        self.measures(station, "Updated", 1, 1, 3)
        self.measures(station, "Ended", 2, 2, 5)
        assert shown_costs.tell_running(now=minutes(3)) == 0

    def test_who_knows_no_such_message_is_told_once(self, station: Station) -> None:
        self.measures(station, "Updated", 1, 1, 3)
        shown_costs.tell_running(now=minutes(1))
        answer(Command.objects.get(action="CostUpdated"), None, state="failed")
        self.measures(station, "Updated", 2, 10, 9)
        assert shown_costs.tell_running(now=minutes(10)) == 0

    @pytest.mark.parametrize(
        "change",
        [
            lambda station: ConfigurationValue.objects.update(value="false"),
            lambda station: says(station, "Currency", "SEK"),
            lambda station: Presence.objects.update(connection=None),
            lambda station: Station.objects.update(ocpp_version="1.6"),
        ],
    )
    def test_is_told_to_who_can_show_it_alone(self, station: Station, change: Any) -> None:
        self.measures(station, "Updated", 1, 1, 3)
        change(station)
        assert shown_costs.tell_running(now=minutes(2)) == 0

    def test_can_be_switched_off(self, station: Station, settings: Any) -> None:
        settings.OCPP_RUNNING_COST_S = 0
        self.measures(station, "Updated", 1, 1, 3)
        assert shown_costs.tell_running(now=minutes(2)) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "said"), [("EUR", {"totalCost": 5.0}), ("SEK", {})])
def test_the_total_comes_with_the_end_in_the_currency_of_the_station(
    currency: str, said: dict[str, Any]
) -> None:
    station = make_shower()
    says(station, "Currency", currency)
    assert say(station, "TransactionEvent", event("Started", 0, wire(minutes(-60)), 1)) == {}
    assert say(station, "TransactionEvent", event("Ended", 1, wire(minutes(0)), 11)) == said


@pytest.mark.xdist_group("portal")
@pytest.mark.parametrize("version", VERSIONS)
def test_over_the_socket_a_driver_sees_the_cost_rise_and_then_the_total(portal: Portal, version: str) -> None:
    station = make_shower(version, password=PASSWORD)
    now, number = timezone.now(), str(uuid4())
    begin, middle = (wire(now - (minutes(at) - NOW)) for at in (30, 15))
    with FakeStation(portal.port, station.identity, version=version) as line:
        assert line.call("TransactionEvent", event("Started", 0, begin, 1, number=number)) == {}
        assert line.call("TransactionEvent", event("Updated", 1, middle, 3, number=number)) == {}
        tell_running_costs()
        question = line.question("CostUpdated")
        assert question.payload == {"totalCost": 1.0, "transactionId": number}
        line.answer(question, {})
        until(
            lambda: Command.objects.filter(station=station, action="CostUpdated", state="accepted").exists()
        )
        ended = line.call("TransactionEvent", event("Ended", 2, wire(now), 11, number=number))
    assert ended == {"totalCost": 5.0}
    assert ChargingSession.objects.get(station=station).cost_told == 1
