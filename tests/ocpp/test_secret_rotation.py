"""A new password over OCPP: the old one opens until the station came back with the new one, whatever got lost."""

from __future__ import annotations

from typing import Any

import pytest

from stations import admitting, credentials, securing
from stations.admission import Caller, Refused
from stations.models import Command, SecretRotation, Station
from stations.ocpp import rpc
from stations.services import rotate_secret
from tests.factories import NOW, make_station
from tests.ocpp.conversation import answer, happened

pytestmark = pytest.mark.django_db

OLD = "the-old-password-of-tests"
HERE = Caller("192.0.2.1", is_secure=False)


def ask(version: str = "1.6") -> tuple[Station, SecretRotation, str]:
    """A station that is asked for a new password, and that password as it goes over the line."""
    station = make_station(version=version, password=OLD)
    rotation = securing.rotate_over_ocpp(station=station, now=NOW)
    return station, rotation, sent(rotation)


def sent(rotation: SecretRotation) -> str:
    """Claimed as the gateway does it."""
    from stations import commands

    (command,) = commands.claim([rotation.station_id], now=NOW)
    frame: Any = rpc.parse(rpc.call_text(command.message_id, command.action, command.payload))
    if frame.action == "ChangeConfiguration":
        assert frame.payload["key"] == "AuthorizationKey"
        return str(frame.payload["value"])
    (item,) = frame.payload["setVariableData"]
    assert (item["component"]["name"], item["variable"]["name"]) == ("SecurityCtrlr", "BasicAuthPassword")
    return str(item["attributeValue"])


def comes_in(station: Station, password: str | bytes) -> bool:
    raw = password if isinstance(password, bytes) else password.encode()
    try:
        admitted = admitting.judge(station.identity, raw, HERE, now=NOW)
    except Refused:
        return False
    admitting.settle([admitted], now=NOW)
    return True


def state(rotation: SecretRotation) -> str:
    rotation.refresh_from_db()
    return rotation.state


def accept(rotation: SecretRotation, version: str = "1.6") -> None:
    assert rotation.command
    if version == "1.6":
        answer(rotation.command, {"status": "Accepted"})
        return
    result = {
        "attributeStatus": "Accepted",
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
    }
    answer(rotation.command, {"setVariableResult": [result]})


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_the_old_one_opens_until_the_station_came_back_with_the_new_one(version: str) -> None:
    station, rotation, new = ask(version)
    password = bytes.fromhex(new) if version == "1.6" else new.encode()
    accept(rotation, version)
    assert state(rotation) == "accepted"
    assert comes_in(station, OLD)
    assert comes_in(station, password)
    assert state(rotation) == "done"
    assert not comes_in(station, OLD)
    assert comes_in(station, password)
    states = [data["state"] for data in happened(station, "secret_rotated")]
    assert states == ["asked", "accepted", "done"]


def test_the_key_of_16_is_twenty_bytes_in_hexadecimal() -> None:
    """OCPP-J 1.6, 6.2 and the security white paper, A00.FR.206."""
    _, _, new = ask()
    assert len(new) == 40
    assert len(bytes.fromhex(new)) == 20


def test_a_station_that_takes_the_digits_for_the_password_comes_in_too() -> None:
    station, rotation, new = ask()
    accept(rotation)
    assert comes_in(station, new)
    assert state(rotation) == "done"
    assert comes_in(station, new)
    assert not comes_in(station, bytes.fromhex(new))


def test_2x_takes_at_most_forty_characters() -> None:
    _, _, new = ask("2.0.1")
    assert 16 <= len(new) <= 40


def test_refused_the_old_one_stays_and_the_new_one_opens_nothing() -> None:
    station, rotation, new = ask()
    assert rotation.command
    answer(rotation.command, {"status": "Rejected"}, state="refused")
    assert state(rotation) == "refused"
    assert rotation.hashes == []
    assert comes_in(station, OLD)
    assert not comes_in(station, bytes.fromhex(new))


def test_a_refused_variable_of_2x_is_a_refusal() -> None:
    station, rotation, _ = ask("2.0.1")
    result = {
        "attributeStatus": "Rejected",
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
    }
    assert rotation.command
    answer(rotation.command, {"setVariableResult": [result]})
    assert state(rotation) == "refused"
    assert comes_in(station, OLD)


@pytest.mark.parametrize("outcome", ["unknown", "failed"])
def test_unknown_leaves_both_open(outcome: str) -> None:
    station, rotation, new = ask()
    assert rotation.command
    Command.objects.filter(pk=rotation.command.pk).update(state=outcome)
    securing.take_in(Command.objects.get(pk=rotation.command.pk), now=NOW)
    assert state(rotation) == "unknown"
    assert comes_in(station, OLD)
    assert comes_in(station, bytes.fromhex(new))
    assert state(rotation) == "done"
    assert not comes_in(station, OLD)


def test_never_sent_is_withdrawn() -> None:
    station, rotation, new = ask()
    assert rotation.command
    Command.objects.filter(pk=rotation.command.pk).update(state="expired")
    securing.take_in(Command.objects.get(pk=rotation.command.pk), now=NOW)
    assert state(rotation) == "withdrawn"
    assert not comes_in(station, bytes.fromhex(new))
    assert comes_in(station, OLD)


def test_the_answer_after_the_station_came_back_changes_nothing() -> None:
    station, rotation, new = ask()
    assert comes_in(station, bytes.fromhex(new))
    accept(rotation)
    assert state(rotation) == "done"


def test_one_at_a_time() -> None:
    station, _, _ = ask()
    with pytest.raises(securing.NotPossible):
        securing.rotate_over_ocpp(station=station, now=NOW)


def test_of_two_of_which_it_is_not_known_the_one_that_it_shows_wins() -> None:
    station, first, earlier = ask()
    assert first.command
    Command.objects.filter(pk=first.command.pk).update(state="unknown")
    securing.take_in(Command.objects.get(pk=first.command.pk), now=NOW)
    second = securing.rotate_over_ocpp(station=station, now=NOW)
    later = sent(second)
    accept(second)
    assert comes_in(station, bytes.fromhex(later))
    assert (state(first), state(second)) == ("replaced", "done")
    assert not comes_in(station, bytes.fromhex(earlier))


def test_a_password_given_by_hand_ends_what_was_asked() -> None:
    station, rotation, new = ask()
    by_hand = rotate_secret(station=station)
    assert state(rotation) == "replaced"
    assert not comes_in(station, bytes.fromhex(new))
    assert comes_in(station, by_hand)


@pytest.mark.parametrize("version", ["1.6", "2.1"])
def test_no_row_has_the_new_password(version: str) -> None:
    _, rotation, new = ask(version)
    for model in (Command, SecretRotation, Station):
        for row in model.objects.all().values():
            assert new not in str(row)
            if version == "1.6":
                assert bytes.fromhex(new).decode() not in str(row)
    assert all(len(digest) == 64 for digest in rotation.hashes)


def test_a_new_secret_does_not_show_in_a_repr() -> None:
    secret = credentials.new_secret("1.6")
    assert secret.sent not in repr(secret)
