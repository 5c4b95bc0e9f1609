"""A station's own list of tokens: what it is sent, in which parts, and what follows from its answers."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from stations import local_lists, tasks
from stations.models import Command, ConfigurationValue, LocalList, Station, Token, TokenGroup
from stations.sealing import unseal
from tests.factories import NOW, make_operator, make_station, make_token
from tests.ocpp.conversation import answer, minutes, wire

pytestmark = pytest.mark.django_db
VERSIONS = ["1.6", "2.0.1", "2.1"]
State = LocalList.State
LATER = minutes(60 * 24 * 365 * 20)


class Sent:
    """What is on its way to stations, in order: the rows show no token, and what they hold sealed is all of it."""

    def __len__(self) -> int:
        return Command.objects.count()

    def __getitem__(self, index: int) -> dict[str, Any]:
        commands = list(Command.objects.order_by("pk"))
        command = commands[index]
        whole: dict[str, Any] = command.payload
        return orjson.loads(unseal(command.sealed_payload)) if command.sealed_payload else whole


@pytest.fixture
def sent() -> Sent:
    return Sent()


def can_take(station: Station, *, part: int = 0, most: int = 0) -> None:
    is_16 = station.ocpp_version == "1.6"
    component = "" if is_16 else "LocalAuthListCtrlr"
    said = {"station": station, "component": component, "read_at": NOW}
    if part:
        name = "SendLocalListMaxLength" if is_16 else "ItemsPerMessage"
        ConfigurationValue.objects.create(name=name, value=str(part), **said)
    if most and is_16:
        ConfigurationValue.objects.create(name="LocalAuthListMaxLength", value=str(most), **said)
    elif most:
        ConfigurationValue.objects.create(name="Entries", value="3", max_limit=most, **said)


def answers(station: Station, response: dict[str, Any] | None, *, state: str = "accepted") -> None:
    """The station answers the last command, and the task that follows runs."""
    command = Command.objects.filter(station=station).latest("pk")
    answer(command, response, state=state)
    tasks.take_in_local_list(command.pk)


def accepts(station: Station) -> None:
    answers(station, {"status": "Accepted"})


def entries(payload: dict[str, Any]) -> dict[str, Any]:
    """Number -> its info, None where the token is taken off the list."""
    found = {}
    for entry in payload.get("localAuthorizationList", []):
        number = entry.get("idTag") or entry["idToken"]["idToken"]
        found[number] = entry.get("idTagInfo") or entry.get("idTokenInfo")
    return found


def numbered(payload: dict[str, Any]) -> tuple[str, int]:
    return payload["updateType"], int(payload.get("listVersion", payload.get("versionNumber", 0)))


@pytest.mark.parametrize("version", VERSIONS)
class TestSync:
    def test_the_first_is_full_with_what_may_charge_offline(self, version: str, sent: Sent) -> None:
        station = make_station(version=version)
        group = TokenGroup.objects.create(operator=make_operator(), name="Taxi", group_id="G1")
        make_token("A1", group=group, expires_at=LATER)
        make_token("B2", blocked=True)
        make_token("C3", expires_at=minutes(-1))
        make_token("D4", offline_allowed=False)
        make_token("E5", operator=make_operator("beta"))
        make_token("F6", sealed_number="")
        local_lists.sync(station=station, now=NOW)
        assert numbered(sent[0]) == ("Full", 1)
        info = entries(sent[0])["A1"]
        assert list(entries(sent[0])) == ["A1"]
        assert info["status"] == "Accepted"
        assert wire(LATER) in info.values()
        assert "G1" in str(info)
        accepts(station)
        row = LocalList.objects.get()
        assert (row.state, row.version_known, row.count) == (State.CURRENT, 1, 1)
        assert row.synced_at is not None
        assert local_lists.left_out(station, now=NOW) == 1

    def test_a_token_for_some_sockets_goes_with_them_and_only_where_that_can_be_said(
        self, version: str, sent: Sent
    ) -> None:
        station = make_station(version=version)
        make_token("A1")
        limited = make_token("B2", only_at=[f"{station.identity}/2", "ELSE/1"])
        make_token("C3", only_at=["ELSE/1"])
        local_lists.sync(station=station, now=NOW)
        found = entries(sent[0])
        assert set(found) == ({"A1"} if version == "1.6" else {"A1", "B2"})
        accepts(station)
        Token.objects.filter(pk=limited.pk).update(only_at=[f"{station.identity}/1", f"{station.identity}/2"])
        local_lists.sync(station=station, now=NOW)
        if version == "1.6":
            assert len(sent) == 1
        else:
            assert found["B2"]["evseId"] == [2]
            assert entries(sent[1]) == {"B2": {"status": "Accepted", "evseId": [1, 2]}}

    def test_what_changed_since_goes_as_a_difference(self, version: str, sent: Sent) -> None:
        station = make_station(version=version)
        kept, gone = make_token("A1"), make_token("B2")
        local_lists.sync(station=station, now=NOW)
        accepts(station)
        local_lists.sync(station=station, now=NOW)
        assert len(sent) == 1, "nothing changed, nothing sent"
        Token.objects.filter(pk=gone.pk).update(blocked=True)
        Token.objects.filter(pk=kept.pk).update(expires_at=LATER)
        make_token("C3")
        tasks.sync_local_lists(station.site.operator_id)
        assert numbered(sent[1]) == ("Differential", 2)
        found = entries(sent[1])
        assert set(found) == {"A1", "B2", "C3"}
        assert found["B2"] is None
        accepts(station)
        assert LocalList.objects.get().count == 2

    def test_a_token_that_is_gone_takes_a_full_list(self, version: str, sent: Sent) -> None:
        station = make_station(version=version)
        make_token("A1")
        gone = make_token("B2")
        local_lists.sync(station=station, now=NOW)
        accepts(station)
        gone.delete()
        local_lists.sync(station=station, now=NOW)
        assert (numbered(sent[1]), set(entries(sent[1]))) == (("Full", 2), {"A1"})

    def test_in_parts_as_large_as_the_station_takes(self, version: str, sent: Sent) -> None:
        station = make_station(version=version)
        can_take(station, part=2, most=5)
        for number in range(7):
            make_token(f"T{number}")
        row = local_lists.sync(station=station, now=NOW)
        assert (row.parts_total, len(sent)) == (3, 1), "the next when this one is accepted"
        for _ in range(3):
            accepts(station)
        assert [numbered(sent[part]) for part in range(3)] == [
            ("Full", 1),
            ("Differential", 2),
            ("Differential", 3),
        ]
        assert [len(entries(sent[part])) for part in range(3)] == [2, 2, 1]
        row.refresh_from_db()
        assert (row.state, row.count, row.parts_done, row.version_known) == (State.CURRENT, 5, 3, 3)

    def test_another_version_at_the_station_brings_the_full_list(self, version: str, sent: Sent) -> None:
        station = make_station(version=version)
        make_token("A1")
        local_lists.sync(station=station, now=NOW)
        accepts(station)
        make_token("B2")
        local_lists.sync(station=station, now=NOW)
        answers(station, {"status": "VersionMismatch"}, state="refused")
        assert numbered(sent[-1])[0] == "Full"
        assert set(entries(sent[-1])) == {"A1", "B2"}
        accepts(station)
        assert LocalList.objects.get().state == State.CURRENT

    def test_what_went_wrong_has_a_name(self, version: str, sent: Sent) -> None:
        station = make_station(version=version)
        make_token("A1")
        local_lists.sync(station=station, now=NOW)
        answers(station, {"status": "Failed"}, state="refused")
        row = LocalList.objects.get()
        assert (row.state, row.problem) == (State.FAILED, "Failed")
        local_lists.sync(station=station, now=NOW)
        assert numbered(sent[-1])[0] == "Full", "what stands there now is not known"
        answers(station, None, state="unknown")
        assert LocalList.objects.get().state == State.FAILED

    def test_no_number_stands_in_a_row_of_the_list(self, version: str) -> None:
        station = make_station(version=version)
        make_token("04AABBCC")
        local_lists.sync(station=station, now=NOW)
        assert "04AABBCC" not in str(LocalList.objects.values().get())


def test_a_station_of_1_6_that_takes_no_list() -> None:
    station = make_station()
    make_token("A1")
    local_lists.sync(station=station, now=NOW)
    answers(station, {"status": "NotSupported"}, state="refused")
    assert LocalList.objects.get().state == State.NOT_SUPPORTED
    tasks.sync_local_lists(station.site.operator_id)
    assert Command.objects.count() == 1, "it is not asked again by itself"


def test_a_number_too_long_for_1_6_is_left_out(sent: Sent) -> None:
    make_token("x" * 30)
    make_token("y" * 20)
    local_lists.sync(station=make_station(), now=NOW)
    assert set(entries(sent[0])) == {"y" * 20}


@pytest.mark.parametrize("version", VERSIONS)
class TestVersion:
    def test_after_a_boot_the_version_is_asked_and_another_brings_the_full_list(
        self, version: str, sent: Sent
    ) -> None:
        station = make_station(version=version)
        make_token("A1")
        local_lists.sync(station=station, now=NOW)
        accepts(station)
        tasks.check_local_list(station.pk)
        name = "listVersion" if version == "1.6" else "versionNumber"
        answers(station, {name: 1})
        assert len(sent) == 2, "it is the same"
        tasks.check_local_list(station.pk)
        answers(station, {name: 0})
        assert (numbered(sent[-1]), set(entries(sent[-1]))) == (("Full", 2), {"A1"})

    def test_a_station_without_a_list_is_left_alone(self, version: str, sent: Sent) -> None:
        tasks.check_local_list(make_station(version=version).pk)
        assert len(sent) == 0


def test_a_change_of_tokens_is_followed_by_one_sync(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    later: list[Any] = []
    monkeypatch.setattr(tasks.sync_local_lists, "apply_async", lambda args, **_: later.append(args))
    operator = make_operator("many")
    with django_capture_on_commit_callbacks(execute=True):
        for number in range(5):
            make_token(f"M{number}", operator=operator)
    assert later == [(operator.pk,)]
