"""What an operator lives by: the log in pairs, the connection over time, files, firmware, and the fleet."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from stations import history, uploads
from stations.models import (
    ConnectionSpan,
    Event,
    FirmwareImage,
    FirmwareUpdate,
    Frame,
    Presence,
    Station,
    UploadTicket,
)
from stations.models.access import Role
from tests.factories import make_command, make_operator, make_site, make_staff, make_station
from tests.pages.visiting import MOST_QUERIES, queries_of, sees

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.UPLOAD_DIR = str(tmp_path)


@pytest.fixture
def station() -> Station:
    return make_station("S-1")


def ago(**length: float) -> dt.datetime:
    return timezone.now() - dt.timedelta(**length)


def said(station: Station, at: dt.datetime, text: str, *, direction: str = "in", action: str = "") -> None:
    kind = {"[2": "call", "[3": "result", "[4": "error"}.get(text[:2], "broken")
    message_id = text.split('"')[1] if kind != "broken" else ""
    Frame.objects.create(
        station=station,
        at=at,
        direction=direction,
        kind=kind,
        action=action,
        message_id=message_id,
        text=text,
    )


def connected(
    station: Station, since: dt.datetime, until: dt.datetime | None, **fields: Any
) -> ConnectionSpan:
    return ConnectionSpan.objects.create(
        station=station,
        connection=uuid4(),
        gateway=uuid4(),
        ocpp_version="1.6",
        connected_at=since,
        disconnected_at=until,
        **fields,
    )


def signed_in(user: Any) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


# ---------------------------------------------------------------- messages


class TestMessages:
    @pytest.fixture(autouse=True)
    def log(self, station: Station) -> None:
        said(station, ago(minutes=9), '[2,"a","Reset",{"type":"Soft"}]', direction="out", action="Reset")
        said(station, ago(minutes=8), '[3,"a",{"status":"Accepted"}]', action="Reset")
        said(station, ago(minutes=8), '[3,"a",{"status":"Accepted"}]')
        said(station, ago(minutes=5), '[2,"b","Nonsense",{}]', action="Nonsense")
        said(station, ago(minutes=5), '[4,"b","NotImplemented","",{}]', direction="out", action="Nonsense")
        said(
            station, ago(minutes=4), '[2,"c","UnlockConnector",{}]', direction="out", action="UnlockConnector"
        )
        said(station, ago(minutes=3), "rubbish")

    def test_late_repeated_unanswered_and_broken_are_said(self) -> None:
        page = sees(make_staff(), "/stations/S-1/berichten/")
        for words in (
            "late",
            "answered more than once",
            "answers nothing",
            "no answer",
            "not readable",
            "60 s",
        ):
            assert words in page

    def test_words_instead_of_json(self) -> None:
        page = sees(make_staff(), "/stations/S-1/berichten/", view="readable", action="Reset")
        assert "<dt>Type</dt><dd>Soft</dd>" in page
        assert "<dt>Status</dt><dd>Accepted</dd>" in page
        assert "<pre" not in page

    def test_a_measured_value_is_one_line(self, station: Station) -> None:
        value = {"value": "401.5", "measurand": "Power.Active.Import", "unit": "W", "phase": "L1"}
        text = json.dumps([2, "mv", "TransactionEvent", {"meterValue": [{"sampledValue": [value]}]}])
        said(station, ago(minutes=1), text, action="TransactionEvent")
        page = sees(make_staff(), "/stations/S-1/berichten/", view="readable", action="TransactionEvent")
        assert "<dt>Power.Active.Import</dt><dd>401.5 W, L1</dd>" in page

    def test_only_errors_and_nothing_that_fits_says_how_far_was_looked(self) -> None:
        page = sees(make_staff(), "/stations/S-1/berichten/", outcome="error")
        assert "NotImplemented" in page
        assert "UnlockConnector" not in page.partition("laad-frames")[2]
        assert "Searched from" in sees(make_staff(), "/stations/S-1/berichten/", q="nowhere")

    def test_a_range_of_time_is_the_wall_clock_here(self) -> None:
        since = timezone.localtime(ago(minutes=6)).strftime("%d-%m-%Y %H:%M")
        page = sees(make_staff(), "/stations/S-1/berichten/", since=since)
        assert "Nonsense" in page.partition("laad-frames")[2]
        assert "Soft" not in page.partition("laad-frames")[2]
        assert "Enter a valid date" in sees(make_staff(), "/stations/S-1/berichten/", since="yesterday")

    def test_exports_hold_exactly_what_is_filtered(self) -> None:
        client = signed_in(make_staff())
        rows = (
            client.get("/stations/S-1/berichten.csv", {"outcome": "error"}).getvalue().decode().splitlines()
        )
        assert len(rows) == 2
        assert "NotImplemented" in rows[1]
        lines = client.get("/stations/S-1/berichten.jsonl").getvalue().decode().splitlines()
        found = [json.loads(line) for line in lines]
        assert [one["outcome"] for one in found] == ["broken", "open", "error", "broken", "answered"]
        assert found[-1]["question"] == [2, "a", "Reset", {"type": "Soft"}]
        assert found[-1]["took_ms"] == pytest.approx(60_000, abs=50)
        assert len(found[-1]["answers"]) == 2

    def test_the_api_has_the_same_filters(self) -> None:
        client = signed_in(make_staff())
        found = client.get("/api/v1/stations/S-1/messages/", {"outcome": "error"}).json()["results"]
        assert [(line["direction"], line["kind"]) for line in found] == [("out", "error"), ("in", "call")]
        recent = client.get("/api/v1/stations/S-1/messages/", {"since": ago(minutes=4.5).isoformat()}).json()
        assert len(recent["results"]) == 2

    def test_queries_are_few(self) -> None:
        assert queries_of(make_staff(), "/stations/S-1/berichten/?outcome=error&q=x") <= MOST_QUERIES


# ---------------------------------------------------------------- the connection


class TestConnection:
    def test_days_answers_silences_boots_and_versions(self, station: Station) -> None:
        connected(station, ago(days=3), ago(days=2), reason="closed with 1006", address="192.0.2.7")
        connected(
            station,
            ago(days=1),
            None,
            address="192.0.2.8",
            clock_offset_s=-95.0,
            clock_seen_at=ago(minutes=1),
        )
        make_command(station, "Reset", state="accepted", sent_at=ago(seconds=70), answered_at=ago(seconds=60))
        said(station, ago(minutes=5), '[2,"h","Heartbeat",{}]', action="Heartbeat")
        said(
            station,
            ago(minutes=5) + dt.timedelta(milliseconds=40),
            '[3,"h",{}]',
            direction="out",
            action="Heartbeat",
        )
        for kind, data in (
            ("booted", {"reason": "Watchdog", "firmware": "2.0", "firmware_changed": True}),
            ("ocpp_changed", {"before": "1.6", "ocpp_version": "2.0.1", "withdrawn": 2}),
            ("bad_frame", {"code": "FormationViolation"}),
        ):
            Event.objects.create(
                station=station, kind=kind, at=ago(hours=1), recorded_at=ago(hours=1), data=data
            )
        page = sees(make_staff(), "/stations/S-1/verbinding/")
        for words in (
            "Reachable", "closed with 1006", "192.0.2.7", "95 s behind", "10.0 s", "hung and restarted itself",
            "other firmware", "other OCPP version", "1.6 → 2.0.1", "2 commands were withdrawn", "24 h",
        ):  # fmt: skip
            assert words in page, words

    def test_without_a_history_it_says_so(self, station: Station) -> None:
        page = sees(make_staff(), "/stations/S-1/verbinding/")
        assert "No connection was seen yet" in page
        assert page.count("not known") >= 30

    def test_the_csv_has_every_connection(self, station: Station) -> None:
        connected(station, ago(days=3), ago(days=2), reason="=1+1")
        text = signed_in(make_staff()).get("/stations/S-1/verbinding.csv").content.decode()
        assert "'=1+1" in text
        assert ",86400," in text

    def test_queries_do_not_grow_with_what_happened(self, station: Station) -> None:
        few = queries_of(make_staff(), "/stations/S-1/verbinding/")
        for number in range(40):
            connected(station, ago(hours=number + 2), ago(hours=number + 1))
            make_command(
                station, "Reset", state="accepted", sent_at=ago(seconds=9), answered_at=ago(seconds=8)
            )
        assert queries_of(make_staff(), "/stations/S-1/verbinding/") <= max(few, 1) + 1 <= MOST_QUERIES

    def test_the_api_tells_the_same(self, station: Station) -> None:
        connected(station, ago(days=1), None, address="192.0.2.8")
        found = signed_in(make_staff()).get("/api/v1/stations/S-1/connection/").json()
        assert found["connections"][0]["address"] == "192.0.2.8"
        assert found["days"][0]["share"] == 1.0


class TestFleet:
    def test_the_silent_the_slow_and_the_flapping_are_found(self) -> None:
        site = make_site()
        silent, slow, flapping = (make_station(name, site=site) for name in ("SILENT", "SLOW", "FLAPS"))
        for station, minutes in ((silent, 600), (slow, 1), (flapping, 2)):
            Presence.objects.create(
                station=station, last_message_at=ago(minutes=minutes), connected_at=ago(days=1)
            )
        make_command(slow, "Reset", state="accepted", sent_at=ago(seconds=70), answered_at=ago(seconds=60))
        for number in range(6):
            connected(flapping, ago(hours=number + 1), ago(hours=number + 0.5))
        history.measure(timezone.now())
        staff = make_staff()
        page = sees(staff, "/verbindingen/")
        assert page.index("SILENT") < page.index("FLAPS") < page.index("SLOW")
        assert "SLOW" in sees(staff, "/verbindingen/", show="slow")
        assert "FLAPS" not in sees(staff, "/verbindingen/", show="slow")
        assert "SLOW" not in sees(staff, "/verbindingen/", show="flapping")
        assert "No station fits this search" in sees(staff, "/verbindingen/", q="nowhere")

    def test_another_operators_stations_are_not_in_it(self) -> None:
        make_station("S-1")
        assert "S-1" not in sees(make_staff(operator=make_operator("rival")), "/verbindingen/")

    def test_queries_do_not_grow_with_the_fleet(self) -> None:
        staff, site = make_staff(), make_site()
        make_station(site=site)
        few = queries_of(staff, "/verbindingen/")
        for _ in range(20):
            make_station(site=site)
        assert queries_of(staff, "/verbindingen/") == few <= MOST_QUERIES


# ---------------------------------------------------------------- files and firmware


class TestFiles:
    def test_a_log_is_listed_and_downloads_as_nothing_but_a_file(self, station: Station) -> None:
        ticket = uploads.ticket(station=station, kind="log", now=timezone.now())
        uploads.take_in(ticket.row, [b"<script>"], name="../../x.html", now=timezone.now())
        page = sees(make_staff(), "/stations/S-1/bestanden/")
        assert "received" in page
        assert "x.html" in page
        response = signed_in(make_staff()).get(f"/stations/S-1/bestanden/{ticket.row.pk}/")
        assert response.getvalue() == b"<script>"
        assert response["Content-Type"] == "application/octet-stream"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Content-Disposition"] == 'attachment; filename="S-1-x.html"'

    def test_a_strangers_station_has_no_files(self, station: Station) -> None:
        ticket = uploads.ticket(station=station, kind="log", now=timezone.now())
        uploads.take_in(ticket.row, [b"x"], name="x", now=timezone.now())
        rival = signed_in(make_staff(operator=make_operator("rival")))
        assert rival.get(f"/stations/S-1/bestanden/{ticket.row.pk}/").status_code == 404
        make_station("S-2")
        assert signed_in(make_staff()).get(f"/stations/S-2/bestanden/{ticket.row.pk}/").status_code == 404

    def test_an_update_shows_its_way(self, station: Station) -> None:
        image = FirmwareImage.objects.create(
            operator=station.site.operator, version="9.9", name="f.bin", file="f", size=1000, sha256="0" * 64,
            uploaded_at=timezone.now(),
        )  # fmt: skip
        FirmwareUpdate.objects.create(station=station, image=image, asked_at=timezone.now(), request_id=7)
        for status in ("Downloading", "Downloaded", "Installing", "InstallationFailed"):
            uploads.note_status(station, 7, status, action="FirmwareStatusNotification", now=timezone.now())
        uploads.note_sent(image.pk, station.pk, 500)
        page = sees(make_staff(), "/stations/S-1/bestanden/firmware/")
        assert "Downloading → Downloaded → Installing → InstallationFailed" in page
        assert "failed" in page
        assert '<progress value="500" max="1000"' in page


class TestFirmware:
    def test_who_operates_adds_an_image_and_stations_can_fetch_it_from_any_byte_on(self) -> None:
        operator = make_operator()
        client = signed_in(make_staff())
        file = SimpleUploadedFile("fw v2.bin", b"0123456789")
        posted = client.post(
            "/firmware/", {"operator": operator.pk, "version": "2.0", "file": file, "notes": ""}
        )
        assert posted.status_code == 302
        image = FirmwareImage.objects.get()
        assert (image.name, image.size) == ("fw_v2.bin", 10)
        link = uploads.offer(image).partition("8000")[2]
        station = Client()
        assert station.get(link).getvalue() == b"0123456789"
        part = station.get(link, headers={"Range": "bytes=4-"})
        assert (part.status_code, part.getvalue(), part["Content-Range"]) == (206, b"456789", "bytes 4-9/10")
        assert station.get(link, headers={"Range": "bytes=-3"}).getvalue() == b"789"
        assert station.get(link, headers={"Range": "bytes=2-3"}).getvalue() == b"23"
        assert station.get(link, headers={"Range": "bytes=10-"}).status_code == 416
        assert station.get(link.replace("token-", "token-x")).status_code == 403

    def test_what_is_no_firmware_and_what_is_too_large_is_refused(self, settings: Any) -> None:
        settings.FIRMWARE_MAX_BYTES = 5
        operator, client = make_operator(), signed_in(make_staff())
        for name, words in (("page.html", "Choose a file that ends in"), ("fw.bin", "too large")):
            fields = {
                "operator": operator.pk,
                "version": "1",
                "file": SimpleUploadedFile(name, b"0123456789"),
            }
            answer = client.post("/firmware/", fields)
            assert answer.status_code == 422
            assert words in answer.content.decode()
        assert not FirmwareImage.objects.exists()

    def test_a_reader_sees_the_list_and_adds_nothing(self) -> None:
        reader = make_staff(role=Role.READER)
        assert "Add firmware" not in sees(reader, "/firmware/")
        assert signed_in(reader).post("/firmware/", {}).status_code == 404

    def test_what_is_removed_is_gone_from_disk_and_link(self, tmp_path: Any) -> None:
        operator, client = make_operator(), signed_in(make_staff())
        file = SimpleUploadedFile("fw.bin", b"0123456789")
        client.post("/firmware/", {"operator": operator.pk, "version": "2.0", "file": file})
        image = FirmwareImage.objects.get()
        link = uploads.offer(image).partition("8000")[2]
        assert client.post(f"/firmware/{image.pk}/verwijderen/").status_code == 302
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        assert Client().get(link).status_code == 410


def test_old_files_go_and_a_link_that_nothing_came_by_has_failed(station: Station, tmp_path: Any) -> None:
    old = uploads.ticket(station=station, kind="log", now=ago(days=100))
    UploadTicket.objects.filter(pk=old.row.pk).update(expires_at=timezone.now() + dt.timedelta(days=1))
    uploads.take_in(old.row, [b"x"], name="x", now=ago(days=100))
    unused = uploads.ticket(station=station, kind="log", now=ago(days=2))
    uploads.forget_old(timezone.now())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert UploadTicket.objects.get().state == "failed"
    assert UploadTicket.objects.get().pk == unused.row.pk
