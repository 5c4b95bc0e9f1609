"""The lists of one station, and the evidence of a requirement: what stands in them, sorted, filtered, taken along."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from portal.compliance.models import Requirement
from stations.models import (
    FirmwareImage,
    FirmwareUpdate,
    InstalledCertificate,
    Station,
    StationCertificate,
    VariableMonitor,
)
from stations.models.access import Role
from tests.compliance.fakes import append_evidence, make_online_station
from tests.factories import make_official, make_operator, make_staff, make_station
from tests.pages.test_tables import chips, client_of, heads, rows_of_csv
from tests.pages.visiting import MOST_QUERIES, queries_of, sees

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def order_of(page: str, *words: str) -> list[str]:
    """The words that are on the page, as they come."""
    body = page[page.index("<tbody") : page.index("</tbody")]
    return sorted((word for word in words if word in body), key=body.index)


# ---------------------------------------------------------------- monitors
def monitor(station: Station, name: str, *, severity: int = 3, **fields: Any) -> VariableMonitor:
    said = {"component": "EVSE#1", "kind": "UpperThreshold", "value": 60.5, "state": "set"} | fields
    return VariableMonitor.objects.create(
        station=station, name=name, severity=severity, read_at=timezone.now(), **said
    )


class TestMonitors:
    path = "/stations/S-1/bewaking/"

    def test_the_worst_come_first_and_each_column_sorts(self) -> None:
        station, staff = make_station("S-1", version="2.0.1"), make_staff()
        monitor(station, "Temperature", severity=7)
        monitor(station, "Voltage", severity=2)
        names = ("Temperature", "Voltage")
        assert order_of(sees(staff, self.path), *names) == ["Voltage", "Temperature"]
        assert order_of(sees(staff, self.path, sort="-bad"), *names) == ["Temperature", "Voltage"]
        assert order_of(sees(staff, self.path, sort="variable"), *names) == ["Temperature", "Voltage"]

    def test_they_are_filtered_by_words_kind_and_state(self) -> None:
        station, staff = make_station("S-1", version="2.0.1"), make_staff()
        monitor(station, "Temperature", kind="Periodic", value=60)
        monitor(station, "Voltage", state="refused", reason="no room", component="Controller")
        names = ("Temperature", "Voltage")
        assert order_of(sees(staff, self.path, q="temper"), *names) == ["Temperature"]
        assert order_of(sees(staff, self.path, q="controller"), *names) == ["Voltage"]
        assert order_of(sees(staff, self.path, kind="Periodic"), *names) == ["Temperature"]
        refused = sees(staff, self.path, state="refused")
        assert order_of(refused, *names) == ["Voltage"]
        assert "no room" in refused
        assert chips(refused) == ["Remove filter State: refused"]
        assert "No monitor fits these filters" in sees(staff, self.path, q="nothing")

    def test_what_the_maker_built_in_is_not_offered_for_removal(self) -> None:
        station, operator = make_station("S-1", version="2.0.1"), make_staff(role=Role.OPERATOR)
        own = monitor(station, "Temperature", number=1, made_by="CustomMonitor")
        wired = monitor(station, "Voltage", number=2, made_by="HardWiredMonitor")
        page = sees(operator, self.path)
        assert f"/bewaking/{own.pk}/wissen/" in page
        assert f"/bewaking/{wired.pk}/wissen/" not in page
        assert "/wissen/" not in sees(make_staff(role=Role.READER), self.path)

    def test_they_are_taken_along(self) -> None:
        station = make_station("S-1", version="2.0.1")
        monitor(station, "Temperature", only_in_transactions=True)
        head, line = rows_of_csv(client_of(make_staff()).get(f"{self.path}?export=csv&columns=when,bad"))
        assert head == [
            "Variable",
            "Component",
            "Told when",
            "Value",
            "Only while a car charges",
            "How bad",
        ]
        assert line == ["Temperature", "EVSE#1", "above", "60.5", "yes", "3 critical"]

    def test_a_station_without_says_what_to_do(self) -> None:
        make_station("S-1", version="2.0.1")
        assert "Read them from the station, or add one." in sees(make_staff(), self.path)
        assert "Nothing has been told yet" in sees(make_staff(), f"{self.path}opgemerkt/")

    def test_queries_do_not_grow(self) -> None:
        station, staff = make_station("S-1", version="2.0.1"), make_staff()
        monitor(station, "First")
        few = queries_of(staff, self.path)
        for number in range(40):
            monitor(station, f"N-{number:02}")
        assert queries_of(staff, self.path) == few <= MOST_QUERIES
        assert order_of(sees(staff, self.path), "N-00", "N-39") == ["N-00"]
        assert order_of(sees(staff, self.path, page=2), "N-00", "N-39") == ["N-39"]


# ---------------------------------------------------------------- certificates
def own(station: Station, subject: str, *, ends: dt.timedelta = 365 * DAY, **fields: Any) -> None:
    now = timezone.now()
    said: dict[str, Any] = {"state": "accepted", "not_before": now - DAY, "not_after": now + ends} | fields
    StationCertificate.objects.create(station=station, subject=subject, requested_at=now, **said)


def root(station: Station, subject: str, **fields: Any) -> None:
    said = {"use": "CSMSRootCertificate", "state": "installed", "issuer_key_hash": "ab"} | fields
    InstalledCertificate.objects.create(station=station, subject=subject, read_at=timezone.now(), **said)


class TestCertificates:
    path = "/stations/S-1/beveiliging/certificaten/"

    def test_its_own_come_before_the_roots_and_what_is_over_comes_last(self) -> None:
        station = make_station("S-1", version="2.0.1")
        root(station, "CN=root")
        own(station, "CN=current")
        own(station, "CN=revoked", state="revoked", reason="lost")
        names = ("CN=root", "CN=current", "CN=revoked")
        assert order_of(sees(make_staff(), self.path), *names) == ["CN=current", "CN=revoked", "CN=root"]
        assert order_of(sees(make_staff(), self.path, sort="-whose"), *names)[0] == "CN=root"

    def test_they_are_filtered_by_whose_and_by_how_they_stand(self) -> None:
        station, staff = make_station("S-1", version="2.0.1"), make_staff()
        names = ("CN=fine", "CN=ends", "CN=over", "CN=root", "CN=gone")
        own(station, "CN=fine")
        own(station, "CN=ends", ends=10 * DAY)
        own(station, "CN=over", ends=-DAY / 2)
        root(station, "CN=root")
        root(station, "CN=gone", state="deleted")
        soon = sees(staff, self.path, state="soon")
        assert sorted(order_of(soon, *names)) == ["CN=ends", "CN=over"]
        assert "expired" in soon
        assert sorted(order_of(sees(staff, self.path, whose="root"), *names)) == ["CN=gone", "CN=root"]
        assert order_of(sees(staff, self.path, state="over"), *names) == ["CN=gone"]
        page = sees(staff, self.path, whose="own", state="living", sort="until")
        assert order_of(page, *names) == ["CN=over", "CN=ends", "CN=fine"]
        assert "No certificate fits these filters" in sees(staff, self.path, whose="own", state="over")

    def test_who_sends_commands_takes_away_what_can_be(self) -> None:
        station = make_station("S-1", version="2.0.1")
        own(station, "CN=fine")
        own(station, "CN=past", ends=-DAY / 2)
        root(station, "CN=root")
        root(station, "CN=refused", state="refused")
        page = sees(make_staff(role=Role.OPERATOR), self.path)
        assert (page.count("/intrekken/"), page.count("/verwijderen/")) == (1, 1)
        reader = sees(make_staff(role=Role.READER), self.path)
        assert (reader.count("/intrekken/"), reader.count("/verwijderen/")) == (0, 0)

    def test_they_are_taken_along_with_their_whole_hash(self) -> None:
        station = make_station("S-1", version="2.0.1")
        own(station, "CN=fine", fingerprint="ab" * 32)
        answer = client_of(make_staff()).get(f"{self.path}?export=csv&columns=whose")
        _head, line = rows_of_csv(answer)
        assert line == ["to reach this portal", "CN=fine", "", "ab" * 32, "the station's own"]

    def test_a_station_without_says_how_one_comes(self) -> None:
        make_station("S-1")
        assert "The station needs one for security profile 3." in sees(make_staff(), self.path)

    def test_an_official_and_a_rival_find_nothing(self) -> None:
        make_station("S-1")
        sees(make_official(), self.path, status=404)
        sees(make_staff(operator=make_operator("rival")), self.path, status=404)


# ---------------------------------------------------------------- firmware
def update(station: Station, version: str, *, state: str = "busy", **fields: Any) -> FirmwareUpdate:
    now = timezone.now()
    image = FirmwareImage.objects.create(
        operator=station.site.operator, version=version, name=f"{version}.bin", file="f", size=1000,
        sha256="0" * 64, uploaded_at=now,
    )  # fmt: skip
    return FirmwareUpdate.objects.create(station=station, image=image, asked_at=now, state=state, **fields)


class TestFirmwareUpdates:
    path = "/stations/S-1/bestanden/firmware/"

    def test_the_newest_comes_first_and_they_are_filtered(self) -> None:
        station, staff = make_station("S-1"), make_staff()
        update(station, "1.0", state="installed")
        update(station, "2.0", state="failed", said="InstallationFailed")
        assert order_of(sees(staff, self.path), "1.0.bin", "2.0.bin") == ["2.0.bin", "1.0.bin"]
        assert order_of(sees(staff, self.path, sort="version"), "1.0.bin", "2.0.bin")[0] == "1.0.bin"
        failed = sees(staff, self.path, state="failed")
        assert order_of(failed, "1.0.bin", "2.0.bin") == ["2.0.bin"]
        assert "InstallationFailed" in failed
        assert order_of(sees(staff, self.path, q="1.0"), "1.0.bin", "2.0.bin") == ["1.0.bin"]
        assert "No update fits these filters" in sees(staff, self.path, q="9.9")

    def test_an_image_that_was_removed_leaves_its_updates(self) -> None:
        station, staff = make_station("S-1"), make_staff()
        row = update(station, "1.0", said="Downloading", sent_bytes=10)
        assert row.image is not None
        row.image.delete()
        page = sees(staff, self.path)
        assert "Downloading" in page
        assert "<progress" not in page

    def test_they_are_taken_along_with_every_step(self) -> None:
        station = make_station("S-1")
        update(station, "1.0", sent_bytes=500, steps=[["Downloading", "x"], ["Downloaded", "y"]])
        answer = client_of(make_staff()).get(f"{self.path}?export=csv&columns=version,fetched,said")
        head, line = rows_of_csv(answer)
        assert head[1:] == [
            "Version",
            "File",
            "Fetched (B)",
            "Size (B)",
            "The station says",
            "Said at (Europe/Amsterdam)",
        ]
        assert line[1:] == ["1.0", "1.0.bin", "500", "1000", "Downloading → Downloaded", ""]

    def test_a_station_without_says_so_and_a_stranger_finds_nothing(self) -> None:
        make_station("S-1")
        assert "No firmware update yet" in sees(make_staff(), self.path)
        sees(make_official(), self.path, status=404)


# ---------------------------------------------------------------- evidence
class TestEvidence:
    def test_a_stations_evidence_is_sorted_and_filtered(self) -> None:
        station, official = make_online_station("S-1"), make_official()
        first = append_evidence(station)
        second = append_evidence(
            station, verdict="deviation", method="observation",
            requirement=Requirement.objects.get(code="208"), now=first.created_at + 3 * DAY,
        )  # fmt: skip
        path, links = "/stations/S-1/naleving/bewijs/", (f"/bewijs/{first.pk}/", f"/bewijs/{second.pk}/")
        assert order_of(sees(official, path), *links) == [links[1], links[0]]
        assert order_of(sees(official, path, sort="requirement"), *links) == [*links]
        for query in ("verdict=proven", "method=probe", "q=206"):
            assert order_of(sees(official, f"{path}?{query}"), *links) == [links[0]], query
        since = f"{timezone.localtime(second.created_at):%d-%m-%Y}"
        assert order_of(sees(official, path, since=since), *links) == [links[1]]
        assert "No evidence fits these filters" in sees(official, path, q="999")

    def test_a_requirements_evidence_is_of_all_that_the_reader_may_see(self) -> None:
        mine, theirs = make_online_station("A-1"), make_online_station("B-1", operator="beta")
        links = tuple(f"/bewijs/{append_evidence(station).pk}/" for station in (mine, theirs))
        path = f"/naleving/{mine.site.concession.slug}/206/bewijs/"
        assert sorted(order_of(sees(make_official(), path), *links)) == sorted(links)
        assert order_of(sees(make_official(), path, q="B-1"), *links) == [links[1]]
        assert order_of(sees(make_staff(), path), *links) == [links[0]]
        sees(make_official(), path.replace("206", "999"), status=404)
        page = sees(make_official(), f"/naleving/{mine.site.concession.slug}/206/")
        assert f'href="{path}"' in page

    def test_it_is_taken_along_with_its_hash(self) -> None:
        station = make_online_station("S-1")
        row = append_evidence(station)
        client = client_of(make_official())
        head, line = rows_of_csv(client.get("/stations/S-1/naleving/bewijs/?export=csv&columns=place,hash"))
        assert head[1:] == ["Kind of proof", "Evidence no.", "Concession", "Place in the chain", "SHA-256"]
        assert line[1:] == ["probe", str(row.pk), row.concession.name, str(row.sequence), row.hash]

    def test_without_evidence_each_list_says_how_it_comes(self) -> None:
        station = make_online_station("S-1")
        said = "A live probe makes the first"
        assert said in sees(make_official(), "/stations/S-1/naleving/bewijs/")
        assert said in sees(make_official(), f"/naleving/{station.site.concession.slug}/206/bewijs/")

    def test_queries_do_not_grow_and_what_is_large_is_not_read(self) -> None:
        station, official = make_online_station("S-1"), make_official()
        append_evidence(station)
        paths = ("/stations/S-1/naleving/bewijs/", f"/naleving/{station.site.concession.slug}/206/bewijs/")
        few = [queries_of(official, path) for path in paths]
        for _ in range(30):
            append_evidence(station)
        assert [queries_of(official, path) for path in paths] == few
        assert max(few) <= MOST_QUERIES


# ---------------------------------------------------------------- each
@pytest.mark.parametrize(
    "path",
    [
        "bewaking/",
        "bewaking/opgemerkt/",
        "beveiliging/certificaten/",
        "bestanden/firmware/",
        "naleving/bewijs/",
    ],
)
def test_columns_are_remembered_per_list(path: str) -> None:
    station = make_online_station("S-1", version="2.0.1")
    monitor(station, "Temperature")
    own(station, "CN=fine")
    update(station, "1.0")
    append_evidence(station)
    station.events.create(
        kind="device_event", at=timezone.now(), recorded_at=timezone.now(), data={"severity": 2}
    )
    client = client_of(make_staff())
    address = f"/stations/S-1/{path}"
    key = client.get(address).context["listing"].definition.key
    first = heads(client.get(address).content.decode())[0]
    client.post(f"/lijsten/{key}/kolommen/", {"path": address})
    assert heads(client.get(address).content.decode()) == [first]
