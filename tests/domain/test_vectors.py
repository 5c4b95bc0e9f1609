"""The published composite-schedule cases, and the format and command that read them."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from smartcharging.domain.fields import MalformedProfile
from smartcharging.domain.vectors import answer

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "vectors"
SUPPORTED = {"1.6", "2.0.1"}


def published() -> list[dict[str, Any]]:
    files = sorted(PUBLISHED.glob("*.json"))
    return [vector for file in files for vector in json.loads(file.read_bytes())["vectors"]]


VECTORS = [vector for vector in published() if vector["ocpp"] in SUPPORTED]


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


def merged(
    periods: list[dict[str, Any]], *, compare_phases: bool
) -> list[tuple[int, float | None, int | None]]:
    """Periods without equal neighbours: some implementations keep those apart (D11)."""
    found: list[tuple[int, float | None, int | None]] = []
    for period in periods:
        what = (period["limit"], period["phases"] if compare_phases else None)
        if not found or found[-1][1:] != what:
            found.append((period["start_s"], *what))
    return found


def is_rounded_down(limit: float | None, exact: float | None) -> bool:
    """The same, or lower by less than a tenth: never above."""
    if limit is None or exact is None:
        return limit is exact
    return exact - 0.1 < limit <= exact + 1e-9


def test_the_published_cases_are_there() -> None:
    if not PUBLISHED.is_dir():
        pytest.skip(f"the published vectors are not on this machine: {PUBLISHED}")
    assert len(VECTORS) >= 128


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_a_published_case_comes_out_as_published(case: dict[str, Any]) -> None:
    if case.get("not_reproduced"):
        pytest.skip("implementations differ, and the source itself does not reproduce it")
    if "D6" in case.get("sensitive_to", []) and "policy" not in case:
        case = case | {"policy": {"unit_conversion": "common_phases"}}  # what their makers did
    ours = answer(case)
    assert isinstance(ours, dict)
    compare_phases = case.get("compare_phases", True)
    got = merged(ours["periods"], compare_phases=compare_phases)
    wanted = merged(case["expected"]["periods"], compare_phases=compare_phases)
    assert [(start, phases) for start, _, phases in got] == [(start, phases) for start, _, phases in wanted]
    for (_, limit, _), (_, exact, _) in zip(got, wanted, strict=True):
        assert is_rounded_down(limit, exact), (got, wanted)
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


MALFORMED = [
    (vector(ocpp="1.5"), "ocpp: must be one of 1.6, 2.0.1"),
    (vector(ocpp="2.1"), "ocpp: OCPP 2.1 comes later, 1.6 and 2.0.1 are supported"),
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
