"""Lists as people use them: sorted, filtered, with the columns they want, saved under a name, taken along as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from portal.accounts.saved_filters import ListChoice, SavedFilter
from portal.pages.station_list import STATIONS
from portal.tables import counting, exports, saved
from portal.tables.columns import LISTS
from stations.models import Station
from tests.factories import make_official, make_session, make_staff, make_station
from tests.pages.visiting import make_online, queries_of, sees

pytestmark = pytest.mark.django_db

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def client_of(user: Any, language: str = "en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def heads(page: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", head).strip() for head in re.findall(r"<th scope=\"col\".*?</th>", page)]


def lines(page: str) -> list[str]:
    return re.findall(r"<th scope=\"row\".*?/stations/([^/]+)/", page)


def chips(page: str) -> list[str]:
    return [re.sub(r"<[^>]+>", "", chip).strip() for chip in re.findall(r'<a class="laad-chip".*?</a>', page)]


def rows_of_csv(answer: Any, delimiter: str = ",") -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def cells_of_xlsx(answer: Any) -> list[dict[str, tuple[str, str]]]:
    """Each row by column letter: kind of the cell ("inlineStr", "n", "str" for a formula's text) and its text."""
    book = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{_SHEET}f"))  # no formula anywhere
    return [
        {
            re.sub(r"\d", "", cell.get("r", "")): (cell.get("t", "n"), "".join(cell.itertext()))
            for cell in row.iter(f"{_SHEET}c")
        }
        for row in sheet.iter(f"{_SHEET}row")
    ]


# ---------------------------------------------------------------- order


def test_a_head_says_how_the_list_is_sorted_and_leads_to_the_other_way() -> None:
    make_station("A-1")
    make_station("B-1")
    staff = make_staff()
    page = sees(staff, "/stations/")
    assert lines(page) == ["A-1", "B-1"]
    assert page.count('aria-sort="ascending"') == 1
    assert 'href="/stations/?sort=-identity"' in page
    page = sees(staff, "/stations/", sort="-identity")
    assert lines(page) == ["B-1", "A-1"]
    assert page.count('aria-sort="descending"') == 1


def test_what_is_not_known_comes_last_both_ways() -> None:
    staff = make_staff()
    make_online(make_station("SEEN"))
    make_station("NEVER")
    Station.objects.get(identity="SEEN").presence.__class__.objects.update(last_message_at=timezone.now())
    for sort in ("silence", "-silence"):
        assert lines(sees(staff, "/verbindingen/", sort=sort)) == ["SEEN", "NEVER"]


@pytest.mark.parametrize("key", sorted(LISTS))
def test_every_list_names_its_rows_sorts_by_a_column_it_has_and_exports_every_column(key: str) -> None:
    definition = LISTS[key]
    if not definition.columns:
        return  # a log in lines of its own: only what narrows it is of the component
    column = definition.column(definition.sort.removeprefix("-"))
    assert column is not None
    assert column.sorts
    assert definition.columns[0].usual
    assert [each.key for each in definition.columns if not each.outs] == []
    assert [each.key for each in definition.columns if (each.cell is None) == (not each.template)] == []


# ---------------------------------------------------------------- filter


def test_a_filter_in_force_is_shown_and_taken_away() -> None:
    make_station("A-1", version="1.6")
    make_station("B-1", version="2.0.1")
    staff = make_staff()
    page = sees(staff, "/stations/", version="2.0.1", q="B", sort="-identity")
    assert chips(page) == ["Remove filter Search: B", "Remove filter OCPP version: OCPP 2.0.1"]
    without = re.findall(r'class="laad-chip" href="([^"]+)"', page)[1].replace("&amp;", "&")
    assert chips(sees(staff, without)) == ["Remove filter Search: B"]
    assert "sort=-identity" in without
    assert lines(sees(staff, "/stations/?filter=none")) == ["A-1", "B-1"]


def test_a_choice_is_shown_by_its_name_and_not_by_its_key() -> None:
    station = make_station()
    page = sees(make_official(), "/stations/", operator=station.site.operator.pk, online="no")
    assert chips(page) == [
        f"Remove filter Operator: {station.site.operator}",
        "Remove filter Connectivity: offline",
    ]


def test_an_empty_list_says_what_to_do() -> None:
    make_station()
    page = sees(make_staff(), "/stations/", q="nowhere")
    assert "Use fewer words or another filter." in page
    assert 'href="/stations/?filter=none"' in page


def test_a_field_that_cannot_be_read_says_so_and_narrows_nothing() -> None:
    station = make_station("S-1")
    make_session(station)
    page = sees(make_staff(), "/stations/S-1/sessies/", since="tomorrow")
    assert 'aria-invalid="true"' in page
    assert 'aria-describedby="id_since' in page
    assert chips(page) == []
    assert "1 to 1 of 1" in page


# ---------------------------------------------------------------- columns


def test_columns_are_chosen_in_the_address_and_remembered() -> None:
    make_station("A-1")
    client = client_of(make_staff())
    assert "Make and model" not in heads(client.get("/stations/").content.decode())
    answer = client.post(
        "/lijsten/stations/kolommen/",
        {"column": ["hardware", "version", "no-such"], "path": "/stations/", "query": "q=A"},
    )
    assert answer.headers["Location"] == "/stations/?q=A&columns=hardware,version"
    assert heads(client.get(answer.headers["Location"]).content.decode()) == [
        "Station",
        "OCPP",
        "Make and model",
    ]
    assert heads(client.get("/stations/").content.decode()) == ["Station", "OCPP", "Make and model"]
    # The address of somebody else wins over what one remembers.
    assert heads(client.get("/stations/?columns=state").content.decode()) == ["Station", "Limits"]
    client.post("/lijsten/stations/kolommen/", {"usual": "1", "path": "/stations/"})
    assert len(heads(client.get("/stations/").content.decode())) == len(STATIONS.usual)


def test_the_name_of_a_row_is_never_left_out() -> None:
    make_station("A-1")
    client = client_of(make_staff())
    client.post("/lijsten/stations/kolommen/", {"path": "/stations/"})
    assert heads(client.get("/stations/").content.decode()) == ["Station"]


def test_what_one_remembers_is_nobody_elses() -> None:
    make_station("A-1")
    client_of(make_staff()).post("/lijsten/stations/kolommen/", {"column": "state", "path": "/stations/"})
    assert len(heads(sees(make_official(), "/stations/"))) == len(STATIONS.usual)


# ---------------------------------------------------------------- saved filters


def keep(client: Client, name: str, query: str, **more: str) -> Any:
    data = {"name": name, "query": query, "deed": "save", "path": "/stations/", **more}
    return client.post("/lijsten/stations/filters/", data, follow=True)


def test_a_filter_is_saved_under_a_name_used_replaced_and_removed() -> None:
    make_station("A-1")
    make_station("B-1")
    client = client_of(make_staff())
    page = keep(client, "Mine", "q=B&page=3&online=").content.decode()
    assert "The filter Mine is saved." in page
    assert 'href="/stations/?q=B"' in page  # without a page, and without what is empty
    assert lines(client.get("/stations/?q=B").content.decode()) == ["B-1"]
    keep(client, "Mine", "q=A&sort=-identity")
    assert SavedFilter.objects.get().query == "q=A&sort=-identity"
    keep(client, "Mine", "", deed="forget")
    assert not SavedFilter.objects.exists()


def test_the_default_one_opens_with_the_list_until_one_asks_for_all() -> None:
    make_station("A-1")
    make_station("B-1")
    client = client_of(make_staff())
    keep(client, "First", "q=A", is_default="on")
    keep(client, "Second", "q=B", is_default="on")
    answer = client.get("/stations/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/stations/?q=B")
    assert lines(client.get("/stations/?filter=none").content.decode()) == ["A-1", "B-1"]
    # The way out of the last filter leads to all, not back into the default one.
    page = client.get("/stations/?q=B").content.decode()
    assert 'class="laad-chip" href="/stations/?filter=none"' in page
    keep(client, "First", "", deed="default")
    assert client.get("/stations/").headers["Location"] == "/stations/?q=A"
    keep(client, "First", "", deed="no_default")
    assert client.get("/stations/").status_code == 200


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"name": ""}, "Give the filter a name."),
        ({"name": "x" * 61}, "A name has at most 60 characters."),
        ({"query": "q=" + "x" * 2000}, "This filter is too long to keep."),
    ],
)
def test_what_cannot_be_saved_says_why(data: dict[str, str], said: str) -> None:
    make_station()
    client = client_of(make_staff())
    page = client.post(
        "/lijsten/stations/filters/",
        {"name": "Mine", "query": "q=A", "deed": "save", "path": "/stations/"} | data,
        follow=True,
    ).content.decode()
    assert said in page
    assert not SavedFilter.objects.exists()


def test_there_is_an_end_to_what_one_person_keeps() -> None:
    staff = make_staff()
    for number in range(saved.MOST_FILTERS):
        saved.save_filter(user=staff, list_key="stations", name=str(number), query="", is_default=False)
    with pytest.raises(saved.TooMany):
        saved.save_filter(user=staff, list_key="stations", name="one more", query="", is_default=False)
    saved.save_filter(user=staff, list_key="stations", name="3", query="q=A", is_default=False)
    assert "Not saved: you have 30 filters here already" in keep(client_of(staff), "x", "").content.decode()


def test_the_database_knows_one_default_and_one_of_a_name() -> None:
    choice = ListChoice.objects.create(user=make_staff(), list_key="stations")
    SavedFilter.objects.create(choice=choice, name="a", is_default=True)
    for name, is_default in (("b", True), ("a", False)):
        with pytest.raises(IntegrityError), transaction.atomic():
            SavedFilter.objects.create(choice=choice, name=name, is_default=is_default)


def test_nobody_is_led_elsewhere_and_an_unknown_list_is_not_found() -> None:
    client = client_of(make_staff())
    for path in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:1"):
        answer = client.post("/lijsten/stations/kolommen/", {"usual": "1", "path": path})
        assert answer.headers["Location"].startswith("/?")
    assert client.post("/lijsten/nothing/kolommen/").status_code == 404
    assert client.post("/lijsten/nothing/filters/").status_code == 404
    assert client.get("/lijsten/stations/filters/").status_code == 405


# ---------------------------------------------------------------- files


def test_csv_holds_what_is_filtered_with_the_columns_chosen() -> None:
    make_station("A-1", name="=1+1")
    make_station("B-1")
    answer = client_of(make_staff()).get("/stations/?export=csv&q=A-&columns=version")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="stations.csv"'
    assert rows_of_csv(answer) == [["Station", "Name", "OCPP"], ["A-1", "'=1+1", "1.6"]]


def test_csv_is_as_a_dutch_spreadsheet_reads_it() -> None:
    start = dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)  # the second 02:30 of that night
    make_session(
        make_station("S-1"), started_at=start, state="ended", start_import_wh=1000.0, end_import_wh=2501.0
    )
    path = "/stations/S-1/sessies/?export=csv&columns=charged"
    _head, line = rows_of_csv(client_of(make_staff(), "nl").get(path), ";")
    assert line == ["2026-10-25T02:30:00+01:00", "1,501"]
    head, line = rows_of_csv(client_of(make_staff(), "en").get(path))
    assert head == ["Start (Europe/Amsterdam)", "Charged (kWh)"]
    assert line[1] == "1.501"


def test_xlsx_holds_numbers_times_and_texts_that_are_no_formulas() -> None:
    start = dt.datetime(2026, 7, 1, 10, 0, tzinfo=dt.UTC)
    make_session(
        make_station("S-1"),
        started_at=start,
        state="ended",
        start_import_wh=1000.0,
        end_import_wh=2500.0,
        transaction_id="=cmd|x",
    )
    answer = client_of(make_staff()).get("/stations/S-1/sessies/?export=xlsx&columns=charged,transaction")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sessions.xlsx"'
    head, line = cells_of_xlsx(answer)
    assert [text for _kind, text in head.values()] == [
        "Start (Europe/Amsterdam)",
        "Charged (kWh)",
        "Transaction",
    ]
    assert line["A"] == ("n", "46204.5")  # 12:00 here, as a spreadsheet counts days
    assert line["B"] == ("n", "1.5")
    assert line["C"] == ("inlineStr", "=cmd|x")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_text_becomes_a_formula_and_a_number_below_zero_stays_one(text: str) -> None:
    assert exports._csv_value(text, "nl") == f"'{text}"
    assert exports._csv_value(-1.5, "nl") == "-1,5"
    assert exports._csv_value(-1.5, "en") == "-1.5"


def test_a_file_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        make_station(f"S-{number}")
    monkeypatch.setattr(exports, "MOST_ROWS", 3)
    monkeypatch.setattr(exports, "ROWS_A_BITE", 2)
    assert len(rows_of_csv(client_of(make_staff()).get("/stations/?export=csv"))) == 1 + 3


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_file_holds_nothing_that_the_page_would_not_show(ending: str) -> None:
    make_station("S-1")
    assert client_of(make_official()).get(f"/stations/S-1/sessies/?export={ending}").status_code == 404


# ---------------------------------------------------------------- pages and how many


def test_pages_keep_order_filter_and_columns() -> None:
    for number in range(60):
        make_station(f"S-{number:02}")
    page = sees(make_staff(), "/stations/", sort="-identity", q="S-", columns="state", page="2")
    assert "26 to 50 of 60" in page
    assert lines(page)[0] == "S-34"
    assert "?sort=-identity&amp;q=S-&amp;columns=state&amp;page=1" in page
    assert 'name="columns" value="state"' in page  # the form of the filter brings it along


def test_of_very_many_it_says_about_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        make_station(f"S-{number}")
    monkeypatch.setattr(counting, "COUNTED", 4)
    page = sees(make_staff(), "/stations/")
    about = "1 to 4 of about" if connection.vendor == "postgresql" else "1 to 4 of more than 4."
    assert about in page
    assert "Pages go up to 4; use a filter for the rest." in page


def test_queries_do_not_grow_with_columns_or_saved_filters() -> None:
    staff = make_staff()
    make_station()
    few = queries_of(staff, "/stations/")
    for number in range(5):
        saved.save_filter(user=staff, list_key="stations", name=str(number), query="q=x", is_default=False)
    every = ",".join(column.key for column in STATIONS.columns)
    assert queries_of(staff, f"/stations/?columns={every}") == few
