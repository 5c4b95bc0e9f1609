"""A station made with the `ocpp` package and `websockets` alone: boots, charges, gets a profile, is cut off in the
middle, returns, repeats itself, ends. Every row is there once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from smartcharging import services
from smartcharging.models import DesiredProfile, ReportedSchedule
from stations import commands
from stations.events import Kind
from stations.models import (
    Capabilities,
    ChargingSession,
    Command,
    Event,
    MeterReading,
    Presence,
    Station,
    TransactionEvent,
)
from tests.factories import make_station, make_token
from tests.fakes.ocpp_station import OcppStation, Station21, Station201
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")

TOKEN = "04AABBCCDD"
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def minute(number: int) -> datetime:
    return BEGIN + timedelta(minutes=number)


def want_limit(station: Station) -> DesiredProfile:
    """10 A now, 6 A from an hour on, set by another process than the server (this one)."""
    now = timezone.now()
    return services.set_profile(
        station=station,
        evse_number=1,
        name="Net",
        purpose="tx_default",
        kind="absolute",
        unit="A",
        periods=[services.LimitPeriod(0, 10.0), services.LimitPeriod(7200, 6.0)],
        stack_level=1,
        start_schedule=now - timedelta(hours=1),
        duration_s=3 * 86_400,
        valid_to=now + timedelta(days=3),
        now=now,
    )


@pytest.mark.parametrize("repeats_with", ["the same id", "a new id"])
@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_charging_day_with_a_cut_line(portal: Portal, version: str, repeats_with: str) -> None:
    station = make_station(version=version, password=PASSWORD, evses=1)
    token = make_token(f"{TOKEN}{station.pk}", operator=station.site.operator)
    made = OcppStation(portal.port, station.identity, version=version, password=PASSWORD)

    def again(message_id: str) -> str:
        return message_id if repeats_with == "the same id" else f"{message_id}-again"

    # It boots, and is asked what it can do.
    made.connect()
    assert made.do(made.connected.boot("boot")).status == "Accepted"
    until(lambda: Capabilities.objects.filter(station=station, max_periods=24).exists())

    # It charges, and repeats its start at once: an impatient one.
    started = made.do(made.connected.start_charging(minute(0), 1000, f"{TOKEN}{station.pk}", "start"))
    accepted = started.id_tag_info if version == "1.6" else started.id_token_info
    assert accepted["status"] == "Accepted"
    repeated = made.do(made.connected.start_charging(minute(0), 1000, f"{TOKEN}{station.pk}", again("start")))
    if version == "1.6":
        assert repeated.transaction_id == started.transaction_id
    for number in (1, 2):
        made.send(made.connected.sample(minute(number), 1000 + 100 * number), f"sample-{number}")

    # It gets a profile, which is read back.
    desired = want_limit(station)
    until(lambda: DesiredProfile.objects.get(pk=desired.pk).state == "confirmed")
    assert list(made.memory.profiles) == [desired.profile_id]
    assert made.memory.asked.count("SetChargingProfile") == 1

    # In the middle of a message the line is cut: the portal has it, the station does not know that.
    lost = made.connected.sample(minute(3), 1300)
    made.send_and_hear_nothing(lost, "sample-3")
    until(lambda: MeterReading.objects.filter(station=station, import_wh=1300).exists())
    made.cut()
    until(lambda: Presence.objects.get(station=station).connection is None)

    # It returns without a boot, repeats what was not answered, goes on and ends, and repeats that too.
    made.connect()
    made.send(lost, again("sample-3"))
    made.send(made.connected.sample(minute(4), 1400), "sample-4")
    made.do(made.connected.stop_charging(minute(5), 1500, "stop"))
    made.do(made.connected.stop_charging(minute(5), 1500, again("stop")))

    # Every row once.
    session = ChargingSession.objects.get(station=station)
    assert (session.state, session.energy_wh) == ("ended", 500.0)
    assert (session.started_at, session.ended_at) == (minute(0), minute(5))
    assert session.token_id == token.pk
    readings = MeterReading.objects.filter(station=station).order_by("sampled_at")
    samples = [row for row in readings if row.context == "Sample.Periodic"]
    assert [(row.sampled_at, row.import_wh, row.import_l1_a) for row in samples] == [
        (minute(number), 1000.0 + 100 * number, 9.9) for number in (1, 2, 3, 4)
    ]
    if version != "1.6":
        assert len(readings) == 6  # and one each at begin and end
        kept = TransactionEvent.objects.filter(session=session).values_list("seq_no", "event_type")
        assert list(kept) == [(0, "Started"), *((number, "Updated") for number in (1, 2, 3, 4)), (5, "Ended")]
    else:
        assert len(readings) == 4
    kinds = list(Event.objects.filter(station=station).values_list("kind", flat=True))
    for kind in (Kind.BOOTED, Kind.SESSION_STARTED, Kind.SESSION_ENDED):
        assert kinds.count(kind) == 1
    assert Kind.ORPHAN_STOP not in kinds
    assert Kind.BAD_FRAME not in kinds

    # The limit still stands: read back again on the new line, not sent again.
    back = Presence.objects.get(station=station).connected_at
    assert back is not None
    until(
        lambda: DesiredProfile.objects.filter(pk=desired.pk, state="confirmed", settled_at__gt=back).exists()
    )
    assert made.memory.asked.count("SetChargingProfile") == 1
    assert ReportedSchedule.objects.filter(station=station, comparison__verdict="equal").count() >= 2
    until(lambda: not Command.objects.filter(station=station).exclude(state="accepted").exists())
    made.close()


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_it_tells_of_its_profiles_and_of_the_limits_of_others(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD, evses=1)
    made = OcppStation(portal.port, station.identity, version=version, password=PASSWORD)
    made.connect()
    assert made.do(made.connected.boot("boot")).status == "Accepted"
    until(lambda: Capabilities.objects.filter(station=station, max_periods=24).exists())
    if version == "2.1":
        said = Capabilities.objects.get(station=station)
        assert (said.dynamic_profiles, said.local_time, said.supported_purposes, said.operation_modes) == (
            True,
            False,
            ["LocalGeneration"],
            ["ChargingOnly", "CentralSetpoint"],
        )

    def asked(request_id: int) -> Command:
        payload = {"requestId": request_id, "chargingProfile": {}}
        command = commands.request(
            station=station, action="GetChargingProfiles", payload=payload, now=timezone.now()
        )
        until(lambda: Command.objects.get(pk=command.pk).state == "accepted")
        return Command.objects.get(pk=command.pk)

    assert asked(1).response == {"status": "NoProfiles"}
    desired = want_limit(station)
    until(lambda: DesiredProfile.objects.get(pk=desired.pk).state == "confirmed")
    assert asked(2).response == {"status": "Accepted"}
    reports = Event.objects.filter(station=station, kind=Kind.PROFILES_REPORTED, data__request_id=2)
    until(reports.exists)
    sent = Command.objects.get(station=station, action="SetChargingProfile").payload["chargingProfile"]
    (report,) = reports
    assert (report.data["evse"], report.data["source"], report.data["is_last"]) == (1, "CSO", True)
    assert report.data["profiles"] == [sent], "as it was sent, so it stands"

    assert isinstance(made.connected, Station201 | Station21)
    made.send(made.connected.limited_by_another(7.5), "limited")
    made.send(made.connected.freed_by_another(), "freed")
    (limited,) = Event.objects.filter(station=station, kind=Kind.EXTERNAL_LIMIT_SET)
    assert limited.data["schedules"][0]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 7.5}]
    (freed,) = Event.objects.filter(station=station, kind=Kind.EXTERNAL_LIMIT_CLEARED)
    assert freed.data == {"evse": 1, "source": "EMS"}
    made.close()
