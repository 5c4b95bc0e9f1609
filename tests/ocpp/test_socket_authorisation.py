"""Tokens over a real socket: every verdict a station can get, in all three versions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from stations import local_lists
from stations.models import ChargingSession, Command, ConfigurationValue, LocalList, Station, TokenGroup
from tests.factories import make_operator, make_session, make_station, make_token
from tests.fakes.portal import Portal
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")


def moment(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def started(line: FakeStation, version: str, token: str, evse: int, at: dt.datetime) -> dict[str, Any]:
    if version == "1.6":
        payload = {"connectorId": evse, "idTag": token, "meterStart": 5, "timestamp": moment(at)}
        return line.call("StartTransaction", payload)
    payload = {
        "eventType": "Started",
        "seqNo": 0,
        "timestamp": moment(at),
        "triggerReason": "Authorized",
        "transactionInfo": {"transactionId": f"tx-{token}-{evse}"},
        "evse": {"id": evse},
        "idToken": {"idToken": token, "type": "ISO14443"},
    }
    return line.call("TransactionEvent", payload)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_every_verdict_reaches_the_station_and_no_session_is_lost(portal: Portal, version: str) -> None:
    now = timezone.now().replace(microsecond=0)
    operator = make_operator(f"alpha-{version.replace('.', '')}")  # its tokens are of this test alone
    group = TokenGroup.objects.create(operator=operator, name="Taxi")
    make_token(f"good-{version}", operator=operator, group=group)
    make_token(f"blocked-{version}", operator=operator, blocked=True)
    make_token(f"old-{version}", operator=operator, expires_at=now - dt.timedelta(days=1))
    busy = make_token(f"busy-{version}", operator=operator)
    make_session(make_station(operator=operator), token=busy, started_at=now - dt.timedelta(hours=1))
    station = make_station(version=version, operator=operator, password=PASSWORD)
    name = "idTagInfo" if version == "1.6" else "idTokenInfo"
    heard = {}
    with FakeStation(portal.port, station.identity, version=version) as line:
        for evse, token in enumerate(("good", "blocked", "old", "busy", "nobody"), start=1):
            answer = started(line, version, f"{token}-{version}", evse, now)
            heard[token] = answer[name]["status"]
            if version == "1.6":
                assert answer["transactionId"] > 0, "a refused start has a number too"
            if token == "good":
                assert group.group_id in str(answer)
    assert heard == {
        "good": "Accepted",
        "blocked": "Blocked",
        "old": "Expired",
        "busy": "ConcurrentTx",
        "nobody": "Invalid",
    }
    assert ChargingSession.objects.filter(station=station).count() == len(heard)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_station_without_tokens_starts_by_a_button(portal: Portal, version: str) -> None:
    station = make_station(version=version, password=PASSWORD, free_vend=Station.FreeVend.NO_TOKEN)
    with FakeStation(portal.port, station.identity, version=version) as line:
        answer = line.call("Authorize", {"idToken": {"idToken": "", "type": "NoAuthorization"}})
    assert answer["idTokenInfo"]["status"] == "Accepted"


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_list_goes_out_part_by_part(portal: Portal, version: str) -> None:
    """Each part waits for the answer to the one before; the tokens are in the frames and in no row."""
    operator = make_operator(f"gamma-{version.replace('.', '')}")
    station = make_station(version=version, operator=operator, password=PASSWORD)
    name, component = (
        ("SendLocalListMaxLength", "") if version == "1.6" else ("ItemsPerMessage", "LocalAuthListCtrlr")
    )
    ConfigurationValue.objects.create(
        station=station, component=component, name=name, value="2", read_at=timezone.now()
    )
    for number in range(3):
        make_token(f"list-{version}-{number}", operator=operator)
    with FakeStation(portal.port, station.identity, version=version) as line:
        line.call("Heartbeat", {})
        local_lists.sync(station=station, now=timezone.now())
        sizes = []
        for _ in range(2):
            asked = line.question("SendLocalList")
            sizes.append(len(asked.payload["localAuthorizationList"]))
            line.answer(asked, {"status": "Accepted"})
        assert sizes == [2, 1]
        until(lambda: LocalList.objects.get(station=station).state == LocalList.State.CURRENT, within_s=60)
    rows = Command.objects.filter(station=station, action="SendLocalList")
    assert f"list-{version}" not in str(list(rows.values()))
