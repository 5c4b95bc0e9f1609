"""The commands of a station on their page: what people see, what they can give, and what they cannot."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stations import commands
from stations.credentials import digest_token
from stations.models import Command, FirmwareImage, Reservation, Station, Token
from stations.models.access import Role
from stations.ocpp.masking import MASK
from stations.sealing import seal
from tests.factories import (
    make_capabilities,
    make_command,
    make_official,
    make_session,
    make_staff,
    make_station,
)
from tests.ocpp.conversation import answer
from tests.pages.visiting import MOST_QUERIES, make_online, queries_of, sees

pytestmark = pytest.mark.django_db
PAGE = "/stations/S-1/opdrachten/"
NUMBER = "04A1B2C3D4E5"


def card(station: Station, label: str = "Card of Ann", **fields: Any) -> Token:
    said = {"digest": digest_token(NUMBER), "sealed_number": seal(NUMBER), "label": label, **fields}
    return Token.objects.create(operator=station.site.operator, **said)


def give(kind: str, user: Any = None, /, **data: Any) -> Any:
    """Send the form of a command, as `user` (somebody of operations)."""
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user or make_staff())
    return client.post(f"{PAGE}nieuw/{kind}/", data)


def payload_of(action: str) -> dict[str, Any]:
    """What the station is going to get."""
    row = Command.objects.get(action=action)
    (claimed,) = commands.claim([row.station_id], now=timezone.now())
    assert claimed.action == action
    return dict(claimed.payload)


# ---------------------------------------------------------------- the list
def test_each_command_says_what_was_asked_by_whom_and_what_came_of_it() -> None:
    station, person = make_station("S-1"), make_staff(email="ann@example.test")
    make_command(
        station,
        "Reset",
        payload={"type": "Hard"},
        origin="person",
        requested_by=person,
        state="refused",
        response={"status": "Rejected"},
    )
    make_command(station, "GetLocalListVersion", origin="api", state="accepted", response={"listVersion": 7})
    make_command(station, "GetConfiguration", origin="capabilities", state="unknown")
    page = sees(make_staff(role=Role.READER), PAGE)
    for words in (
        "type: Hard",
        "ann@example.test",
        "Rejected",
        "version 7",
        "API",
        "what the station can do",
    ):
        assert words in page
    assert "it may or may not have happened" in page


def test_filters_narrow_the_list_and_a_day_that_is_none_is_said() -> None:
    station = make_station("S-1")
    now = timezone.now()
    make_command(station, "Reset", origin="person", payload={"type": "mine"}, requested_at=now)
    old = now - dt.timedelta(days=9)
    make_command(station, "ClearCache", origin="reconcile", payload={"x": "theirs"}, requested_at=old)
    user = make_staff(role=Role.READER)
    today = f"{timezone.localtime(now):%d-%m-%Y}"
    assert "theirs" not in sees(user, PAGE, action="Reset")
    assert "mine" not in sees(user, PAGE, who="portal")
    assert "theirs" not in sees(user, PAGE, since=today)
    assert "mine" not in sees(user, PAGE, until=f"{timezone.localtime(old):%d-%m-%Y}")
    assert "No command fits these filters" in sees(user, PAGE, state="expired")
    assert "Write the day as" in sees(user, PAGE, since="yesterday")


def test_who_reads_sees_the_list_and_cannot_give_commands() -> None:
    station = make_station("S-1")
    waiting = make_command(station, "Reset", payload={"type": "Soft"})
    for role in (Role.READER, Role.PLANNER):
        reader = make_staff(role=role)
        page = sees(reader, PAGE)
        assert "Give a command" not in page
        assert "Take back" not in page
        assert give("reset", reader, how="soft", confirmed="1").status_code == 404
        client = Client()
        client.force_login(reader)
        assert client.post(f"{PAGE}{waiting.pk}/intrekken/").status_code == 404
    assert Command.objects.get().state == "queued"
    sees(make_official(), PAGE, status=404)


def test_a_waiting_command_is_taken_back_and_one_that_left_is_not() -> None:
    station = make_station("S-1")
    waiting = make_command(station, "ClearCache")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(make_staff())
    assert (
        "ClearCache is taken back"
        in client.post(f"{PAGE}{waiting.pk}/intrekken/", follow=True).content.decode()
    )
    assert "Too late" in client.post(f"{PAGE}{waiting.pk}/intrekken/", follow=True).content.decode()
    waiting.refresh_from_db()
    assert waiting.state == "cancelled"


def test_a_question_is_asked_again_and_a_deed_is_not() -> None:
    station = make_station("S-1")
    question = make_command(station, "GetLocalListVersion", state="unknown")
    deed = make_command(station, "Reset", payload={"type": "Hard"}, state="unknown")
    client = Client(headers={"Accept-Language": "en"})
    user = make_staff()
    client.force_login(user)
    page = sees(user, PAGE)
    assert f"again-{question.pk}" in page
    assert f"again-{deed.pk}" not in page
    client.post(f"{PAGE}{question.pk}/opnieuw/")
    client.post(f"{PAGE}{deed.pk}/opnieuw/")
    asked = Command.objects.get(state="queued")
    assert (asked.action, asked.origin, asked.requested_by) == ("GetLocalListVersion", "person", user)


def test_the_page_takes_as_many_queries_for_many_commands_as_for_few() -> None:
    station = make_station("S-1")
    make_online(station)
    make_capabilities(station)
    user = make_staff()
    make_command(station, "Reset", requested_by=user)
    few = queries_of(user, PAGE)
    for _ in range(30):
        make_command(station, "Reset", requested_by=user)
    assert queries_of(user, PAGE) <= min(few + 1, MOST_QUERIES)


# ---------------------------------------------------------------- what can be given
def test_what_a_station_cannot_do_is_shown_with_the_reason() -> None:
    station = make_station("S-1")
    make_capabilities(station, feature_profiles=["Core", "SmartCharging"])
    page = sees(make_staff(), PAGE)
    assert "does not have this (Reservation)" in page
    assert "Nothing is charging here now." in page
    assert "There is no card" in page
    assert f"{PAGE}nieuw/reserve/" not in page
    assert f"{PAGE}nieuw/reset/" in page
    form = sees(make_staff(), f"{PAGE}nieuw/reserve/")
    assert "Not possible now" in form
    assert give("reserve").status_code == 422


def test_a_2x_station_that_says_no_to_reservations_is_believed() -> None:
    station = make_station("S-1", version="2.0.1")
    station.configuration.create(
        component="ReservationCtrlr", name="Available", value="false", read_at=timezone.now()
    )
    card(station)
    page = sees(make_staff(), PAGE)
    assert "does not have this (Reservation)" in page
    assert "Fetch diagnostics" not in page  # 1.6 alone has it
    sees(make_staff(), f"{PAGE}nieuw/diagnostics/", status=404)


def test_a_restart_is_confirmed_first_and_keeps_who_asked() -> None:
    make_station("S-1")
    user = make_staff()
    first = give("reset", user, how="hard")
    assert "Are you sure?" in first.content.decode()
    assert "What is charging now stops" in first.content.decode()
    assert not Command.objects.exists()
    back = give("reset", user, how="hard", confirmed="1", back="1").content.decode()
    assert 'value="hard"' in back
    assert "checked" in back.split('value="hard"')[1].split(">")[0]
    assert give("reset", user, how="hard", confirmed="1").status_code == 302
    row = Command.objects.get()
    assert (row.action, row.payload, row.requested_by) == ("Reset", {"type": "Hard"}, user)


@pytest.mark.parametrize(
    ("version", "kind", "data", "action", "payload"),
    [
        ("1.6", "unlock", {"evse": "2"}, "UnlockConnector", {"connectorId": 2}),
        ("2.1", "unlock", {"evse": "2"}, "UnlockConnector", {"evseId": 2, "connectorId": 1}),
        (
            "1.6",
            "availability",
            {"place": "0", "to": "out"},
            "ChangeAvailability",
            {"connectorId": 0, "type": "Inoperative"},
        ),
        (
            "2.0.1",
            "availability",
            {"place": "1", "to": "in"},
            "ChangeAvailability",
            {"operationalStatus": "Operative", "evse": {"id": 1}},
        ),
        (
            "1.6",
            "trigger",
            {"message": "LogStatusNotification", "place": "0"},
            "ExtendedTriggerMessage",
            {"requestedMessage": "LogStatusNotification"},
        ),
        (
            "2.0.1",
            "trigger",
            {"message": "StatusNotification", "place": "2"},
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}},
        ),
        ("1.6", "clear-cache", {}, "ClearCache", {}),
        ("2.1", "list-version", {}, "GetLocalListVersion", {}),
        ("2.0.1", "certificates", {}, "GetInstalledCertificateIds", {}),
        (
            "1.6",
            "data-transfer",
            {"vendor_id": "acme", "message_id": "light", "content": "on"},
            "DataTransfer",
            {"vendorId": "acme", "messageId": "light", "data": "on"},
        ),
    ],
)
def test_a_form_gives_its_command_in_the_words_of_the_version(
    version: str, kind: str, data: dict[str, str], action: str, payload: dict[str, Any]
) -> None:
    make_station("S-1", version=version)
    assert give(kind, confirmed="1", **data).status_code == 302
    assert payload_of(action) == payload


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_charging_starts_by_a_known_card_whose_number_is_nowhere(version: str) -> None:
    station = make_station("S-1", version=version)
    token = card(station)
    form = sees(make_staff(), f"{PAGE}nieuw/start/")
    assert "Card of Ann" in form
    assert NUMBER not in form
    confirm = give("start", token=token.pk, evse="1").content.decode()
    assert "Charging starts for Card of Ann" in confirm
    assert give("start", token=token.pk, evse="1", confirmed="1").status_code == 302
    row = Command.objects.get()
    assert NUMBER not in str(row.payload)
    assert MASK in str(row.payload)
    assert NUMBER not in sees(make_staff(), PAGE)
    payload = payload_of(row.action)
    sent = payload["idTag"] if version == "1.6" else payload["idToken"]
    assert sent == (NUMBER if version == "1.6" else {"idToken": NUMBER, "type": "ISO14443"})


def test_a_card_of_another_operator_or_that_is_blocked_cannot_be_chosen() -> None:
    station = make_station("S-1")
    card(station)
    blocked = card(station, "Blocked", digest="x", blocked=True)
    other = make_station("S-2", operator=make_station("S-3").site.operator)
    assert other.pk
    assert give("start", token=blocked.pk, evse="1", confirmed="1").status_code == 422
    assert not Command.objects.exists()


def test_a_running_session_is_stopped() -> None:
    station = make_station("S-1")
    session = make_session(station, transaction_id="12", evse_number=2)
    assert "socket B, since" in sees(make_staff(), f"{PAGE}nieuw/stop/")
    assert give("stop", session=session.pk, confirmed="1").status_code == 302
    assert payload_of("RemoteStopTransaction") == {"transactionId": 12}


def test_a_reservation_is_asked_shown_and_let_go() -> None:
    station = make_station("S-1", version="2.0.1")
    token = card(station)
    assert give("reserve", token=token.pk, evse="1", minutes="30").status_code == 302
    reservation = Reservation.objects.get()
    payload = payload_of("ReserveNow")
    assert payload["idToken"] == {"idToken": NUMBER, "type": "ISO14443"}
    assert (payload["id"], payload["evseId"]) == (reservation.reservation_id, 1)
    answer(Command.objects.get(), {"status": "Accepted"}, now=timezone.now())
    page = sees(make_staff(), PAGE)
    assert "Card of Ann" in page
    assert "reserved" in page
    client = Client()
    client.force_login(make_staff())
    assert client.post(f"{PAGE}reserveringen/{reservation.pk}/opheffen/").status_code == 302
    assert payload_of("CancelReservation") == {"reservationId": reservation.reservation_id}


def test_a_log_comes_by_a_link_that_is_in_no_row(settings: Any) -> None:
    settings.PUBLIC_URL = "https://portal.example"
    make_station("S-1", version="2.0.1")
    assert give("log", kind="DiagnosticsLog").status_code == 302
    row = Command.objects.get()
    link = payload_of("GetLog")["log"]["remoteLocation"]
    assert link.startswith("https://portal.example/")
    assert link not in str(row.payload)


def test_firmware_is_fetched_from_the_portal() -> None:
    station = make_station("S-1", version="2.0.1")
    image = FirmwareImage.objects.create(
        operator=station.site.operator,
        version="9.1",
        name="f.bin",
        file="firmware/x",
        size=1,
        sha256="0" * 64,
        uploaded_at=timezone.now(),
    )
    confirm = give("firmware", image=image.pk, when="now").content.decode()
    assert "restarts with firmware 9.1" in confirm
    assert give("firmware", image=image.pk, when="now", confirmed="1").status_code == 302
    assert "f.bin" in payload_of("UpdateFirmware")["firmware"]["location"]
    half = give("firmware", image=image.pk, when="now", signature="abc").content.decode()
    assert "A signature and its certificate go together." in half


# ---------------------------------------------------------------- by hand
def test_any_command_is_given_as_json() -> None:
    make_station("S-1", version="2.1")
    text = '{"getVariableData": [{"component": {"name": "A"}, "variable": {"name": "B"}}]}'
    assert give("raw", action="GetVariables", payload=text, check_rules="on").status_code == 302
    assert Command.objects.get().action == "GetVariables"


@pytest.mark.parametrize(
    ("action", "text", "words"),
    [
        ("Reset", '{"type": "Perhaps"}', "“type”: must be one of"),
        ("Reset", "{}", "type is missing."),
        ("UnlockConnector", '{"connectorId": "one"}', "“connectorId”: must be of the type integer"),
        ("ClearCache", '{"now": 1}', "now is not known here."),
        ("ClearCache", '{"now": ', "This is no JSON: line 1, column"),
        ("ClearCache", "[1]", "A payload is an object"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_that_was_typed_is_lost(
    action: str, text: str, words: str
) -> None:
    make_station("S-1")
    response = give("raw", action=action, payload=text, confirmed="1")
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert text.replace('"', "&quot;") in page
    assert f'<option value="{action}" selected>' in page
    assert not Command.objects.exists()


def test_a_deed_by_hand_is_confirmed_too() -> None:
    make_station("S-1")
    text = '{"type": "Hard"}'
    assert "Are you sure?" in give("raw", action="Reset", payload=text).content.decode()
    assert not Command.objects.exists()
    assert give("raw", action="Reset", payload=text, confirmed="1").status_code == 302


def test_what_a_station_asks_is_not_on_the_list_and_refused() -> None:
    make_station("S-1")
    assert "BootNotification" not in sees(make_staff(), f"{PAGE}nieuw/raw/")
    assert give("raw", action="BootNotification", payload="{}").status_code == 422


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("log", "bestanden"),
        ("certificates", "beveiliging/certificaten"),
        ("local-list", "toegang"),
    ],
)
def test_a_form_leads_to_the_page_where_there_is_more_of_it(kind: str, place: str) -> None:
    make_station("S-1", version="2.0.1")
    assert f'href="/stations/S-1/{place}/"' in sees(make_staff(), f"{PAGE}nieuw/{kind}/")


def test_a_card_that_has_expired_cannot_be_chosen() -> None:
    station = make_station("S-1")
    old = card(station, expires_at=timezone.now() - dt.timedelta(days=1))
    assert give("start", token=old.pk, evse="1", confirmed="1").status_code == 422
