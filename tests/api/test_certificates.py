"""The API of certificates: a station's own, and the roots that it trusts."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from stations.models import Command, InstalledCertificate, Station, StationCertificate
from tests.factories import make_operator, make_staff, make_station
from tests.fakes.ca import FakeAuthority, key_pem
from tests.ocpp.conversation import answer

pytestmark = pytest.mark.django_db

PATH = "/api/v1/stations/S-1"


@pytest.fixture
def client() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(make_staff())
    return client


@pytest.fixture
def station() -> Station:
    return make_station("S-1", version="2.0.1")


def ask(client: Client, method: str, path: str, body: Any = None, *, status: int) -> Any:
    response = getattr(client, method)(path, body, content_type="application/json")
    assert response.status_code == status, response.content
    return response.json()


def test_a_root_is_installed_read_back_and_deleted(client: Client, station: Station) -> None:
    root = FakeAuthority(now=timezone.now()).leaf.pem
    asked = {"use": "CSMSRootCertificate", "pem": root}
    row = ask(client, "post", f"{PATH}/roots/", asked, status=202)
    command = Command.objects.get(pk=row["command"])
    assert command.payload == {"certificateType": "CSMSRootCertificate", "certificate": root.strip()}
    answer(command, {"status": "Accepted"})
    (shown,) = ask(client, "get", f"{PATH}/roots/", status=200)["results"]
    assert (shown["state"], shown["use"]) == ("installed", "CSMSRootCertificate")
    (read,) = ask(client, "post", f"{PATH}/roots/read/", status=202)
    assert Command.objects.get(pk=read["id"]).action == "GetInstalledCertificateIds"
    queued = ask(client, "delete", f"{PATH}/roots/{shown['id']}/", status=202)
    delete = Command.objects.get(pk=queued["id"])
    assert delete.action == "DeleteCertificate"
    assert delete.payload["certificateHashData"]["issuerKeyHash"] == shown["issuer_key_hash"]
    answer(delete, {"status": "Accepted"})
    assert ask(client, "get", f"{PATH}/roots/", status=200)["results"] == []


def test_what_cannot_be_installed_is_refused_with_the_reason(client: Client, station: Station) -> None:
    authority = FakeAuthority(now=timezone.now())
    root = authority.leaf.pem
    unknown = ask(client, "post", f"{PATH}/roots/", {"use": "OEMRootCertificate", "pem": root}, status=400)
    assert "CSMSRootCertificate" in unknown["use"][0]
    with_key = root + key_pem(authority.leaf.key).decode()
    asked = {"use": "CSMSRootCertificate", "pem": with_key}
    assert "private key" in ask(client, "post", f"{PATH}/roots/", asked, status=400)["pem"][0]
    assert list(ask(client, "post", f"{PATH}/roots/", {"use": "CSMSRootCertificate"}, status=400)) == ["pem"]
    assert not Command.objects.exists()
    assert not InstalledCertificate.objects.exists()


def test_a_stations_own_certificate_is_made_known_and_revoked(client: Client, station: Station) -> None:
    authority = FakeAuthority(now=timezone.now())
    row = ask(client, "post", f"{PATH}/certificates/", {"pem": authority.issue("S-1").pem}, status=201)
    assert (row["state"], row["chain"].startswith("-----BEGIN CERTIFICATE")) == ("accepted", True)
    others = ask(client, "post", f"{PATH}/certificates/", {"pem": authority.issue("S-9").pem}, status=400)
    assert "common name" in others["pem"][0]
    path = f"{PATH}/certificates/{row['id']}/revoke/"
    revoked = ask(client, "post", path, {"reason": "stolen"}, status=200)
    assert (revoked["state"], revoked["reason"]) == ("revoked", "stolen")
    ask(client, "post", path, {}, status=409)
    assert [each["state"] for each in ask(client, "get", f"{PATH}/certificates/", status=200)["results"]] == [
        "revoked"
    ]


def test_a_renewal_is_asked_where_there_is_an_authority(
    client: Client, station: Station, settings: Any
) -> None:
    path = f"{PATH}/certificates/renew/"
    assert "CA_CERTIFICATE" in ask(client, "post", path, status=400)["detail"][0]
    settings.CERTIFICATE_SIGNER = "tests.fakes.ca.sign_for_tests"
    queued = ask(client, "post", path, status=202)
    assert Command.objects.get(pk=queued["id"]).payload == {
        "requestedMessage": "SignChargingStationCertificate"
    }


def test_rows_of_another_station_are_not_found_here(client: Client, station: Station) -> None:
    other = make_station("S-2", operator=make_operator("beta"))
    theirs = StationCertificate.objects.create(station=other, state="accepted", requested_at=timezone.now())
    root = InstalledCertificate.objects.create(station=other, use="CSMSRootCertificate", issuer_key_hash="aa")
    ask(client, "post", f"{PATH}/certificates/{theirs.pk}/revoke/", {}, status=404)
    ask(client, "delete", f"{PATH}/roots/{root.pk}/", status=404)
    theirs.refresh_from_db()
    assert theirs.state == "accepted"
