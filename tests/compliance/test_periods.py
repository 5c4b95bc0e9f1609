"""The live probe of 207 against stations good and bad: none that takes 20 periods is a deviation, none that does not is
called proven."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

import pytest

from portal.compliance import dossier, probes, running
from portal.compliance.checks import CHECKS
from portal.compliance.models import Evidence, Probe
from smartcharging.models import DesiredProfile, ExternalLimit, ReportedSchedule
from stations.events import Kind, record
from stations.models import Capabilities, Command, Evse, Presence
from tests.compliance.fakes import FakeStation, make_fake
from tests.compliance.test_habits import (
    AlwaysMinusOne,
    Constant,
    LocalTimeAsUtc,
    MaxOnTheStationOnly,
    MinusOne,
    NeverClears,
    NoSumOnTheStation,
    NothingBelowSix,
    OneBehind,
    OnlyTheNextPeriod,
    RefusesAtFirst,
    Slow,
    StartScheduleOnly,
    StartScheduleToo,
    Unmerged,
    WholeAmperes,
    make,
    periods_of,
)
from tests.compliance.test_probe import our_limit
from tests.factories import NOW, make_command, make_session

pytestmark = pytest.mark.django_db


def probed(station: FakeStation, **options: Any) -> Probe:
    probe = probes.start_probe(
        station=station.row, code="207", requested_by=None, now=station.clock.at, **options
    )
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    return probe


def figures_of(probe: Probe) -> dict[str, tuple[Any, Any]]:
    assert probe.evidence is not None
    return {figure["key"]: (figure["value"], figure["holds"]) for figure in probe.evidence.figures}


def judged_again(row: Evidence) -> tuple[str, str]:
    finding = CHECKS["207"].judge(row.configuration, row.steps)
    return finding.verdict, finding.code


def schedule_of(payload: dict[str, Any]) -> dict[str, Any]:
    profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
    schedule = profile["chargingSchedule"]
    found: dict[str, Any] = schedule[0] if isinstance(schedule, list) else schedule
    return found


# ---------------------------------------------------------------- habits of its own
@dataclass
class TakesOnly(FakeStation):
    """Refuses a profile with more periods than this."""

    most: int = 10
    error: str = ""

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        if len(schedule_of(payload)["chargingSchedulePeriod"]) > self.most:
            return {"status": "Rejected", **self._why(self.reason_code)}
        return super()._set(payload)


@dataclass
class KeepsOnly(FakeStation):
    """Accepts all, and keeps the first ten: the tenth lasts."""

    most: int = 10

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        periods = schedule_of(payload)["chargingSchedulePeriod"]
        del periods[self.most :]
        return super()._set(payload)


@dataclass
class KeepsTheNext(FakeStation):
    """Accepts all, keeps the ten that come next, and answers as far as these go."""

    most: int = 10

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        for schedule in (answer.get("chargingSchedule"), answer.get("schedule")):
            if schedule and len(schedule["chargingSchedulePeriod"]) > self.most:
                schedule["duration"] = schedule["chargingSchedulePeriod"][self.most]["startPeriod"]
                del schedule["chargingSchedulePeriod"][self.most :]
        return answer


@dataclass
class NamesOnly(FakeStation):
    """Keeps all, and names the first eight in an answer."""

    most: int = 8

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        if "chargingSchedule" in answer or "schedule" in answer:
            del periods_of(answer)[self.most :]
        return answer


@dataclass
class AnHourAtMost(FakeStation):
    """Its composite is never longer than an hour, and says so."""

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        return super()._composite({**payload, "duration": min(payload["duration"], 3600)})


@dataclass
class LosesOne(FakeStation):
    """Drops the fifth period."""

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        del schedule_of(payload)["chargingSchedulePeriod"][4:5]
        return super()._set(payload)


@dataclass
class QuarterHours(FakeStation):
    """Says all limits in turn, at times of its own."""

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        for number, period in enumerate(periods_of(answer)):
            period["startPeriod"] = number * 300
        return answer


@dataclass
class RejectsTheComposite(FakeStation):
    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {"status": "Rejected"} if self.profiles else super()._composite(payload)


@dataclass
class RoundsUp(FakeStation):
    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        return float(math.ceil(super().limit(evse, at, asked_at)))


GOOD = [
    (FakeStation, {}, "proven", "all 20 came back in the"),
    (FakeStation, {"version": "2.0.1"}, "proven", ""),
    (FakeStation, {"answers_in": "W"}, "proven", ""),
    (FakeStation, {"rejects_station_composite": True}, "proven", ""),
    (FakeStation, {"one_per_purpose": True}, "proven", ""),  # 206 is another matter
    (FakeStation, {"highest_level": 0}, "proven", ""),
    (TakesOnly, {"most": 20}, "proven", ""),
    (KeepsOnly, {"most": 20}, "proven", ""),
    (WholeAmperes, {}, "proven", ""),
    (RoundsUp, {}, "proven", ""),
    (NothingBelowSix, {}, "proven", ""),
    (StartScheduleToo, {}, "proven", ""),
    (StartScheduleOnly, {}, "proven", ""),
    (MinusOne, {}, "proven", ""),
    (Unmerged, {}, "proven", ""),
    (MaxOnTheStationOnly, {}, "proven", ""),
    (NoSumOnTheStation, {}, "proven", ""),
    (Slow, {}, "proven", ""),
    (OneBehind, {}, "proven", ""),
    (RefusesAtFirst, {}, "proven", ""),
    (NamesOnly, {}, "undecided", "never more than 8 at once"),
    (NamesOnly, {"version": "2.0.1", "most": 3}, "undecided", "never more than 3 at once"),
    (KeepsTheNext, {}, "undecided", "never more than 10 at once"),
    (AnHourAtMost, {}, "proven", "read in parts"),
    (OnlyTheNextPeriod, {}, "undecided", "never more than 1 at once"),
    (FakeStation, {"leaves_defaults_out": True}, "undecided", "while a car charges"),
    (AlwaysMinusOne, {}, "undecided", "leaves"),
    (LocalTimeAsUtc, {}, "undecided", "time zone"),
    (QuarterHours, {}, "undecided", "other times"),
    (RejectsTheComposite, {}, "undecided", "no readable composite"),
    (NeverClears, {}, "undecided", "did not clear"),
    (FakeStation, {"drops_clears": True}, "undecided", "did not clear"),
    (FakeStation, {"highest_level": -1}, "undecided", "says nothing about the number"),
    (
        TakesOnly,
        {"version": "2.0.1", "reason_code": "RateLimitExceeded"},
        "undecided",
        "RateLimitExceeded",
    ),
]
BAD = [
    (TakesOnly, {}, "deviation", "at most 10 periods in one ChargePointMaxProfile on the whole station"),
    (TakesOnly, {"most": 19}, "deviation", "at most 19 periods"),
    (TakesOnly, {"most": 1}, "deviation", "at most 1 periods"),
    (TakesOnly, {"version": "2.0.1", "most": 16}, "deviation", "at most 16 periods"),
    (KeepsOnly, {}, "deviation", "but 10 came back"),
    (KeepsOnly, {"most": 19}, "deviation", "but 19 came back"),
    (LosesOne, {}, "deviation", ""),
    (Constant, {"says": 3.0}, "deviation", "but 0 came back"),
]


@pytest.mark.parametrize(
    ("kind", "flags", "verdict", "said"),
    [*GOOD, *BAD],
    ids=[f"{kind.__name__} {flags or ''}" for kind, flags, *_ in [*GOOD, *BAD]],
)
def test_the_verdict_is_fair(kind: type[FakeStation], flags: dict[str, Any], verdict: str, said: str) -> None:
    station = make(kind, **flags)
    probe = probed(station)
    assert probe.verdict == verdict, probe.reason
    assert said in probe.reason
    assert station.profiles == [] or "did not clear" in said


@pytest.mark.parametrize("kind", [AlwaysMinusOne, Constant])
def test_while_a_car_charges_nothing_is_left_out(kind: type[FakeStation]) -> None:
    station = make(kind, charging=(1,))
    make_session(station.row, evse_number=1, transaction_id="7", started_at=NOW)
    assert probed(station, while_charging=True).verdict == "deviation"


# ---------------------------------------------------------------- figures
def test_the_figures_name_what_was_taken_and_what_is_stated() -> None:
    station = make(TakesOnly)
    Capabilities.objects.update(max_periods=24)
    probe = probed(station)
    assert "at most 10 periods" in probe.reason
    assert "It states a maximum of 24. It must take 20." in probe.reason
    assert figures_of(probe) == {
        "periods_accepted_station_max": (10, False),
        "periods_seen_station_max": ("not read: 20 were not accepted", None),
        "periods_accepted_tx_default": (10, False),
        "periods_seen_tx_default": ("not read: 20 were not accepted", None),
        "periods_accepted_tx": ("not tried: no session ran", None),
        "periods_stated": (24, True),
        "restored": ("true", True),
    }


def test_a_maximum_that_is_not_stated_is_no_figure() -> None:
    station = make(FakeStation)
    Capabilities.objects.update(max_periods=None)
    figures = figures_of(probed(station))
    assert "periods_stated" not in figures
    assert figures["periods_seen_tx_default"] == (20, True)


def test_a_refusal_that_was_haste_is_forgotten() -> None:
    @dataclass
    class BusyAtFirst(FakeStation):
        refusals: int = 5

        def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
            if self.refusals:
                self.refusals -= 1
                return {"status": "Rejected"}
            return super()._set(payload)

    assert probed(make(BusyAtFirst)).verdict == "proven"


# ---------------------------------------------------------------- within a session
@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_within_a_session_a_profile_of_its_own_is_tried_too(version: str) -> None:
    station = make(FakeStation, version=version, charging=(1,), leaves_defaults_out=True)
    make_session(station.row, evse_number=1, transaction_id="771234", started_at=NOW)
    probe = probed(station, while_charging=True)
    assert (probe.verdict, probe.restored) == ("proven", True), probe.reason
    assert figures_of(probe)["periods_seen_tx"] == (20, True)
    sent = [command.payload for command in station.asked if command.action == "SetChargingProfile"]
    profile = sent[-1].get("csChargingProfiles") or sent[-1]["chargingProfile"]
    assert (profile["chargingProfilePurpose"], str(profile["transactionId"])) == ("TxProfile", "771234")
    row = probe.evidence
    assert row is not None
    assert "771234" not in repr((row.configuration, row.steps, row.figures, row.frames))
    assert judged_again(row) == ("proven", "207.proven")


def test_one_car_is_enough_for_a_default_of_the_whole_station() -> None:
    station = make_fake(leaves_defaults_out=True, charging=(2,))
    make_session(station.row, evse_number=2, transaction_id="7", started_at=NOW)
    assert probed(station, while_charging=True).verdict == "proven"


# ---------------------------------------------------------------- what stands
def test_limits_of_ours_are_put_back_and_never_exceeded() -> None:
    station = make(FakeStation, version="2.0.1")
    our_limit(station, limit=10.0)
    our_limit(station, limit=20.0, purpose="station_max")
    stood = sorted(station.profiles, key=str)
    probe = probed(station)
    assert (probe.verdict, probe.restored) == ("proven", True), probe.reason
    assert sorted(station.profiles, key=str) == stood
    set_by_probe = [c.payload for c in station.asked if c.origin and c.action == "SetChargingProfile"]
    limits = [
        period["limit"]
        for payload in set_by_probe
        if (payload.get("chargingProfile") or {}).get("id", 0) >= 900_000
        for period in schedule_of(payload)["chargingSchedulePeriod"]
    ]
    assert max(limits) < 10


def test_a_limit_that_leaves_no_room() -> None:
    station = make(FakeStation)
    our_limit(station, limit=2.0)
    probe = probed(station)
    assert probe.state == "not_run"
    assert "leaves no room" in probe.reason


@dataclass
class UnderTwelve(FakeStation):
    """A grid operator allows it 12 A."""

    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        return min(12.0, super().limit(evse, at, asked_at))


def told_of_twelve(station: FakeStation) -> None:
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 12}]}
    ExternalLimit.objects.create(
        station=station.row, evse_number=0, source="SO", schedules=[schedule], since=NOW, event_id=1
    )


@pytest.mark.parametrize("code", ["206", "207"])
def test_a_limit_of_others_that_the_station_told_of_is_no_obstacle(code: str) -> None:
    station = make(UnderTwelve, version="2.0.1")
    told_of_twelve(station)
    probe = probes.start_probe(station=station.row, code=code, requested_by=None, now=NOW)
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    assert (probe.verdict, probe.restored) == ("proven", True), probe.reason
    sent = [schedule_of(c.payload) for c in station.asked if c.action == "SetChargingProfile"]
    assert max(period["limit"] for one in sent for period in one["chargingSchedulePeriod"]) < 12


def test_a_limit_of_others_that_nobody_told_of_is_not_ours() -> None:
    probe = probed(make(UnderTwelve, version="2.0.1"))
    assert probe.state == "not_run"
    assert "no limit of ours explains that" in probe.reason


def test_a_limit_of_others_in_the_middle_ends_the_probe() -> None:
    station = make(FakeStation, version="2.0.1")

    def limits(fake: FakeStation, _command: Command) -> None:
        if len(fake.asked) == 6:
            at = fake.clock.at
            record(station_id=fake.row.pk, kind=Kind.EXTERNAL_LIMIT_SET, at=at, now=at, data={"evse": 0})

    station.on_command = limits
    probe = probed(station)
    assert (probe.state, probe.restored) == ("not_run", True), probe.reason
    assert "A limit of this station changed" in probe.reason
    assert station.profiles == []


def test_a_slow_station_with_many_sockets_is_set_again_before_its_period_is_over() -> None:
    @dataclass
    class VerySlow(FakeStation):
        def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
            self.clock.at += dt.timedelta(seconds=110)
            Presence.objects.update(renewed_at=self.clock.at)
            return super().answer(action, payload)

    station = make_fake()
    for number in range(3, 7):
        Evse.objects.create(station=station.row, number=number, socket_a=16)
    slow = VerySlow(station.row, station.clock, evses=(1, 2, 3, 4, 5, 6))
    assert probed(slow).verdict == "proven"


@pytest.mark.parametrize("number", [1000, 1_000_000, 2**31 - 1])
@pytest.mark.parametrize("code", ["206", "207"])
def test_a_default_of_someone_else_that_does_not_show_is_seen_in_the_list(code: str, number: int) -> None:
    """The composite of an idle station says nothing of it; the station's own list does. Ids of others are any."""
    station = make(FakeStation, version="2.0.1", leaves_defaults_out=True)
    our_limit(station, limit=10.0)
    DesiredProfile.objects.all().delete()
    station.profiles = [(evse, {**profile, "id": number}) for evse, profile in station.profiles]
    stood = list(station.profiles)
    probe = probes.start_probe(station=station.row, code=code, requested_by=None, now=NOW)
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    assert probe.state == "not_run"
    assert (
        f"lists a profile that is not ours: profile {number}, TxDefaultProfile on the whole station"
        in probe.reason
    )
    assert station.profiles == stood
    assert {command.action for command in station.asked} == {"GetChargingProfiles"}


def test_a_station_that_gives_no_list_is_judged_by_its_composite() -> None:
    @dataclass
    class NoList(FakeStation):
        def _list(self, payload: dict[str, Any]) -> dict[str, Any]:
            return {"status": "Accepted"}

    assert probed(make(NoList, version="2.0.1")).verdict == "proven"


@dataclass
class RejectsWhileEmpty(FakeStation):
    """No composite where no profile stands."""

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        return super()._composite(payload) if self.profiles else {"status": "Rejected"}


@pytest.mark.parametrize("code", ["206", "207"])
@pytest.mark.parametrize(("version", "knows"), [("1.6", False), ("1.6", True), ("2.0.1", False)])
def test_a_composite_that_is_rejected_while_nothing_stands(code: str, version: str, *, knows: bool) -> None:
    """2.x lists no profile, so the probe goes on. A 1.6 station must have answered once while a limit of ours stood."""
    station = make(RejectsWhileEmpty, version=version)
    if knows:
        ReportedSchedule.objects.create(
            station=station.row,
            command=make_command(station.row, "GetCompositeSchedule", state="accepted"),
            evse_number=1,
            read_at=NOW,
            state="read",
        )
    probe = probes.start_probe(station=station.row, code=code, requested_by=None, now=NOW)
    running.run(probe.pk, clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    if version == "1.6" and not knows:
        assert (probe.state, probe.verdict) == ("not_run", "")
        assert "what stands there is not known" in probe.reason
        assert {command.action for command in station.asked} == {"GetCompositeSchedule"}
    else:
        assert (probe.verdict, probe.restored) == ("proven", True), probe.reason


def test_evidence_judged_again_says_the_same() -> None:
    for kind in (FakeStation, TakesOnly, KeepsOnly, NamesOnly):
        probe = probed(make(kind))
        assert probe.evidence is not None
        row = Evidence.objects.get(pk=probe.evidence.pk)
        assert judged_again(row) == (row.verdict, row.configuration["finding"]["code"])
        page = dossier.dossier(row)
        assert page.chain_holds
        assert any(step.expected for step in page.steps) or kind is TakesOnly
