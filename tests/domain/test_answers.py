"""What stations answer to GetCompositeSchedule, and what that says of the profiles that should stand there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartcharging.domain.answers import Reported, ReportedState, read_composite
from smartcharging.domain.comparing import Difference, compare
from smartcharging.domain.judging import (
    Candidate,
    CompareVerdict,
    Judgement,
    Question,
    StationFacts,
    judge,
)
from smartcharging.domain.profiles import (
    ChargingPeriod,
    ChargingProfile,
    ChargingSchedule,
    CompositePeriod,
    Installed,
    Kind,
    Purpose,
    Transaction,
    Unit,
)
from smartcharging.domain.progress import Verdict

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
PERIODS = [{"startPeriod": 0, "limit": 14.0}, {"startPeriod": 900, "limit": 10, "numberPhases": 3}]


def answer(ocpp: str = "1.6", *, outer: dict[str, Any] | None = None, **schedule: Any) -> dict[str, Any]:
    inner = {"duration": 3600, "chargingRateUnit": "A", "chargingSchedulePeriod": PERIODS, **schedule}
    key = "chargingSchedule" if ocpp == "1.6" else "schedule"
    return {"status": "Accepted", key: inner, **(outer or {})}


def test_a_usual_answer_of_each_version() -> None:
    old = read_composite(
        answer(outer={"connectorId": 1, "scheduleStart": "2026-07-01T12:00:00Z"}), ocpp="1.6", asked_unit="A"
    )
    new = read_composite(
        answer("2.0.1", evseId=1, scheduleStart="2026-07-01T14:00:00+02:00"), ocpp="2.0.1", asked_unit="A"
    )

    assert old == new
    assert (old.state, old.start, old.duration_s, old.unit) == (ReportedState.READ, NOW, 3600, "A")
    assert old.periods == (CompositePeriod(0, 14.0, None), CompositePeriod(900, 10, 3))


@pytest.mark.parametrize(
    ("answered", "state", "words"),
    [
        ({"status": "Rejected"}, ReportedState.REJECTED, "Rejected"),
        (
            {
                "status": "Rejected",
                "statusInfo": {"reasonCode": "UnsupportedRateUnit", "additionalInfo": "W only"},
            },
            ReportedState.REJECTED,
            "Rejected: UnsupportedRateUnit: W only",
        ),
        ({}, ReportedState.REJECTED, ""),
        ({"status": "Accepted"}, ReportedState.EMPTY, ""),
        (answer(chargingSchedulePeriod=[]), ReportedState.EMPTY, ""),
        (answer(chargingSchedulePeriod=[{"startPeriod": 0, "limit": -1}]), ReportedState.NO_LIMIT, ""),
        (answer(chargingRateUnit="W"), ReportedState.OTHER_UNIT, ""),
        (answer(outer={"scheduleStart": None}), ReportedState.READ, ""),
        (answer(startSchedule="2026-07-01T12:00:00.123"), ReportedState.READ, ""),
        ([], ReportedState.MALFORMED, "the answer is not an object"),
    ],
)
def test_every_odd_answer_has_a_name(answered: Any, state: ReportedState, words: str) -> None:
    reported = read_composite(answered, ocpp="1.6", asked_unit="A")

    assert (reported.state, reported.words) == (state, words)


def test_an_absurd_duration_takes_nothing_from_periods_that_can_be_read() -> None:
    reported = read_composite(answer(duration=8638204637958), ocpp="1.6", asked_unit="A")

    assert (reported.state, reported.duration_s) == (ReportedState.READ, None)
    assert reported.periods == read_composite(answer(), ocpp="1.6", asked_unit="A").periods


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        ({"duration": 8638204637958, "chargingSchedulePeriod": []}, "duration: 8638204637958 s"),
        ({"duration": "long"}, "duration is not a number"),
        ({"chargingRateUnit": "Power"}, "chargingRateUnit: Power"),
        ({"startSchedule": "noon"}, "scheduleStart: noon"),
        ({"startSchedule": "0001-01-01T00:00:00+14:00"}, "scheduleStart: 0001-01-01T00:00:00+14:00"),
        (
            {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": -7}]},
            "chargingSchedulePeriod[0].limit: -7",
        ),
        (
            {"chargingSchedulePeriod": [{"startPeriod": 0}]},
            "chargingSchedulePeriod[0].limit is not a number",
        ),
        (
            {"chargingSchedulePeriod": PERIODS[::-1]},
            "chargingSchedulePeriod: startPeriod does not ascend",
        ),
    ],
)
def test_what_cannot_be_read_names_its_field(odd: dict[str, Any], words: str) -> None:
    reported = read_composite(answer(**odd), ocpp="1.6", asked_unit="A")

    assert (reported.state, reported.words) == (ReportedState.MALFORMED, words)


def test_a_start_period_may_be_a_float_in_2x() -> None:
    periods = [{"startPeriod": 0.0, "limit": 14}, {"startPeriod": 900.0, "limit": 6}]

    reported = read_composite(answer("2.0.1", chargingSchedulePeriod=periods), ocpp="2.0.1", asked_unit="A")

    assert [period.start_s for period in reported.periods] == [0, 900]


@pytest.mark.parametrize(
    ("period", "state", "limit"),
    [
        ({"operationMode": "CentralSetpoint", "setpoint": -3000.0}, ReportedState.READ, None),
        ({"operationMode": "Idle"}, ReportedState.READ, None),
        (
            {"limit": 7000, "dischargeLimit": -5000, "operationMode": "ExternalLimits"},
            ReportedState.READ,
            7000,
        ),
        ({}, ReportedState.NO_LIMIT, None),
        ({"limit": -1}, ReportedState.NO_LIMIT, None),
    ],
)
def test_a_period_of_2_1_may_name_no_limit(
    period: dict[str, Any], state: ReportedState, limit: float | None
) -> None:
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, **period}]}
    reported = read_composite({"status": "Accepted", "schedule": schedule}, ocpp="2.1", asked_unit="W")

    assert (reported.state, reported.periods[0].limit) == (state, limit)
    operation = reported.periods[0].operation
    assert (operation.setpoint if operation else None) == period.get("setpoint")


def test_a_period_of_2_1_that_cannot_be_read_names_its_field() -> None:
    schedule = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "setpoint": "low"}]}
    reported = read_composite({"status": "Accepted", "schedule": schedule}, ocpp="2.1", asked_unit="W")

    assert reported.state is ReportedState.MALFORMED
    assert "chargingSchedulePeriod[0].setpoint" in reported.words


scraps = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)


@given(scraps, scraps, scraps, scraps)
def test_no_answer_is_an_exception(a: Any, b: Any, c: Any, d: Any) -> None:
    schedule = {"duration": a, "chargingRateUnit": "A", "chargingSchedulePeriod": b, "scheduleStart": c}
    period = {"startPeriod": 0, "limit": a, "operationMode": b, "setpoint": c, "v2xFreqWattCurve": d}
    of_2_1 = {"chargingRateUnit": "W", "chargingSchedulePeriod": [period]}
    for ocpp in ("1.6", "2.0.1", "2.1"):
        for wrapped in (
            a,
            {"status": "Accepted", "chargingSchedule": schedule, "schedule": schedule},
            {"status": "Accepted", "chargingSchedule": of_2_1, "schedule": of_2_1},
            {"status": d},
        ):
            assert read_composite(wrapped, ocpp=ocpp, asked_unit="A").state in ReportedState


# ------------------------------------------------------------------------------------------------------- comparing


def periods(*rows: tuple[int, float | None]) -> tuple[CompositePeriod, ...]:
    return tuple(CompositePeriod(start_s, limit, None) for start_s, limit in rows)


@pytest.mark.parametrize(
    ("reported", "found"),
    [
        (periods((0, 14), (1800, 7.2)), None),
        (periods((0, 14), (600, 14), (1800, 7.2)), None),  # not merged (D11)
        (periods((0, 13.9), (1800, 7.2)), None),  # rounded down
        (periods((0, 14), (1801, 7.2)), None),  # a second off
        (periods((0, 14.1), (1800, 7.2)), Difference(0, 0.1)),  # never above
        (periods((0, 14), (1800, 10)), Difference(1800, 2.76)),
        (periods((0, None), (1800, 7.2)), Difference(0, None)),
        ((), Difference(0, None)),
    ],
)
def test_a_difference_is_found_where_it_begins(
    reported: tuple[CompositePeriod, ...], found: Difference | None
) -> None:
    ours = periods((0, 14), (1800, 7.24))

    difference = compare(ours, reported, duration_s=3600).difference

    assert (difference is None) == (found is None)
    if difference is not None and found is not None:
        assert difference.first_s == found.first_s
        assert difference.largest == pytest.approx(found.largest)


def test_where_no_profile_counts_nothing_is_compared() -> None:
    ours = periods((0, 14), (1800, None))

    compared = compare(ours, periods((0, 14), (1800, 48)), duration_s=3600)

    assert (compared.difference, compared.explained_s) == (None, 1800)


# --------------------------------------------------------------------------------------------------------- judging


def installed(
    number: int,
    limit: float,
    *,
    purpose: Purpose = Purpose.TX_DEFAULT,
    evse: int = 0,
    level: int = 0,
    unit: Unit = "A",
    kind: Kind = Kind.ABSOLUTE,
    phases: int | None = None,
) -> Installed:
    schedule = ChargingSchedule(
        unit, (ChargingPeriod(0, limit, phases),), None if kind is Kind.RELATIVE else NOW
    )
    profile = ChargingProfile(number, level, purpose, kind, schedule, valid_to=NOW + timedelta(days=1))
    return Installed(profile, evse)


FACTS = StationFacts("1.6", 25, sockets=((1, 16), (2, 16)))
CHARGING = StationFacts(
    "1.6", 25, sockets=((1, 16), (2, 16)), transactions=(Transaction(1, 1, NOW), Transaction(2, 2, NOW))
)
MAX_10 = installed(1, 10, purpose=Purpose.STATION_MAX)
DEFAULT_8 = installed(2, 8)


def judged(
    *candidates: Candidate,
    reports: float | None,
    evse: int = 1,
    unit: Unit = "A",
    facts: StationFacts = FACTS,
) -> Judgement:
    reported = Reported(ReportedState.READ, NOW, 3600, unit, periods((0, reports)))
    return judge(candidates, reported, Question(evse, NOW, 3600, unit), facts)


def test_a_profile_that_shows_stands() -> None:
    judgement = judged(Candidate(1, DEFAULT_8), reports=8)

    assert (judgement.verdict, judgement.reading) == (CompareVerdict.EQUAL, "")
    assert judgement.of_profiles == {1: Verdict.STANDS}


def test_a_profile_under_a_lower_one_is_hidden() -> None:
    judgement = judged(Candidate(1, MAX_10), Candidate(2, DEFAULT_8), reports=8)

    assert judgement.of_profiles == {1: Verdict.HIDDEN, 2: Verdict.STANDS}


def test_a_station_may_report_no_more_than_its_socket_gives() -> None:
    judgement = judged(Candidate(1, installed(1, 20)), reports=16)

    assert judgement.verdict is CompareVerdict.EQUAL


def test_the_one_that_is_missing_is_named() -> None:
    judgement = judged(Candidate(1, MAX_10), Candidate(2, DEFAULT_8), reports=10, facts=CHARGING)

    assert judgement.verdict is CompareVerdict.DIFFERS
    assert judgement.of_profiles == {1: Verdict.STANDS, 2: Verdict.MISSING}


def test_what_nothing_explains_differs_by_the_largest_difference() -> None:
    judgement = judged(Candidate(1, DEFAULT_8), reports=11, facts=CHARGING)

    assert judgement.verdict is CompareVerdict.DIFFERS
    assert judgement.difference == Difference(0, 3)
    assert judgement.of_profiles == {1: Verdict.MISSING}


@pytest.mark.parametrize("reports", [16, 32, None])
def test_d9_a_default_left_out_while_idle_cannot_be_compared(reports: float | None) -> None:
    judgement = judged(Candidate(1, DEFAULT_8), reports=reports)

    assert (judgement.verdict, judgement.reading) == (CompareVerdict.UNKNOWN, "D9")
    assert judgement.of_profiles == {1: Verdict.UNCOMPARABLE}


def test_d9_an_idle_station_that_reports_a_limit_of_nobody_leaves_nothing_out() -> None:
    judgement = judged(Candidate(1, DEFAULT_8), reports=11)

    assert (judgement.verdict, judgement.reading) == (CompareVerdict.UNKNOWN, "D9.other")
    assert judgement.of_profiles == {1: Verdict.UNCOMPARABLE}


def test_d9_does_not_excuse_a_station_that_was_seen_to_report_defaults_while_idle() -> None:
    facts = StationFacts("1.6", 25, sockets=((1, 16),), shows_defaults_idle=True)

    assert judged(Candidate(1, DEFAULT_8), reports=16, facts=facts).verdict is CompareVerdict.DIFFERS


def test_d9_does_not_excuse_a_station_that_charges() -> None:
    assert judged(Candidate(1, DEFAULT_8), reports=16, facts=CHARGING).verdict is CompareVerdict.DIFFERS


def test_d8_a_relative_default_may_be_left_out_while_idle() -> None:
    relative = installed(3, 6, kind=Kind.RELATIVE, level=1)

    judgement = judged(Candidate(1, DEFAULT_8), Candidate(3, relative), reports=8)

    assert judgement.reading == "D8"
    assert judgement.of_profiles == {1: Verdict.STANDS, 3: Verdict.UNCOMPARABLE}


def test_d6_another_conversion_of_watts_still_shows_the_profile() -> None:
    watts = installed(1, 2300, purpose=Purpose.STATION_MAX, unit="W")  # on three phases 3.3 A
    one_phase = installed(2, 16, phases=1)

    judgement = judged(Candidate(1, watts), Candidate(2, one_phase), reports=10, facts=CHARGING)

    assert (judgement.verdict, judgement.reading) == (CompareVerdict.EQUAL, "D6")


def test_d12_the_station_may_report_its_maximum_alone() -> None:
    judgement = judged(
        Candidate(1, installed(1, 22, purpose=Purpose.STATION_MAX)), Candidate(2, DEFAULT_8), reports=22, evse=0,
        facts=CHARGING,
    )  # fmt: skip

    assert judgement.reading == "D12"
    assert judgement.of_profiles == {1: Verdict.STANDS, 2: Verdict.UNCOMPARABLE}


@pytest.mark.parametrize(
    ("reports", "verdict"), [(8, Verdict.MISSING), (16, Verdict.STANDS), (40, Verdict.STANDS)]
)
def test_a_cleared_profile_is_only_gone_when_the_report_says_so(reports: float, verdict: Verdict) -> None:
    candidate = Candidate(1, DEFAULT_8, hoped=False, certain=False)

    assert judged(candidate, reports=reports, facts=CHARGING).of_profiles == {1: verdict}


@pytest.mark.parametrize(("reports", "verdict"), [(8, Verdict.STANDS), (16, Verdict.MISSING)])
def test_a_profile_whose_answer_got_lost_is_looked_for(reports: float, verdict: Verdict) -> None:
    candidate = Candidate(1, DEFAULT_8, certain=False)

    assert judged(candidate, reports=reports, facts=CHARGING).of_profiles == {1: verdict}
