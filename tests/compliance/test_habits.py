"""Stations with habits, good and bad: none that stacks is called a deviation, none that does not is called proven."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from portal.compliance.models import Evidence, Probe
from smartcharging.models import DesiredProfile
from stations.events import Kind, record
from stations.models import Command, Frame, Presence
from tests.compliance.fakes import Clock, FakeStation, make_online_station
from tests.compliance.test_probe import our_limit, probed
from tests.factories import NOW, make_session

pytestmark = pytest.mark.django_db


def make(kind: type[FakeStation], *, version: str = "1.6", **flags: Any) -> Any:
    """A station with one EVSE of 16 A: what goes for one goes for two, in less time."""
    station = make_online_station(version=version)
    station.evses.exclude(number=1).delete()
    return kind(station, Clock(), evses=(1,), **flags)


def periods_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    schedule = answer.get("chargingSchedule") or answer["schedule"]
    return schedule["chargingSchedulePeriod"]  # type: ignore[no-any-return]


@dataclass
class CountsFromOne(FakeStation):
    """Its levels are 1 to 6; the standard counts from 0 (1.6 3.13.2)."""

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
        return {"status": "Rejected"} if profile["stackLevel"] == 0 else super()._set(payload)


@dataclass
class WholeAmperes(FakeStation):
    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        return float(math.floor(super().limit(evse, at, asked_at)))


@dataclass
class NothingBelowSix(FakeStation):
    """A car takes 6 A or nothing, and so it says."""

    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        limit = super().limit(evse, at, asked_at)
        return limit if limit >= 6 else 0.0


@dataclass
class StartScheduleToo(FakeStation):
    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        answer["chargingSchedule"]["startSchedule"] = answer["scheduleStart"]
        return answer


@dataclass
class StartScheduleOnly(FakeStation):
    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        answer["chargingSchedule"]["startSchedule"] = answer.pop("scheduleStart")
        return answer


@dataclass
class LocalTimeAsUtc(FakeStation):
    """Writes Amsterdam's clock with a Z behind it."""

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        start = dt.datetime.fromisoformat(answer["scheduleStart"]) + dt.timedelta(hours=2)
        return {**answer, "scheduleStart": start.isoformat().replace("+00:00", "Z")}


@dataclass
class MinusOne(FakeStation):
    """-1 where no profile limits, as MicroOcpp answers."""

    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        limit = super().limit(evse, at, asked_at)
        return -1.0 if limit in {16.0, 25.0} else limit


@dataclass
class AlwaysMinusOne(FakeStation):
    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        return -1.0


@dataclass
class Unmerged(FakeStation):
    """A period every five minutes, whether the limit changes or not."""

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        periods = periods_of(answer)
        starts = sorted(
            {p["startPeriod"] for p in periods} | set(range(0, min(payload["duration"], 7200), 300))
        )
        cut = [
            {**[p for p in periods if p["startPeriod"] <= start][-1], "startPeriod": start}
            for start in starts
        ]
        periods[:] = cut
        return answer


@dataclass
class OnlyTheNextPeriod(FakeStation):
    """Its schedule ends where the limit changes first."""

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        answer = super()._composite(payload)
        first, *others = periods_of(answer)
        if others:
            schedule = answer["chargingSchedule"]
            schedule.update(chargingSchedulePeriod=[first], duration=others[0]["startPeriod"])
        return answer


@dataclass
class MaxOnTheStationOnly(FakeStation):
    """The composite of an EVSE leaves the station's limit out."""

    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        if evse:
            return min(self._own(evse, at, asked_at))
        return super().limit(evse, at, asked_at)


@dataclass
class NoSumOnTheStation(FakeStation):
    """Connector 0 names the station's own limit, as tfocpp does (D12)."""

    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        if evse:
            return super().limit(evse, at, asked_at)
        maxima = [item for item in self.profiles if "MaxProfile" in item[1]["chargingProfilePurpose"]]
        return min([25.0, *self._leading(maxima, at, asked_at)])


@dataclass
class Slow(FakeStation):
    """Ten seconds for each answer."""

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.clock.at += dt.timedelta(seconds=10)
        return super().answer(action, payload)


@dataclass
class OneBehind(FakeStation):
    """Answers with the composite of before the last change, unless it is asked again."""

    shown: list[Any] = field(default_factory=list)

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        now, self.profiles = self.profiles, self.shown
        answer = super()._composite(payload)
        self.profiles = self.shown = now
        return answer


@dataclass
class RefusesAtFirst(FakeStation):
    """Too busy for every second profile; 1.6 has no word for why."""

    tries: int = 0

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.tries += 1
        return {"status": "Rejected"} if self.tries % 2 else super()._set(payload)


@dataclass
class FiveOnly(FakeStation):
    """Accepts six, stores five."""

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        kept = self.profiles
        answer = super()._set(payload)
        if len(self.profiles) > 5:
            self.profiles = kept
        return answer


@dataclass
class Constant(FakeStation):
    """Accepts all, and always names the same: what the hardware can do, or `says` once it holds a profile."""

    says: float = 0.0

    def limit(self, evse: int, at: dt.datetime, asked_at: dt.datetime) -> float:
        return self.says if self.says and self.profiles else 16.0


@dataclass
class MaxButNotDefaults(FakeStation):
    """Stacks Max; of defaults the last one counts."""

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
        self.one_per_purpose = profile["chargingProfilePurpose"] == "TxDefaultProfile"
        return super()._set(payload)


@dataclass
class NeverClears(FakeStation):
    """Clears nothing by its id, and says so."""

    def _clear(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {"status": "Unknown"}


GOOD = [
    (FakeStation, {}, "proven", ""),
    (FakeStation, {"highest_level": 7}, "proven", ""),  # refuses level 8, takes 0 to 5
    (FakeStation, {"answers_in": "W"}, "proven", ""),
    (FakeStation, {"rejects_station_composite": True}, "proven", ""),
    (FakeStation, {"leaves_defaults_out": True}, "undecided", "while a car charges"),
    (WholeAmperes, {}, "proven", ""),
    (StartScheduleToo, {}, "proven", ""),
    (StartScheduleOnly, {}, "proven", ""),
    (LocalTimeAsUtc, {}, "undecided", "time zone"),
    (MinusOne, {}, "proven", ""),
    (AlwaysMinusOne, {}, "undecided", "leaves"),
    (Unmerged, {}, "proven", ""),
    (OnlyTheNextPeriod, {}, "proven", ""),
    (MaxOnTheStationOnly, {}, "proven", ""),
    (NoSumOnTheStation, {}, "proven", ""),
    (Slow, {}, "proven", ""),
    (OneBehind, {}, "proven", ""),
    (RefusesAtFirst, {}, "proven", ""),
    (NeverClears, {}, "undecided", "did not clear"),
]
BAD = [
    (CountsFromOne, {}, "deviation", "refused level 0"),
    (FakeStation, {"highest_level": 4}, "deviation", "refused level 5"),
    (FakeStation, {"one_per_purpose": True}, "deviation", "level 4 did not return"),
    (FiveOnly, {}, "deviation", "5 showed"),
    (Constant, {"says": 3.0}, "deviation", ""),
    (Constant, {}, "undecided", "while a car charges"),  # as one that leaves all out while idle (D9)
    (MaxButNotDefaults, {}, "deviation", "TxDefaultProfile on the whole station"),
    (
        NeverClears,
        {"one_per_purpose": True},
        "deviation",
        "",
    ),  # keeps the last only, and clears nothing either
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


@pytest.mark.parametrize(("kind", "flags"), [(AlwaysMinusOne, {}), (Constant, {}), (MaxButNotDefaults, {})])
def test_while_cars_charge_nothing_is_left_out(kind: type[FakeStation], flags: dict[str, Any]) -> None:
    station = make(kind, charging=(1,), **flags)
    make_session(station.row, evse_number=1, started_at=NOW)
    probe = probed(station, while_charging=True)
    # The Max limit of the station is read on connector 0, and it counts there whether a car charges or not.
    assert probe.verdict == "deviation", probe.reason


@pytest.mark.parametrize("kind", [WholeAmperes, NothingBelowSix])
def test_limits_too_fine_for_the_station_decide_nothing(kind: type[FakeStation]) -> None:
    station = make(kind)
    our_limit(station, limit=6.0)
    probe = probed(station)
    assert (probe.verdict, probe.restored) == ("undecided", True), probe.reason
    assert "rounds its limits" in probe.reason


def test_a_bad_station_that_rounds_stays_bad() -> None:
    @dataclass
    class Both(WholeAmperes):
        """Rounds, and keeps the last profile only."""

    assert probed(make(Both, one_per_purpose=True)).verdict == "deviation"


def test_a_station_limit_beside_that_connector_0_does_not_add_up() -> None:
    station = make(NoSumOnTheStation)
    our_limit(station, limit=10.0)
    assert probed(station).verdict == "proven"


def test_2_refuses_one_level_on_the_station_and_on_an_evse() -> None:
    """K01.FR.52: the places are probed one after the other, so that it never comes to that."""
    station = make(FakeStation, version="2.0.1")
    our_limit(station, limit=13.0)
    probe = probed(station)
    assert (probe.verdict, probe.restored) == ("proven", True), probe.reason


def test_asked_again_is_told_and_the_last_answer_counts() -> None:
    row = probed(make(OneBehind)).evidence
    assert row is not None
    reads = [step for step in row.steps if step["kind"] == "read"]
    assert {step["holds"] for step in reads} == {None, True}
    assert len(reads) > 18


# ---------------------------------------------------------------- what comes in between
def after(number: int, happens: Any) -> Any:
    def on_command(fake: FakeStation, _command: Command) -> None:
        if len(fake.asked) == number:
            happens(fake)

    return on_command


def test_twenty_seconds_without_a_connection() -> None:
    """Not run, restored as soon as it is back, and nothing held against it."""
    from portal.compliance import running

    station = make(FakeStation)
    our_limit(station, limit=10.0)
    station.silent_after = 20
    probe = probed(station)
    assert probe.state == "restoring"
    station.silent_after = 10**9
    station.clock.at += dt.timedelta(seconds=90)
    Presence.objects.update(renewed_at=station.clock.at)
    running.recover(clock=station.clock, sleep=station.sleep)
    probe.refresh_from_db()
    assert (probe.state, probe.verdict, probe.restored) == ("not_run", "", True)
    assert not Evidence.objects.exists()


def test_a_boot_in_the_middle_ends_the_probe() -> None:
    """A station that forgets its profiles on a boot, as 1.6 allows, is no deviation for it."""

    def boots(fake: FakeStation) -> None:
        fake.profiles = []
        record(station_id=fake.row.pk, kind=Kind.BOOTED, at=fake.clock.at, now=fake.clock.at)

    station = make(FakeStation)
    our_limit(station, limit=10.0)
    station.on_command = after(14, boots)
    probe = probed(station)
    assert (probe.state, probe.verdict) == ("not_run", "")
    assert "started anew" in probe.reason


def test_a_limit_that_is_set_in_the_middle_ends_the_probe() -> None:
    station = make(FakeStation)
    station.on_command = after(14, lambda fake: our_limit(fake, limit=7.0, purpose="station_max"))
    probe = probed(station)
    assert (probe.state, probe.restored) == ("not_run", True), probe.reason
    assert "A limit of this station changed" in probe.reason
    assert len(station.profiles) == 1


def test_a_limit_that_is_withdrawn_in_the_middle_is_not_put_back() -> None:
    def withdrawn(_fake: FakeStation) -> None:
        DesiredProfile.objects.update(state="cleared", withdrawn_at=NOW, settled_at=NOW)

    station = make(FakeStation)
    our_limit(station, limit=10.0, purpose="station_max")
    station.on_command = after(8, withdrawn)
    probe = probed(station)
    assert (probe.state, probe.restored) == ("not_run", True), probe.reason
    assert station.profiles == []


def test_a_refused_restore_is_tried_again() -> None:
    @dataclass
    class Stubborn(FakeStation):
        refusals: int = 0

        def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
            if payload.get("csChargingProfiles", {}).get("chargingProfileId") == 1000 and self.refusals:
                self.refusals -= 1
                return {"status": "Rejected"}
            return super()._set(payload)

    station = make(Stubborn)
    our_limit(station, limit=10.0)
    station.refusals = 2
    probe = probed(station)
    assert (probe.verdict, probe.restored) == ("proven", True)
    assert [profile["chargingProfileId"] for _, profile in station.profiles] == [1000]


def test_a_restore_that_stays_refused_is_said_and_left_to_the_repair() -> None:
    @dataclass
    class Refuses(FakeStation):
        refusing: bool = False

        def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
            ours = payload.get("csChargingProfiles", {}).get("chargingProfileId") == 1000
            return {"status": "Rejected"} if ours and self.refusing else super()._set(payload)

    station = make(Refuses)
    our_limit(station, limit=10.0)
    station.refusing = True
    probe = probed(station)
    assert probe.restored is False
    row = DesiredProfile.objects.get()
    assert (row.state, row.settled_at) == ("accepted", None), "it is read back and repaired by what sent it"


# ---------------------------------------------------------------- what evidence may rest on
def test_without_its_frames_nothing_is_proven() -> None:
    @dataclass
    class Unlogged(FakeStation):
        def _frame(self, command: Command, direction: str, content: list[Any]) -> None:
            if not (direction == Frame.Direction.IN and len(self.asked) == 20):
                super()._frame(command, direction, content)

    probe = probed(make(Unlogged))
    assert (probe.state, probe.verdict, probe.restored) == ("not_run", "", True)
    assert "not all kept" in probe.reason
    assert not Evidence.objects.exists()


def test_evidence_names_no_session() -> None:
    station = make(FakeStation, charging=(1,))
    began = NOW - dt.timedelta(minutes=47)
    make_session(station.row, evse_number=1, transaction_id="771234", started_at=began)
    probe = probed(station, while_charging=True)
    row = probe.evidence
    assert row is not None
    assert row.verdict == "proven"
    told = repr((row.configuration, row.steps, row.figures, row.frames, Probe.objects.values_list("steps")))
    assert "771234" not in told
    assert began.isoformat()[:19] not in told


def test_a_composite_that_was_refused_can_be_looked_at() -> None:
    from portal.compliance import dossier

    @dataclass
    class RefusesOne(FakeStation):
        def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
            return {"status": "Rejected"} if self.profiles else super()._composite(payload)

    row = probed(make(RefusesOne)).evidence
    assert row is not None
    assert row.verdict == "undecided"
    assert len(dossier.dossier(row).steps) == len(row.steps)
