"""What a station hears of a token: groups, a second transaction, free charging; in all three versions."""

from __future__ import annotations

from typing import Any

import pytest

from stations.models import ChargingSession, Station, Token, TokenGroup
from tests.factories import make_operator, make_session, make_station, make_token
from tests.ocpp.conversation import minutes, say, wire

pytestmark = pytest.mark.django_db
VERSIONS = ["1.6", "2.0.1", "2.1"]
Free = Station.FreeVend


def info(answer: dict[str, Any]) -> dict[str, Any]:
    return dict(answer.get("idTagInfo") or answer.get("idTokenInfo") or {})


def authorize(station: Station, token: str, kind: str = "ISO14443") -> dict[str, Any]:
    if station.ocpp_version == "1.6":
        return info(say(station, "Authorize", {"idTag": token}))
    return info(say(station, "Authorize", {"idToken": {"idToken": token, "type": kind}}))


def start(
    station: Station, token: str, *, evse: int = 1, number: str = "T1", at: float = 0
) -> dict[str, Any]:
    """The whole answer to a start at this EVSE."""
    if station.ocpp_version == "1.6":
        payload = {"connectorId": evse, "idTag": token, "meterStart": 1000, "timestamp": wire(minutes(at))}
        return say(station, "StartTransaction", payload)
    return say(station, "TransactionEvent", event("Started", 0, token, evse=evse, number=number, at=at))


def event(kind: str, seq_no: int, token: str, *, evse: int = 1, number: str = "T1", at: float = 0) -> Any:
    return {
        "eventType": kind,
        "seqNo": seq_no,
        "timestamp": wire(minutes(at)),
        "triggerReason": "StopAuthorized" if kind == "Ended" else "Authorized",
        "transactionInfo": {"transactionId": number},
        "evse": {"id": evse},
        "idToken": {"idToken": token, "type": "ISO14443"},
    }


def stop(station: Station, token: str, session: ChargingSession) -> dict[str, Any]:
    if station.ocpp_version == "1.6":
        number = int(session.transaction_id or 0)
        payload = {"transactionId": number, "idTag": token, "meterStop": 9000, "timestamp": wire(minutes(5))}
        return say(station, "StopTransaction", payload)
    number_2 = session.transaction_id or ""
    return say(station, "TransactionEvent", event("Ended", 1, token, number=number_2, at=5))


@pytest.mark.parametrize("version", VERSIONS)
class TestGroup:
    def test_a_token_of_a_group_comes_with_the_group(self, version: str) -> None:
        group = TokenGroup.objects.create(operator=make_operator(), name="Taxi", group_id="G-TAXI")
        make_token("A1", group=group)
        said = authorize(make_station(version=version), "a1")
        told = said.get("parentIdTag") or said["groupIdToken"]["idToken"]
        assert (said["status"], told) == ("Accepted", "G-TAXI")

    def test_another_of_the_group_may_stop_and_the_session_stays_the_first_ones(self, version: str) -> None:
        station = make_station(version=version)
        group = TokenGroup.objects.create(operator=make_operator(), name="Taxi", group_id="G-TAXI")
        first, _second = make_token("A1", group=group), make_token("B2", group=group)
        start(station, "A1")
        said = info(stop(station, "B2", ChargingSession.objects.get()))
        told = said.get("parentIdTag") or said["groupIdToken"]["idToken"]
        assert (said["status"], told) == ("Accepted", "G-TAXI")
        session = ChargingSession.objects.get()
        assert (session.state, session.token) == ("ended", first)

    def test_a_group_is_never_a_token(self, version: str) -> None:
        TokenGroup.objects.create(operator=make_operator(), name="Taxi", group_id="G-TAXI")
        assert authorize(make_station(version=version), "G-TAXI")["status"] == "Invalid"


@pytest.mark.parametrize("version", VERSIONS)
class TestSecondTransaction:
    def test_a_second_one_elsewhere_is_concurrent_and_is_kept(self, version: str) -> None:
        make_token("A1")
        here, there = make_station(version=version), make_station(version="1.6")
        assert info(start(there, "A1"))["status"] == "Accepted"
        answer = start(here, "A1")
        assert info(answer)["status"] == "ConcurrentTx"
        session = ChargingSession.objects.get(station=here)
        assert session.token is not None
        if version == "1.6":
            assert answer["transactionId"] == session.pk, "a refused start has a number too"

    def test_at_the_other_socket_of_the_station_too(self, version: str) -> None:
        make_token("A1")
        station = make_station(version=version)
        start(station, "A1", evse=1, number="T1")
        assert info(start(station, "A1", evse=2, number="T2"))["status"] == "ConcurrentTx"

    def test_its_own_repeat_and_its_own_stop_are_none(self, version: str) -> None:
        make_token("A1")
        station = make_station(version=version)
        assert info(start(station, "A1")) == info(start(station, "A1")) == {"status": "Accepted"}
        assert info(stop(station, "A1", ChargingSession.objects.get())) == {"status": "Accepted"}
        assert info(start(station, "A1", number="T2", at=10))["status"] == "Accepted"

    def test_what_ran_on_the_same_socket_is_over(self, version: str) -> None:
        make_token("A1")
        station = make_station(version=version)
        start(station, "A1", number="T1", at=0)
        assert info(start(station, "A1", number="T2", at=9))["status"] == "Accepted"

    def test_a_fleets_card_may(self, version: str) -> None:
        make_token("A1", concurrent_allowed=True)
        start(make_station(), "A1")
        assert info(start(make_station(version=version), "A1"))["status"] == "Accepted"

    def test_one_whose_end_got_lost_does_not_count_for_ever(self, version: str) -> None:
        token = make_token("A1")
        make_session(token=token, started_at=minutes(-8 * 24 * 60))
        assert info(start(make_station(version=version), "A1"))["status"] == "Accepted"

    def test_a_blocked_one_stays_blocked(self, version: str) -> None:
        token = make_token("A1", blocked=True)
        make_session(token=token)
        assert info(start(make_station(version=version), "A1"))["status"] == "Blocked"


@pytest.mark.parametrize(
    ("version", "elsewhere"), [("1.6", "Accepted"), ("2.0.1", "ConcurrentTx"), ("2.1", "ConcurrentTx")]
)
def test_a_card_at_the_reader_while_it_charges(version: str, elsewhere: str) -> None:
    """1.6 judges that at the start alone (7.2). Where it charges, the card may be there to stop."""
    token = make_token("A1")
    station = make_station(version=version)
    make_session(station, token=token)
    assert authorize(station, "A1")["status"] == "Accepted"
    assert authorize(make_station(version=version), "A1")["status"] == elsewhere


def test_a_start_that_is_told_late_is_kept_with_its_verdict() -> None:
    station = make_station(version="2.0.1")
    make_token("A1", blocked=True)
    late = {**event("Started", 0, "A1", at=-600), "offline": True}
    assert info(say(station, "TransactionEvent", late))["status"] == "Blocked"
    session = ChargingSession.objects.get()
    assert (session.started_at, session.was_offline) == (minutes(-600), True)


@pytest.mark.parametrize("version", VERSIONS)
class TestFreeVend:
    @pytest.mark.parametrize("policy", [Free.ANY_TOKEN, Free.NO_TOKEN])
    def test_any_token_will_do_but_a_blocked_one(self, version: str, policy: str) -> None:
        make_token("old", expires_at=minutes(-1))
        make_token("stolen", blocked=True)
        make_token("other", operator=make_operator("beta"))
        station = make_station(version=version, free_vend=policy)
        heard = {token: authorize(station, token)["status"] for token in ("nobody", "old", "other", "stolen")}
        assert heard == {"nobody": "Accepted", "old": "Accepted", "other": "Accepted", "stolen": "Blocked"}
        assert info(start(station, "nobody"))["status"] == "Accepted"

    def test_off_takes_only_what_is_known(self, version: str) -> None:
        assert authorize(make_station(version=version), "nobody")["status"] == "Invalid"


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize("policy", list(Free))
def test_a_start_that_needs_no_token_is_accepted_whatever_is_wanted_here(version: str, policy: str) -> None:
    station = make_station(version=version, free_vend=policy)
    assert authorize(station, "", "NoAuthorization")["status"] == "Accepted"


def test_the_number_comes_out_of_its_row_only_unsealed() -> None:
    token = Token.objects.get(pk=make_token("04AABB").pk)
    assert token.number() == "04AABB"
    assert "04AABB" not in token.sealed_number


class TestSomeSockets:
    """A token may hold at some sockets alone (2.0.1, IdTokenInfo.evseId)."""

    def test_2x_is_told_which_and_what_else_was_tried(self) -> None:
        for version in ("2.0.1", "2.1"):
            station = make_station(version=version, evses=3)
            places = [f"{station.identity}/3", f"{station.identity}/1", "ELSE/2"]
            make_token(f"A{version}", only_at=places, concurrent_allowed=True)
            said = authorize(station, f"A{version}")
            assert (said["status"], said["evseId"]) == ("Accepted", [1, 3])
            at_2 = info(start(station, f"A{version}", evse=2, number="T1"))
            assert (at_2["status"], at_2["evseId"]) == ("NotAtThisLocation", [1, 3])
            at_3 = info(start(station, f"A{version}", evse=3, number="T2"))
            assert at_3["status"] == "Accepted"
            assert ChargingSession.objects.filter(station=station).count() == 2, "kept, whatever the verdict"

    def test_1_6_hears_at_the_start_that_it_is_not_this_one(self) -> None:
        station = make_station(evses=2)
        make_token("A1", only_at=[f"{station.identity}/2"], concurrent_allowed=True)
        assert authorize(station, "A1") == {"status": "Accepted"}
        assert info(start(station, "A1", evse=1, at=0))["status"] == "Invalid"
        assert info(start(station, "A1", evse=2, at=1))["status"] == "Accepted"

    @pytest.mark.parametrize(("version", "status"), [("1.6", "Invalid"), ("2.0.1", "NotAtThisLocation")])
    def test_at_another_station_it_is_refused(self, version: str, status: str) -> None:
        make_token("A1", only_at=["ELSE/1"])
        assert authorize(make_station(version=version), "A1") == {"status": status}

    def test_who_stops_may_do_so_anywhere(self) -> None:
        station = make_station(version="2.0.1", evses=2)
        group = TokenGroup.objects.create(operator=make_operator(), name="Taxi", group_id="G-TAXI")
        make_token("A1", group=group)
        make_token("B2", group=group, only_at=[f"{station.identity}/2"])
        start(station, "A1", evse=1)
        assert info(stop(station, "B2", ChargingSession.objects.get()))["status"] == "Accepted"

    def test_blocked_goes_before_and_free_charging_knows_no_places(self) -> None:
        station = make_station(version="2.0.1", free_vend=Free.ANY_TOKEN)
        make_token("A1", only_at=["ELSE/1"])
        make_token("B2", only_at=[f"{station.identity}/1"], blocked=True)
        assert authorize(station, "A1")["status"] == "Accepted"
        assert authorize(station, "B2") == {"status": "Blocked"}
