"""The published composite-schedule cases, and the format and command that read them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.vectors import answer
from tests.skips import NOT_REPRODUCED

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "vectors"
# What a period has beside its limit, of 2.1: numbers that are rounded toward zero, then words.
NUMBERS = ("limit", "limit_L2", "limit_L3", "setpoint", "setpoint_L2", "setpoint_L3")
DISCHARGES = ("dischargeLimit", "dischargeLimit_L2", "dischargeLimit_L3")


def published() -> list[dict[str, Any]]:
    files = sorted(PUBLISHED.glob("*.json"))
    return [vector for file in files for vector in json.loads(file.read_bytes())["vectors"]]


VECTORS = published()


def vector(**changes: Any) -> dict[str, Any]:
    """A vector that is right, with one TxDefaultProfile of 16 A and then 10 A."""
    schedule = {
        "chargingRateUnit": "A",
        "startSchedule": "2026-03-02T10:00:00Z",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16}, {"startPeriod": 60, "limit": 10.0}],
    }
    profile = {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": schedule,
    }
    right = {
        "name": "right",
        "ocpp": "1.6",
        "profiles": [{"connector": 1, "profile": profile}],
        "now": "2026-03-02T10:00:00Z",
        "duration_s": 120,
        "unit": "A",
        "connector": 1,
        "transaction": None,
        "defaults": {"nominal_voltage": 230, "phases": 3, "limit_A": 32, "limit_W": 22080},
    }
    return right | changes


def changed(path: str, value: Any) -> dict[str, Any]:
    """The right vector with one member of its profile set, or taken away where `value` is None."""
    document = vector()
    *way, last = path.split(".")
    place = document["profiles"][0]["profile"]
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return document


# ------------------------------------------------------------------------------------------ the published cases


def merged(periods: list[dict[str, Any]], *, compare_phases: bool) -> list[dict[str, Any]]:
    """Periods without equal neighbours: some implementations keep those apart (D11)."""
    names = ("operationMode", *NUMBERS, *DISCHARGES, *(("phases",) if compare_phases else ()))
    found: list[dict[str, Any]] = []
    for period in periods:
        what = {name: period.get(name) for name in names}
        if not found or found[-1] != found[-1] | what:
            found.append(what | {"start_s": period["start_s"]})
    return found


def is_rounded(value: float | None, exact: float | None) -> bool:
    """The same, or closer to zero by less than a tenth: never beyond."""
    if value is None or exact is None:
        return value is exact
    if exact < 0:
        return is_rounded(-value, -exact)
    return exact - 0.1 < value <= exact + 1e-9


def test_the_published_cases_are_there() -> None:
    if not PUBLISHED.is_dir():
        pytest.skip(f"the published vectors are not on this machine: {PUBLISHED}")
    assert len(VECTORS) >= 175
    assert len([case for case in VECTORS if case["ocpp"] == "2.1"]) >= 47
    assert len([case for case in VECTORS if case.get("not_reproduced")]) <= 1


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_a_published_case_comes_out_as_published(case: dict[str, Any]) -> None:
    if case.get("not_reproduced"):
        pytest.skip(NOT_REPRODUCED)
    if "D6" in case.get("sensitive_to", []) and "policy" not in case:
        case = case | {"policy": {"unit_conversion": "common_phases"}}  # what their makers did
    ours = answer(case)
    assert isinstance(ours, dict)
    compare_phases = case.get("compare_phases", True)
    got = merged(ours["periods"], compare_phases=compare_phases)
    wanted = merged(case["expected"]["periods"], compare_phases=compare_phases)
    inexact = {*NUMBERS, *DISCHARGES}
    for period, exact in zip(got, wanted, strict=True):
        assert {name: period[name] for name in period if name not in inexact} == {
            name: exact[name] for name in exact if name not in inexact
        }
        for name in inexact:
            assert is_rounded(period[name], exact[name]), (name, got, wanted)
    assert ours["start"] == case["expected"]["start"]


# ------------------------------------------------------------------------------------------ the format


def test_a_vector_gives_its_composite_and_a_list_a_list_in_order() -> None:
    right = {
        "name": "right",
        "start": "2026-03-02T10:00:00Z",
        "duration_s": 120,
        "unit": "A",
        "periods": [
            {"start_s": 0, "limit": 16.0, "phases": None},
            {"start_s": 60, "limit": 10.0, "phases": None},
        ],
    }
    assert answer(vector()) == right
    other = vector(name="other", unit="W")
    for document in ([other, vector()], {"vectors": [other, vector()]}):
        answers = answer(document)
        assert isinstance(answers, list)
        assert [one["name"] for one in answers] == ["other", "right"]
        assert answers[1] == right


def test_the_policy_of_a_vector_is_honoured() -> None:
    def limit(policy: dict[str, Any], **more: Any) -> float:
        document = changed("chargingSchedule.startSchedule", "2026-03-03T10:00:00Z") | more
        document["profiles"][0]["profile"] |= {"chargingProfileKind": "Recurring", "recurrencyKind": "Daily"}
        document["profiles"][0]["profile"]["chargingSchedule"]["minChargingRate"] = 20
        periods = answer(document | {"policy": policy})
        assert isinstance(periods, dict)
        return float(periods["periods"][0]["limit"])

    assert limit({}) == 32.0
    assert limit({"recurring_before_start": "extrapolate"}) == 16.0
    assert limit({"recurring_before_start": "extrapolate", "min_rate_raises": True}) == 20.0
    assert limit({"recurring_before_start": "extrapolate"}, simulate_transaction=False) == 32.0
    local = {"recurring_before_start": "extrapolate", "recurrence": "local", "timezone": "Europe/Amsterdam"}
    assert limit(local) == 16.0


def test_without_a_count_of_connectors_the_station_has_those_that_are_mentioned() -> None:
    document = vector(connector=0)
    document["profiles"].append(
        {"connector": 2, "profile": changed("chargingProfileId", 2)["profiles"][0]["profile"]}
    )
    composite = answer(document)
    assert isinstance(composite, dict)
    assert composite["periods"][0]["limit"] == 32.0


def vector_21(**changes: Any) -> dict[str, Any]:
    """Two TxDefaultProfiles of 2.1: a setpoint that ends offline, above a limit of 6 A."""
    period = {"startPeriod": 0, "limit": 16, "operationMode": "CentralSetpoint", "setpoint": 20}
    schedule = {"id": 1, "chargingRateUnit": "A", "startSchedule": "2026-03-02T10:00:00Z"}
    upper = {
        "id": 1,
        "stackLevel": 1,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Absolute",
        "maxOfflineDuration": 600,
        "invalidAfterOfflineDuration": True,
        "chargingSchedule": [schedule | {"chargingSchedulePeriod": [period]}],
    }
    plain = schedule | {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
    lower = upper | {"id": 2, "stackLevel": 0, "maxOfflineDuration": None, "chargingSchedule": [plain]}
    profiles = [
        {"connector": 1, "profile": one, "received": "2026-03-01T00:00:00Z"} for one in (upper, lower)
    ]
    return vector(ocpp="2.1", profiles=profiles) | changes


def periods_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    composite = answer(document)
    assert isinstance(composite, dict)
    found: list[dict[str, Any]] = composite["periods"]
    return found


def test_a_vector_of_21_has_the_members_that_apply_under_their_names() -> None:
    assert periods_of(vector_21()) == [
        {"start_s": 0, "limit": 16.0, "phases": 3, "operationMode": "CentralSetpoint", "setpoint": 16.0}
    ]
    everything = {
        "limit_L2": 15.0, "limit_L3": 14.0, "dischargeLimit": -9.0, "dischargeLimit_L2": -8.0,
        "dischargeLimit_L3": -7.0,
        "setpoint": -6.0, "setpoint_L2": -5.0, "setpoint_L3": -4.0, "setpointReactive": -3.0, "evseSleep": True,
        "v2xBaseline": 200.0, "v2xFreqWattCurve": [{"frequency": 50.0, "power": 1.0}],
        "v2xSignalWattCurve": [{"signal": 2, "power": 3.0}], "operationMode": "LocalFrequency",
    }  # fmt: skip
    document = vector_21()
    (period,) = document["profiles"][0]["profile"]["chargingSchedule"][0]["chargingSchedulePeriod"]
    period |= everything
    assert periods_of(document) == [{"start_s": 0, "limit": 16.0, "phases": 3} | everything]
    period.clear()
    period |= {"startPeriod": 0, "limit": 16, "numberPhases": 1, "phaseToUse": 3}
    assert periods_of(document) == [{"start_s": 0, "limit": 16.0, "phases": 1, "phaseToUse": 3}]


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({}, 16.0),
        ({"offline_s": 600}, 16.0),
        ({"offline_s": 601}, 6.0),
        ({"outages": [{"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T12:10:00Z"}]}, 16.0),
        ({"outages": [{"start": "2026-03-01T12:00:00Z", "end": "2026-03-01T12:10:01Z"}]}, 6.0),
        ({"outages": [{"start": "2026-02-27T12:00:00Z", "end": "2026-02-28T12:00:00Z"}]}, 16.0),
    ],
)
def test_a_vector_says_how_long_the_station_was_offline(changes: dict[str, Any], limit: float) -> None:
    assert [period["limit"] for period in periods_of(vector_21(**changes))] == [limit]


def test_a_transaction_of_a_vector_may_have_priority() -> None:
    document = vector_21(transaction={"id": "1", "connector": 1, "start": "2026-03-02T10:00:00Z"})
    document["profiles"][1]["profile"]["chargingProfilePurpose"] = "PriorityCharging"
    assert periods_of(document)[0]["limit"] == 16.0
    document["transaction"]["priority_charging"] = True
    assert periods_of(document)[0]["limit"] == 6.0


def test_a_vector_of_21_has_its_policies_for_dynamic_and_local_time() -> None:
    document = vector_21(duration_s=3600)
    profile = document["profiles"][0]["profile"]
    profile |= {"chargingProfileKind": "Dynamic", "dynUpdateTime": "2026-03-02T09:59:00Z"}
    profile["chargingSchedule"][0]["duration"] = 300
    assert [period["start_s"] for period in periods_of(document)] == [0, 240]
    document["policy"] = {"dynamic_from": "question"}
    assert [period["start_s"] for period in periods_of(document)] == [0, 300]
    profile["chargingProfileKind"] = "Absolute"
    profile["chargingSchedule"][0] |= {"useLocalTime": True, "startSchedule": "2026-03-02T11:30:00"}
    assert [period["start_s"] for period in periods_of(document)] == [0, 1800, 2100]
    document["policy"] = {"timezone": "UTC"}
    assert [period["start_s"] for period in periods_of(document)] == [0]
    document["policy"] = {"timezone": "Europe/London", "recurrence": "elapsed"}
    document["now"] = "2026-03-02T11:00:00Z"
    assert [period["start_s"] for period in periods_of(document)] == [0, 1800, 2100]


def with_curve(frequency: Any) -> dict[str, Any]:
    document = vector_21()
    (period,) = document["profiles"][0]["profile"]["chargingSchedule"][0]["chargingSchedulePeriod"]
    period["v2xFreqWattCurve"] = [{"frequency": frequency, "power": 0}]
    return document


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59", "2026-03-02T10:00:00"])
@pytest.mark.parametrize("now", ["9999-12-31T23:59:59Z", "2026-03-02T10:00:00Z"])
@pytest.mark.parametrize("before_start", ["wait", "extrapolate"])
@pytest.mark.parametrize("zone", ["", "America/Anchorage", "Pacific/Kiritimati"])
def test_the_last_day_of_the_calendar_is_a_day(start: str, now: str, before_start: str, zone: str) -> None:
    """A clock that runs ahead, or a validity for ever: no zone can show the day after."""
    policy = {"recurring_before_start": before_start}
    if zone:
        policy |= {"recurrence": "local", "timezone": zone}
    document = vector_21(now=now, duration_s=10 * 366 * 86_400, policy=policy)
    profile = document["profiles"][0]["profile"]
    profile |= {
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Daily",
        "validTo": "9999-12-31T23:59:59Z",
    }
    profile["chargingSchedule"][0] |= {"startSchedule": start, "useLocalTime": not zone}
    assert periods_of(document)[0]["start_s"] == 0


MALFORMED = [
    (
        with_curve(10**400),
        (
            "profiles[0].profile.chargingSchedule[0].chargingSchedulePeriod[0].v2xFreqWattCurve[0].frequency: "
            "must be a finite number"
        ),
    ),
    (vector_21(offline_s=-1), "offline_s: must be at least 0"),
    (vector_21(offline_s=10**12), "offline_s: must be at most 1e+09"),
    (vector_21(outages=[{"start": "2026-03-01T12:00:00Z"}]), "outages[0].end: missing"),
    (
        vector_21(
            transaction={"id": "1", "connector": 1, "start": "2026-03-02T10:00:00Z", "priority_charging": 1}
        ),
        "transaction.priority_charging: must be true or false",
    ),
    (
        vector_21(policy={"timezone": "Utrecht"}),
        "policy.timezone: must be a time zone such as Europe/Amsterdam",
    ),
    (vector_21(policy={"dynamic_from": "then"}), "policy.dynamic_from: must be one of update, question"),
    (vector(ocpp="1.5"), "ocpp: must be one of 1.6, 2.0.1, 2.1"),
    (vector(now="yesterday"), "now: must be a time such as 2026-03-02T10:00:00Z"),
    (vector(now="2026-03-02T10:00:00"), "now: must be a time with an offset, such as Z or +01:00"),
    (vector(now=None), "now: missing"),
    (vector(duration_s=-1), "duration_s: must be at least 0"),
    (vector(duration_s=1.5), "duration_s: must be a whole number"),
    (vector(unit="kW"), "unit: must be one of A, W"),
    (vector(connectors=10**9), "connectors: must be at most 1000"),
    (vector(profiles={}), "profiles: must be a list"),
    (vector(profiles=[7]), "profiles[0]: must be an object"),
    (vector(transaction={"id": 1, "connector": 1}), "transaction.start: missing"),
    (vector(transactions=[{"id": "x"}]), "transactions[0].id: must be a whole number"),
    (vector(defaults={"phases": 4}), "defaults.phases: must be at most 3"),
    (vector(policy={"station_sum": "guess"}), "policy.station_sum: must be one of unit_first, everest"),
    (vector(policy={"recurrence": "local"}), "policy.timezone: missing"),
    (
        vector(policy={"recurrence": "local", "timezone": "../Utrecht"}),
        "policy.timezone: must be a time zone such as Europe/Amsterdam",
    ),
    (changed("stackLevel", None), "profiles[0].profile.stackLevel: missing"),
    (changed("stackLevel", True), "profiles[0].profile.stackLevel: must be a whole number"),
    (
        changed("chargingProfileKind", "Recurring"),
        "profiles[0].profile.recurrencyKind: missing",
    ),
    (
        changed("chargingSchedule.chargingSchedulePeriod", []),
        "profiles[0].profile.chargingSchedule.chargingSchedulePeriod: must hold at least one period",
    ),
    (
        changed("chargingSchedule.chargingSchedulePeriod.1.startPeriod", 0),
        (
            "profiles[0].profile.chargingSchedule.chargingSchedulePeriod[1].startPeriod: "
            "must be later than that of the period before"
        ),
    ),
    *(
        (
            changed("chargingSchedule.chargingSchedulePeriod.1.limit", limit),
            f"profiles[0].profile.chargingSchedule.chargingSchedulePeriod[1].limit: {problem}",
        )
        for limit, problem in [
            (1e300, "must be at most 1e+08"),
            (10**400, "must be at most 1e+08"),
            (float("inf"), "must be a finite number"),
            (float("nan"), "must be a finite number"),
            (-0.1, "must be at least 0"),
            ("16.0", "must be a number"),
            (None, "missing"),
        ]
    ),
]


@pytest.mark.parametrize(("document", "line"), MALFORMED, ids=[line for _, line in MALFORMED])
def test_what_is_malformed_is_named(document: dict[str, Any], line: str) -> None:
    with pytest.raises(MalformedProfile) as caught:
        answer(document)
    assert str(caught.value) == line
    assert line.startswith(caught.value.field)
    with pytest.raises(MalformedProfile) as caught:
        answer([vector(), document])
    assert str(caught.value) == f"vectors[1].{line}"


@pytest.mark.parametrize("document", [None, 7, "text", {"vectors": 7}])
def test_what_is_no_vector_at_all_is_said_so(document: Any) -> None:
    with pytest.raises(MalformedProfile, match=r"^vectors: must be a list$"):
        answer(document)


# ------------------------------------------------------------------------------------------ the command


def ran(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(ROOT / "manage.py"), "composite_schedule", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, cwd=ROOT, timeout=60)


def called(monkeypatch: pytest.MonkeyPatch, stdin: bytes, **options: Any) -> Any:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
    out = StringIO()
    call_command("composite_schedule", stdout=out, **options)
    return json.loads(out.getvalue())


def test_the_command_reads_standard_input_or_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    document = {"vectors": [vector(), vector(name="Überlauf")]}
    file = tmp_path / "vectors.json"
    file.write_text(json.dumps(document))
    assert called(monkeypatch, json.dumps(document).encode()) == answer(document)
    assert called(monkeypatch, b"", file=file) == answer(document)


def test_malformed_input_is_one_line_and_exit_2() -> None:
    """In a process of its own, without a database: what another program sees."""
    good, bad = (
        ran(stdin=json.dumps(vector()).encode()),
        ran(stdin=json.dumps([changed("stackLevel", None)]).encode()),
    )
    assert (good.returncode, good.stderr) == (0, b"")
    assert json.loads(good.stdout)["periods"][1] == {"start_s": 60, "limit": 10.0, "phases": None}
    assert (bad.returncode, bad.stdout) == (2, b"")
    assert bad.stderr.decode() == "CommandError: vectors[0].profiles[0].profile.stackLevel: missing\n"


def test_a_name_that_is_no_text_comes_back_as_it_came() -> None:
    """Half a character: JSON can say it, no line can."""
    done = ran(
        stdin=rb'{"name": "\ud800", ' + json.dumps(vector()).encode()[1:].replace(b'"name": "right", ', b"")
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["name"] == "\ud800"


def test_thousands_of_profiles_take_a_moment() -> None:
    """Each time-out of a caller is shorter than a check of each profile against each other."""
    many = vector_21()
    profile = many["profiles"][0]["profile"]
    many["profiles"] = [
        {"connector": 1, "profile": {**profile, "id": number, "stackLevel": number}}
        for number in range(1, 10_001)
    ]
    began = time.process_time()
    assert periods_of(many)[0]["setpoint"] == 16.0
    assert time.process_time() - began < 8  # 2 s here; 30 s in quadratic time


@pytest.mark.parametrize(
    ("stdin", "line"),
    [
        (b"", "input: not JSON"),
        (b'{"vectors": [', "input: not JSON"),
        (b"\xff\xfe", "input: not JSON"),
        (b"[" * 100_000, "input: not JSON"),
        (b'{"duration_s": ' + b"9" * 5000 + b"}", "input: not JSON"),
        (b"[7]", "vectors[0]: must be an object"),
        (b"{}", "ocpp: missing"),
    ],
)
def test_input_that_is_no_vector_is_refused(monkeypatch: pytest.MonkeyPatch, stdin: bytes, line: str) -> None:
    with pytest.raises(CommandError) as caught:
        called(monkeypatch, stdin)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert caught.value.returncode == 2


def test_a_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--file: No such file") as caught:
        called(monkeypatch, b"", file=tmp_path / "nowhere.json")
    assert caught.value.returncode == 2
