"""The Dutch catalogue: found in the source, kept up to date, judged, and read by Django."""

from __future__ import annotations

import gettext
from datetime import date
from pathlib import Path

import pytest
from babel.dates import get_day_names, get_month_names
from babel.messages.pofile import read_po
from django.utils import translation
from django.utils.formats import date_format

from portal import messages

PAGE = """\
{% load i18n %}
<main>
    <h1>{% translate "Stations" %}</h1>
  <p title="{% translate "Wish" context "requirement" %}">it's 5 o'clock: 100%</p>
      {% blocktranslate count n=stations|length %}{{ n }} pole{% plural %}{{ n }} poles{% endblocktranslate %}
</main>
"""
CODE = """\
from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy

NAME = _("Charging profile")
LIMIT = _("at most {limit} A")
KIND = pgettext_lazy("requirement", "Duty")
def shown(n): return ngettext("%(n)d socket", "%(n)d sockets", n)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app" / "templates").mkdir(parents=True)
    (tmp_path / "app" / "templates" / "page.html").write_text(PAGE)
    (tmp_path / "app" / "views.py").write_text(CODE)
    return tmp_path


def catalogue(project: Path) -> Path:
    return project / "nl" / "django.po"


def translate(project: Path, original: str, dutch: str) -> None:
    """As a translator does it: write the Dutch text under the message."""
    path = catalogue(project)
    text = path.read_text()
    assert f'msgid "{original}"\nmsgstr ""' in text
    path.write_text(text.replace(f'msgid "{original}"\nmsgstr ""', f'msgid "{original}"\nmsgstr "{dutch}"'))


def test_messages_are_found_in_code_and_templates(project: Path) -> None:
    found = {
        (message.id, message.context) for message in messages.extract_catalog(project, ["app"]) if message.id
    }
    assert found == {
        ("Stations", None),
        ("Wish", "requirement"),
        (("%(n)s pole", "%(n)s poles"), None),
        ("Charging profile", None),
        ("at most {limit} A", None),
        ("Duty", "requirement"),
        (("%(n)d socket", "%(n)d sockets"), None),
    }


def test_an_update_keeps_translations_and_drops_what_went(project: Path) -> None:
    messages.update(catalogue(project), messages.extract_catalog(project, ["app"]))
    translate(project, "Stations", "Laadstations")
    (project / "app" / "views.py").write_text("")

    source = messages.extract_catalog(project, ["app"])
    updated = messages.update(catalogue(project), source)

    stations = updated.get("Stations")
    assert stations is not None
    assert stations.string == "Laadstations"
    assert "Charging profile" not in catalogue(project).read_text()
    assert "not translated: 'Stations'" not in "\n".join(messages.faults(updated, source))


def test_a_second_update_changes_not_a_byte(project: Path) -> None:
    source = messages.extract_catalog(project, ["app"])
    messages.update(catalogue(project), source)
    before = catalogue(project).read_bytes()
    messages.update(catalogue(project), source)
    assert catalogue(project).read_bytes() == before
    assert b"Date" not in before


def test_faults_name_the_message_and_where_it_stands(project: Path) -> None:
    source = messages.extract_catalog(project, ["app"])
    messages.update(catalogue(project), source)
    translate(project, "at most {limit} A", "ten hoogste {grens} A")
    text = catalogue(project).read_text()
    catalogue(project).write_text(text + '\nmsgid "Gone"\nmsgstr "Weg"\n')

    faults = messages.faults(messages.read_catalog(catalogue(project)), source)

    assert "not translated: 'Stations' in app/templates/page.html" in faults
    assert "other {names} than the original: 'at most {limit} A' in app/views.py" in faults
    assert any(fault.startswith("obsolete: 'Gone'") for fault in faults)


def test_a_catalogue_that_does_not_exist_lacks_everything(project: Path) -> None:
    source = messages.extract_catalog(project, ["app"])
    faults = messages.faults(messages.read_catalog(catalogue(project)), source)
    assert len(faults) == len(source) == 7
    assert all(fault.startswith("not in the catalogue: ") for fault in faults)


def test_a_compiled_catalogue_speaks_dutch(project: Path) -> None:
    messages.update(catalogue(project), messages.extract_catalog(project, ["app"]))
    translate(project, "Stations", "Laadstations")
    compiled = messages.compile_catalog(catalogue(project))
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Stations") == "Laadstations"


def test_the_catalogue_is_a_valid_file_with_dutch_plurals(project: Path) -> None:
    messages.update(catalogue(project), messages.extract_catalog(project, ["app"]))
    with catalogue(project).open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    assert catalog.num_plurals == 2


def test_no_message_of_ours_is_a_name_of_the_calendar() -> None:
    """Django looks its months and days up in the same catalogue: "may" is one of them."""
    with translation.override("nl"):
        months = [date_format(date(2026, month, 1), "F") for month in range(1, 13)]
        short = [date_format(date(2026, month, 1), "b") for month in range(1, 13)]
        days = [date_format(date(2026, 6, day), "l") for day in range(1, 8)]  # 1 June 2026 is a Monday
    assert months == list(get_month_names("wide", locale="nl").values())
    assert [name[:1] for name in short] == [name[:1] for name in months]
    assert short[4] == "mei"
    assert days == [get_day_names("wide", locale="nl")[number] for number in range(7)]
