"""The catalogue: the shipped set as it is, and a file that is wrong says where."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from portal.compliance import catalogue
from portal.compliance.models import ConcessionRequirement, Requirement, RequirementSet
from tests.factories import NOW, make_concession

HEADING = ",".join(catalogue.COLUMNS)
ROW = "Smart Charging,206,Stacken,Zes profielen.,Bestaand,Wens,,"


def file(*rows: str, heading: str = HEADING) -> bytes:
    return "\n".join([heading, *rows, ""]).encode()


def test_the_shipped_set() -> None:
    rows = {row.code: row for row in catalogue.parse(catalogue.SHIPPED.read_bytes())}
    assert len(rows) == 12
    assert "204" not in rows
    assert {code for code, row in rows.items() if row.obligation == "eis"} == {"208"}
    assert {code for code, row in rows.items() if row.horizon == "future"} == {"201", "210"}
    assert {code for code, row in rows.items() if row.subject == "station"} == {
        "205", "206", "207", "208", "209", "210", "211",
    }  # fmt: skip
    assert rows["211"].category == "V2x"
    assert rows["206"].text.startswith("Het laadstation biedt ondersteuning voor het stacken")


@pytest.mark.parametrize(
    ("content", "line", "column", "what"),
    [
        (file(ROW, heading=HEADING.replace("eis_wens", "eis-wens")), 1, "eis_wens", "missing"),
        (file(ROW, heading=HEADING.replace(",prio", "")), 1, "prio", "missing"),
        (file(ROW + ",x", heading=HEADING + ",kleur"), 1, "kleur", "not known"),
        (file(ROW, heading=HEADING + ",prio"), 1, "prio", "twice"),
        (b"", 1, "subcategorie", "missing"),
        (file(), None, "", "no requirements"),
        (file(ROW, "Smart Charging,,T,T,Bestaand,Wens,,"), 3, "id", "empty"),
        (file(ROW, ROW), 3, "id", "line 2 already"),
        (
            file("Smart Charging,206,T,T,Bestaand,Misschien,,"),
            2,
            "eis_wens",
            "'Misschien' is not Eis or Wens",
        ),
        (file("Smart Charging,206,T,T,Ooit,Wens,,"), 2, "bestaand_toekomst", "Bestaand or Toekomst"),
        (file("Smart Charging,206,T,,Bestaand,Wens,,"), 2, "omschrijving", "empty"),
        (file("Smart Charging,206,T,T,Bestaand,Wens,hoog,"), 2, "prio", "whole number"),
        (file(ROW, "Smart Charging,207,T"), 3, "omschrijving", "3 cells"),
        (file(ROW + ",extra"), 2, "9", "9 cells"),
        (
            file('Smart Charging,206,"Twee\nregels",T,Bestaand,Wens,,', "x,,T,T,Bestaand,Wens,,"),
            4,
            "id",
            "empty",
        ),
        (file('Smart Charging,206,"open'), 2, "", "CSV"),
        (HEADING.encode() + b"\nSmart Charging,206,\xe9\xe9n,T,Bestaand,Wens,,\n", 2, "", "UTF-8"),
    ],
)
def test_a_wrong_file_says_where(content: bytes, line: int | None, column: str, what: str) -> None:
    with pytest.raises(catalogue.CatalogueError) as error:
        catalogue.parse(content)
    assert (error.value.line, error.value.column) == (line, column)
    assert what in str(error.value)


def test_columns_may_stand_in_another_order_and_excel_adds_a_mark() -> None:
    heading = ",".join(reversed(catalogue.COLUMNS))
    row = ",".join(reversed(ROW.split(",")))
    assert catalogue.parse(b"\xef\xbb\xbf" + file(row, heading=heading)) == catalogue.parse(file(ROW))


@pytest.mark.django_db
def test_importing_twice_changes_nothing() -> None:
    for _ in range(2):
        catalogue.import_requirements(content=file(ROW), name="Set", version="1", now=NOW)
    assert RequirementSet.objects.count() == 1
    assert Requirement.objects.count() == 1


@pytest.mark.django_db
def test_a_version_never_changes_but_another_may_come() -> None:
    catalogue.import_requirements(content=file(ROW), name="Set", version="1", now=NOW)
    changed = file(ROW.replace("Zes", "Acht"))
    with pytest.raises(catalogue.CatalogueError, match="another version"):
        catalogue.import_requirements(content=changed, name="Set", version="1", now=NOW)
    second = catalogue.import_requirements(content=changed, name="Set", version="2", now=NOW)
    assert second.requirements.get().text == "Acht profielen."
    assert Requirement.objects.count() == 2


@pytest.mark.django_db
def test_a_set_counts_in_a_concession_and_keeps_what_was_filled_in() -> None:
    rows = catalogue.parse(file(ROW.replace(",,", ",2,eerst dit"), "Andere,A-1,T,T,Toekomst,Eis,,"))
    requirement_set = catalogue.import_requirements(
        content=file(ROW, "Andere,A-1,T,T,Toekomst,Eis,,"), name="Set", version="1", now=NOW
    )
    concession = make_concession()
    assert catalogue.apply_to(concession=concession, requirement_set=requirement_set, rows=rows) == 2
    asked = ConcessionRequirement.objects.get(requirement__code="206")
    assert (asked.priority, asked.comment) == (2, "eerst dit")
    ConcessionRequirement.objects.update(comment="van ons")
    assert catalogue.apply_to(concession=concession, requirement_set=requirement_set, rows=rows) == 0
    asked.refresh_from_db()
    assert asked.comment == "van ons"


@pytest.mark.django_db
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_concession(slug="stad-2026")
    call_command("import_requirements", str(catalogue.SHIPPED), concession="stad-2026")
    call_command("import_requirements", str(catalogue.SHIPPED), concession="stad-2026")
    assert "12 requirements" in capsys.readouterr().out
    assert ConcessionRequirement.objects.count() == 12
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(file(ROW, heading=HEADING.replace("prio", "prioriteit")))
    with pytest.raises(CommandError, match="line 1, column prio: this column is missing"):
        call_command("import_requirements", str(wrong))
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_requirements", str(tmp_path / "none.csv"))
