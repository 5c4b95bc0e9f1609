"""The chain of evidence: whatever is changed afterwards, the first link that does not hold is named."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from portal.compliance import evidence
from portal.compliance.models import Evidence, Judgement, Requirement
from stations.models import Concession, Frame, Station
from stations.ocpp.masking import MASK
from tests.compliance.fakes import append_evidence, make_asking_concession
from tests.factories import NOW, make_concession, make_station

pytestmark = pytest.mark.django_db


@pytest.fixture
def station() -> Station:
    return make_station("NL-TST-CHAIN", concession=make_asking_concession(), firmware="1.0")


def chain(station: Station, length: int = 4) -> Concession:
    for number in range(length):
        append_evidence(station, now=NOW + dt.timedelta(minutes=number))
    concession: Concession = station.site.concession
    return concession


def broken(concession: Concession) -> int | None:
    link = evidence.verify(concession)
    return link.sequence if link else None


def test_an_untouched_chain_holds(station: Station) -> None:
    concession = chain(station)
    assert evidence.verify(concession) is None
    rows = list(Evidence.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == [1, 2, 3, 4]
    assert rows[0].previous_hash == evidence.FIRST_HASH
    assert [row.previous_hash for row in rows[1:]] == [row.hash for row in rows[:-1]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("method", "observation"),
        ("verdict", "deviation"),
        ("reason", "Everything is fine."),
        ("figures", []),
        ("window_start", NOW + dt.timedelta(microseconds=1)),
        ("window_end", NOW),
        ("steps", []),
        ("frames", []),
        ("firmware", "2.0"),
        ("configuration", {"a": [3, 2], "b": 1}),
        ("engine", "206 stacking 1.1"),
        ("created_at", NOW + dt.timedelta(days=1)),
        ("hash", "f" * 64),
        ("previous_hash", "e" * 64),
        ("sequence", 9),
        ("station_id", None),
    ],
)
def test_any_changed_field_breaks_its_link(station: Station, name: str, value: Any) -> None:
    concession = chain(station)
    Evidence.objects.filter(sequence=2).update(**{name: value})
    assert broken(concession) == 2


def test_another_requirement_breaks_its_link(station: Station) -> None:
    concession = chain(station)
    Evidence.objects.filter(sequence=3).update(requirement=Requirement.objects.get(code="207"))
    assert broken(concession) == 3


def test_a_deleted_row_is_missed(station: Station) -> None:
    concession = chain(station)
    Evidence.objects.filter(sequence=2).delete()
    link = evidence.verify(concession)
    assert link is not None
    assert "link 2 is missing" in str(link)


def test_a_deleted_row_is_missed_also_when_the_rest_is_numbered_anew(station: Station) -> None:
    concession = chain(station)
    Evidence.objects.filter(sequence=2).delete()
    for number in (3, 4):
        Evidence.objects.filter(sequence=number).update(sequence=number - 1)
    assert broken(concession) == 2


def test_swapped_rows_are_found(station: Station) -> None:
    concession = chain(station)
    for old, new in ((2, 92), (3, 2), (92, 3)):
        Evidence.objects.filter(sequence=old).update(sequence=new)
    assert broken(concession) == 2


def test_a_forged_row_at_the_end_is_found(station: Station) -> None:
    concession = chain(station)
    last = Evidence.objects.get(sequence=4)
    last.pk, last.sequence, last.previous_hash, last.hash = None, 5, last.hash, "a" * 64
    last.save(force_insert=True)
    assert broken(concession) == 5


def test_evidence_that_a_finished_probe_had_is_missed(station: Station) -> None:
    row = append_evidence(station)
    station.probes.create(
        requirement=row.requirement, state="done", verdict="proven", evidence=row, requested_at=NOW
    )
    assert broken(station.site.concession) is None
    Evidence.objects.filter(pk=row.pk).delete()
    link = evidence.verify(station.site.concession)
    assert link is not None
    assert "is gone" in link.what


def test_each_concession_has_a_chain_of_its_own(station: Station) -> None:
    concession = chain(station, 2)
    other = make_asking_concession(slug="other", operators=(station.site.operator,))
    append_evidence(station, concession=other)
    assert Evidence.objects.get(concession=other).sequence == 1
    assert evidence.verify(concession) is None
    assert evidence.verify(other) is None


def test_another_writer_in_between_costs_a_try(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that another process adds after this one looked for the last: it goes behind that."""
    append_evidence(station)
    real = evidence.hash_of
    late: list[Evidence] = []

    def overtaken(row: Evidence) -> str:
        if not late:
            late.append(row)
            append_evidence(station)
        return real(row)

    monkeypatch.setattr(evidence, "hash_of", overtaken)
    append_evidence(station)
    monkeypatch.undo()
    assert [row.sequence for row in Evidence.objects.order_by("sequence")] == [1, 2, 3]
    assert evidence.verify(station.site.concession) is None


def test_a_renamed_operator_breaks_nothing(station: Station) -> None:
    concession = chain(station)
    operator = station.site.operator
    operator.slug = operator.name = "renamed"
    operator.save()
    assert evidence.verify(concession) is None


def test_the_reason_is_english_whatever_the_reader_speaks(station: Station) -> None:
    assert append_evidence(station).reason.startswith("All six levels")


@pytest.mark.parametrize(
    "text",
    [
        '[2,"m1","Authorize",{"idTag":"04A1B2C3"}]',
        '[2,"m1","Authorize",{"idToken":{"idToken":"04A1B2C3","type":"ISO14443"}}]',
        '[3,"m1",{"idTagInfo":{"parentIdTag":"04A1B2C3","status":"Accepted"}}]',
    ],
)
def test_a_token_never_becomes_evidence(station: Station, text: str) -> None:
    frame = {"at": "x", "direction": "in", "action": "Authorize", "message_id": "m1", "text": text}
    with pytest.raises(evidence.TokenInEvidence) as error:
        append_evidence(station, frames=[frame])
    assert "04A1B2C3" not in str(error.value)
    assert not Evidence.objects.exists()
    append_evidence(station, frames=[{**frame, "text": text.replace("04A1B2C3", MASK)}])


def test_frames_come_in_the_order_of_the_socket(station: Station) -> None:
    for number, message_id in enumerate(["b", "a", "b", "x"]):
        Frame.objects.create(
            station=station,
            at=NOW + dt.timedelta(seconds=number),
            direction="out",
            kind="call",
            action="Reset",
            message_id=message_id,
            text="[]",
        )
    frames = evidence.frames_of(station, ["a", "b"])
    assert [frame["message_id"] for frame in frames] == ["b", "a", "b"]
    assert frames[0]["at"] == "2026-07-01T12:00:00.000000Z"


def test_canonical_json_says_one_thing_in_one_way() -> None:
    one = evidence.canonical_json({"b": 16.0, "a": [NOW, "é"], "c": None})
    other = evidence.canonical_json({"c": None, "a": (NOW.astimezone(), "é"), "b": 16})
    assert one == other == '{"a":["2026-07-01T12:00:00.000000Z","é"],"b":16,"c":null}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        evidence.canonical_json(float("nan"))


def test_the_command_names_the_first_broken_link(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    chain(station)
    make_concession(slug="empty")
    call_command("verify_evidence")
    assert "4 links hold" in capsys.readouterr().out
    Evidence.objects.filter(sequence__in=(2, 4)).update(reason="x")
    with pytest.raises(SystemExit) as stop:
        call_command("verify_evidence", concession="concessie")
    assert stop.value.code == 1
    assert "link 2: its content is not what was hashed" in capsys.readouterr().err


def test_evidence_and_judgement_come_together(station: Station) -> None:
    row = append_evidence(station)
    assert Judgement.objects.get().evidence == row
    assert connection.in_atomic_block
