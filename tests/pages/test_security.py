"""The security tab: what it tells, to whom, and what can be done from it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stations import certificates, events
from stations.events import Kind
from stations.models import Command, SecretRotation, Station, StationCertificate
from stations.models.access import Role
from tests.factories import make_official, make_staff, make_station
from tests.fakes.ca import FakeAuthority
from tests.pages.visiting import MOST_QUERIES, make_online, queries_of, sees

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def path(station: Station, deed: str = "") -> str:
    return f"/stations/{station.identity}/beveiliging/" + (f"{deed}/" if deed else "")


def tell(station: Station, kind: str, data: dict[str, Any], *, ago: dt.timedelta = DAY) -> None:
    now = timezone.now()
    events.record(station_id=station.pk, kind=kind, at=now - ago, now=now, data=data)


def does(user: Any, address: str, data: dict[str, Any] | None = None) -> Any:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client.post(address, {"sure": "on", **(data or {})})


def test_an_event_of_the_standard_is_told_in_plain_words_and_a_critical_one_is_marked() -> None:
    station = make_station()
    tell(station, Kind.SECURITY, {"type": "TamperDetectionActivated", "info": "door 1"})
    tell(station, Kind.SECURITY, {"type": "InvalidMessages", "info": ""})
    tell(station, Kind.SECURITY, {"type": "VendorsOwn", "info": ""})
    page = sees(make_staff(), path(station))
    assert "The housing was opened, or somebody tried to." in page
    assert "door 1" in page
    assert page.count("</svg>critical</span>") == 1
    assert "VendorsOwn" in page


def test_what_the_portal_saw_is_told_too() -> None:
    station = make_station()
    tell(station, Kind.CONNECTION_REFUSED, {"reason": "password", "address": "192.0.2.9", "count": 100})
    tell(station, Kind.CERTIFICATE, {"state": "rejected", "reason": "weak_key", "kind": "", "certificate": 1})
    tell(station, Kind.SECRET_ROTATED, {"rotation": 1, "state": "done"})
    tell(station, Kind.SECURITY_PROFILE, {"wanted": 2, "state": "required", "before": 0})
    tell(station, Kind.CERTIFICATE_EXPIRES, {"subject": "CN=X", "not_after": "", "use": ""})
    tell(station, Kind.CERTIFICATE_INSTALLED, {"installed": 1, "use": "", "state": "installed"})
    page = sees(make_staff(), path(station))
    assert "from 192.0.2.9, 100 times within the hour" in page
    assert "the key is too short" in page
    assert "the station came back with the new password" in page
    assert "2: password over TLS: required from now on" in page
    assert "A certificate expires soon." in page
    assert "Root certificate: installed." in page


def test_events_are_filtered_by_what_they_are_and_when() -> None:
    station, user = make_station(), make_staff()
    tell(station, Kind.SECURITY, {"type": "MemoryExhaustion", "info": "full-house"})
    tell(station, Kind.SECURITY, {"type": "InvalidMessages", "info": "garbled"}, ago=10 * DAY)
    tell(station, Kind.CONNECTION_REFUSED, {"reason": "password", "address": "192.0.2.9", "count": 1})
    critical = sees(user, path(station), source="critical")
    assert ("full-house" in critical, "garbled" in critical, "192.0.2.9" in critical) == (True, False, False)
    ours = sees(user, path(station), source="portal")
    assert ("full-house" in ours, "192.0.2.9" in ours) == (False, True)
    old = sees(user, path(station), until=f"{timezone.localdate() - 5 * DAY:%d-%m-%Y}")
    assert ("full-house" in old, "garbled" in old) == (False, True)
    typed = sees(user, path(station), type="InvalidMessages")
    assert ("full-house" in typed, "garbled" in typed) == (False, True)
    assert "Nothing fits these filters" in sees(user, path(station), type="SettingSystemTime")


def test_events_come_in_pages() -> None:
    station, user = make_station(), make_staff()
    for number in range(30):
        tell(station, Kind.SECURITY, {"type": "InvalidMessages", "info": f"no-{number:02}"})
    assert "no-29" in sees(user, path(station))
    assert "no-00" in sees(user, path(station), page=2)


def test_the_page_asks_few_queries_however_much_happened() -> None:
    station, user = make_station(), make_staff()
    make_online(station)
    for number in range(40):
        tell(station, Kind.SECURITY, {"type": "InvalidMessages", "info": f"no-{number:02}"})
        StationCertificate.objects.create(station=station, requested_at=timezone.now())
    assert queries_of(user, path(station)) <= MOST_QUERIES
    assert queries_of(user, path(station, "certificaten")) <= MOST_QUERIES


def test_a_reader_reads_and_an_official_finds_nothing() -> None:
    station = make_station()
    assert "Give a new password" not in sees(make_staff(role=Role.READER), path(station))
    sees(make_official(), path(station), status=404)


def test_a_new_password_is_sent_after_a_confirmation() -> None:
    station, user = make_station(), make_staff()
    client = Client()
    client.force_login(user)
    assert client.post(path(station, "wachtwoord"), {}).status_code == 422
    assert not SecretRotation.objects.exists()
    assert does(user, path(station, "wachtwoord")).status_code == 302
    assert SecretRotation.objects.get().requested_by == user
    assert "asked" in sees(user, path(station))
    again = does(user, path(station, "wachtwoord"))
    assert again.status_code == 422
    assert "waits for the station" in again.content.decode()


def test_a_profile_is_asked_for_or_required(settings: Any) -> None:
    settings.PUBLIC_URL = "https://laad.example"
    station, user = make_station(), make_staff()
    asked = does(user, path(station, "profiel"), {"wanted": "2", "how": "ask"})
    assert asked.status_code == 302
    command = Command.objects.get()
    assert command.payload == {"key": "SecurityProfile", "value": "2"}
    station.refresh_from_db()
    assert station.security_profile == 0
    assert does(user, path(station, "profiel"), {"wanted": "1", "how": "require"}).status_code == 302
    station.refresh_from_db()
    assert station.security_profile == 1


def test_a_profile_with_tls_is_not_asked_of_a_portal_without() -> None:
    answer = does(make_staff(), path(make_station(), "profiel"), {"wanted": "2", "how": "ask"})
    assert answer.status_code == 422
    assert "PUBLIC_URL" in answer.content.decode()


def test_certificates_are_shown_registered_and_revoked() -> None:
    station, user = make_station(), make_staff()
    leaf = FakeAuthority().issue(station.identity)
    assert does(user, path(station, "bekendmaken"), {"pem": leaf.pem}).status_code == 302
    row = station.certificates.get()
    page = sees(user, path(station, "certificaten"))
    assert row.subject in page
    assert row.fingerprint[:16] in page
    assert "BEGIN CERTIFICATE" not in page
    address = f"{path(station)}certificaten/{row.pk}/intrekken/"
    assert does(user, address, {"reason": "lost"}).status_code == 302
    assert "lost" in sees(user, path(station, "certificaten"))
    assert does(user, address).status_code == 422


def test_a_certificate_of_another_station_is_refused_with_a_reason() -> None:
    leaf = FakeAuthority().issue("NL-ANOTHER-1")
    answer = does(make_staff(), path(make_station(), "bekendmaken"), {"pem": leaf.pem})
    assert answer.status_code == 422
    assert "common name" in answer.content.decode()


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_roots_are_installed_read_and_deleted(version: str) -> None:
    station, user = make_station(version=version), make_staff()
    use = certificates.USES[version][0]
    root = FakeAuthority().leaf
    assert does(user, path(station, "installeren"), {"use": use, "pem": root.pem}).status_code == 302
    row = station.installed_certificates.get()
    row.state = "installed"
    row.save()
    page = sees(user, path(station, "certificaten"))
    assert "this portal" in page
    assert does(user, path(station, "lezen")).status_code == 302
    assert does(user, f"{path(station)}certificaten/{row.pk}/verwijderen/").status_code == 302
    assert Command.objects.filter(action="DeleteCertificate").exists()


def test_a_new_request_is_asked_for_where_there_is_an_authority(settings: Any, tmp_path: Path) -> None:
    station, user = make_station(), make_staff()
    assert "no authority to sign with" in sees(user, path(station, "certificaten"))
    assert does(user, path(station, "vernieuwen")).status_code == 422
    certificate, key = FakeAuthority().leaf.written(tmp_path, "ca")
    settings.CA_CERTIFICATE, settings.CA_KEY = str(certificate), str(key)
    assert does(user, path(station, "vernieuwen")).status_code == 302
    assert Command.objects.get().action == "ExtendedTriggerMessage"


def test_there_is_no_other_deed() -> None:
    sees(make_staff(), path(make_station(), "iets-anders"), status=404)
