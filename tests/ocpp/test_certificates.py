"""Certificates of stations: asked for, signed, sent, refused, installed, read back, revoked, expiring."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from stations import admitting, certificates
from stations.admission import Caller, Refused
from stations.domain import certificates as x509
from stations.models import Command, InstalledCertificate, Presence, Station, StationCertificate
from stations.tasks import look_after_certificates
from tests.factories import NOW, make_station
from tests.fakes.ca import FakeAuthority, request_for
from tests.ocpp.conversation import answer, happened, say
from tests.pages.visiting import make_online

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def authority(settings: Any, tmp_path: Path) -> FakeAuthority:
    fake = FakeAuthority(now=NOW)
    certificate, key = fake.leaf.written(tmp_path, "ca")
    settings.CA_CERTIFICATE, settings.CA_KEY = str(certificate), str(key)
    return fake


def signs(station: Station, csr: str = "") -> str:
    answered = say(station, "SignCertificate", {"csr": csr or request_for(station.identity)})
    return str(answered["status"])


def issued(station: Station) -> StationCertificate:
    """Asked for, signed and sent."""
    assert signs(station) == "Accepted"
    certificates.look_after(NOW)
    return station.certificates.get()


def caller(pem: str) -> Caller:
    return Caller("192.0.2.1", is_secure=True, certificate=quote(pem))


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_request_is_signed_and_comes_back(authority: FakeAuthority, version: str) -> None:
    station = make_station(version=version)
    row = issued(station)
    assert (row.state, row.kind) == ("sent", "ChargingStationCertificate")
    assert row.command
    assert row.command.action == "CertificateSigned"
    chain = row.command.payload["certificateChain"]
    signed = x509.read(chain)
    signed.verify_directly_issued_by(authority.certificate)
    assert x509.describe(signed).common_name == station.identity
    assert ("certificateType" in row.command.payload) is (version != "1.6")
    answer(row.command, {"status": "Accepted"})
    row.refresh_from_db()
    assert row.state == "accepted"
    states = [data["state"] for data in happened(station, "certificate")]
    assert states == ["requested", "issued", "sent", "accepted"]


def test_a_request_id_of_21_is_repeated(authority: FakeAuthority) -> None:
    station = make_station(version="2.1")
    say(station, "SignCertificate", {"csr": request_for(station.identity), "requestId": 77})
    certificates.look_after(NOW)
    assert Command.objects.get(action="CertificateSigned").payload["requestId"] == 77


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_without_an_authority_it_is_rejected_with_an_event(version: str) -> None:
    station = make_station(version=version)
    assert signs(station) == "Rejected"
    (event,) = happened(station, "certificate")
    assert event["state"] == "rejected"
    assert event["reason"] == "no_authority"


@pytest.mark.parametrize("csr", ["no request", request_for("NL-ANOTHER-1")])
def test_a_request_that_is_not_in_order_is_rejected(authority: FakeAuthority, csr: str) -> None:
    station = make_station()
    assert signs(station, csr) == "Rejected"
    assert station.certificates.get().reason
    certificates.look_after(NOW)
    assert not Command.objects.exists()


def test_the_same_request_again_is_one_certificate(authority: FakeAuthority) -> None:
    station = make_station()
    csr = request_for(station.identity)
    assert [signs(station, csr), signs(station, csr)] == ["Accepted", "Accepted"]
    assert station.certificates.count() == 1


def test_a_station_in_a_loop_is_signed_no_more(authority: FakeAuthority) -> None:
    station = make_station()
    answers = [signs(station) for _ in range(8)]
    assert answers == ["Accepted"] * certificates.MAX_REQUESTS_AN_HOUR + ["Rejected"] * 2


def test_an_authority_that_cannot_be_read_rejects_and_says_so(settings: Any, tmp_path: Path) -> None:
    settings.CA_CERTIFICATE = settings.CA_KEY = str(tmp_path / "missing")
    station = make_station()
    assert signs(station) == "Accepted"
    certificates.look_after(NOW)
    row = station.certificates.get()
    assert row.state == "rejected"
    assert row.reason


def test_a_signer_of_the_installations_own(settings: Any) -> None:
    settings.CERTIFICATE_SIGNER = "tests.fakes.ca.sign_for_tests"
    station = make_station(version="2.0.1")
    say(
        station,
        "SignCertificate",
        {"csr": request_for(station.identity), "certificateType": "V2GCertificate"},
    )
    certificates.look_after(NOW)
    assert Command.objects.get(action="CertificateSigned").payload["certificateType"] == "V2GCertificate"


def test_our_own_authority_signs_nothing_for_cars(authority: FakeAuthority) -> None:
    station = make_station(version="2.0.1")
    payload = {"csr": request_for(station.identity), "certificateType": "V2GCertificate"}
    assert say(station, "SignCertificate", payload)["status"] == "Rejected"


def test_a_station_that_refuses_it(authority: FakeAuthority) -> None:
    station = make_station()
    row = issued(station)
    assert row.command
    answer(row.command, {"status": "Rejected"}, state="refused")
    row.refresh_from_db()
    assert row.state == "rejected"
    with pytest.raises(Refused):
        admitting.judge(station.identity, None, caller(row.chain), now=NOW)


def test_what_never_left_is_sent_again_once_the_station_is_here(authority: FakeAuthority) -> None:
    station = make_station()
    row = issued(station)
    assert row.command
    Command.objects.filter(pk=row.command.pk).update(state="expired")
    certificates.take_in(Command.objects.get(pk=row.command.pk), now=NOW)
    row.refresh_from_db()
    assert row.state == "issued"
    certificates.look_after(NOW)
    row.refresh_from_db()
    assert row.state == "issued"
    make_online(station)
    certificates.look_after(NOW)
    row.refresh_from_db()
    assert row.state == "sent"


# ---------------------------------------------------------------- coming in with one
def test_an_answer_that_got_lost_does_not_matter_once_the_station_comes_with_it(
    authority: FakeAuthority,
) -> None:
    station = make_station(security_profile=3)
    row = issued(station)
    admitted = admitting.judge(station.identity, None, caller(row.chain), now=NOW)
    admitting.settle([admitted], now=NOW)
    row.refresh_from_db()
    assert (row.state, row.seen_at, admitted.level) == ("accepted", NOW, 3)


def test_it_opens_no_other_station(authority: FakeAuthority) -> None:
    row = issued(make_station())
    other = make_station(security_profile=3)
    with pytest.raises(Refused, match="another station"):
        admitting.judge(other.identity, None, caller(row.chain), now=NOW)


def test_one_that_nobody_made_known_opens_nothing(authority: FakeAuthority) -> None:
    station = make_station(security_profile=3)
    leaf = authority.issue(station.identity)
    with pytest.raises(Refused, match="not known"):
        admitting.judge(station.identity, None, caller(leaf.pem), now=NOW)
    certificates.register(station=station, pem=leaf.pem, now=NOW)
    assert admitting.judge(station.identity, None, caller(leaf.pem), now=NOW).level == 3


def test_revoked_it_opens_nothing(authority: FakeAuthority) -> None:
    station = make_station(security_profile=3)
    row = issued(station)
    assert certificates.revoke(certificate=row, reason="stolen", now=NOW)
    assert not certificates.revoke(certificate=row, now=NOW)
    with pytest.raises(Refused, match="revoked"):
        admitting.judge(station.identity, None, caller(row.chain), now=NOW)


@pytest.mark.parametrize("moment", [NOW - 2 * DAY, NOW + 400 * DAY])
def test_before_and_after_its_time_it_opens_nothing(authority: FakeAuthority, moment: dt.datetime) -> None:
    station = make_station(security_profile=3)
    row = issued(station)
    with pytest.raises(Refused, match="not valid at this moment"):
        admitting.judge(station.identity, None, caller(row.chain), now=moment)


def test_it_counts_only_over_tls(authority: FakeAuthority) -> None:
    station = make_station(security_profile=3)
    row = issued(station)
    plain = Caller("192.0.2.1", is_secure=False, certificate=quote(row.chain))
    with pytest.raises(Refused, match="client certificate"):
        admitting.judge(station.identity, None, plain, now=NOW)


@pytest.mark.parametrize(
    ("pem", "why"),
    [("nonsense", "certifica"), ("-----BEGIN RSA PRIVATE KEY-----", "priv")],
)
def test_what_is_no_certificate_is_not_registered(pem: str, why: str) -> None:
    with pytest.raises(certificates.NotPossible, match=why):
        certificates.register(station=make_station(), pem=pem, now=NOW)


# ---------------------------------------------------------------- roots
@pytest.mark.parametrize(
    ("version", "use"), [("1.6", "CentralSystemRootCertificate"), ("2.1", "CSMSRootCertificate")]
)
def test_a_root_is_installed_and_deleted(version: str, use: str) -> None:
    station, root = make_station(version=version), FakeAuthority(now=NOW).leaf
    row = certificates.install(station=station, use=use, pem=root.pem, now=NOW)
    assert row.command
    assert row.command.payload == {"certificateType": use, "certificate": root.pem.strip()}
    answer(row.command, {"status": "Accepted"})
    row.refresh_from_db()
    assert row.state == "installed"
    command = certificates.delete(installed=row, now=NOW)
    assert command.payload["certificateHashData"]["serialNumber"] == format(
        root.certificate.serial_number, "x"
    )
    answer(command, {"status": "Accepted"})
    row.refresh_from_db()
    assert row.state == "deleted"


def test_a_root_that_is_not_there_any_more_is_deleted() -> None:
    station = make_station()
    row = certificates.install(
        station=station, use="CentralSystemRootCertificate", pem=FakeAuthority(now=NOW).leaf.pem, now=NOW
    )
    command = certificates.delete(installed=row, now=NOW)
    answer(command, {"status": "NotFound"})
    row.refresh_from_db()
    assert row.state == "deleted"


def test_a_refused_root() -> None:
    row = certificates.install(
        station=make_station(),
        use="ManufacturerRootCertificate",
        pem=FakeAuthority(now=NOW).leaf.pem,
        now=NOW,
    )
    assert row.command
    answer(row.command, {"status": "Failed"}, state="refused")
    row.refresh_from_db()
    assert row.state == "refused"


def test_an_expired_root_and_an_unknown_use_are_not_sent() -> None:
    station = make_station()
    old = FakeAuthority(now=NOW - 4000 * DAY).leaf
    with pytest.raises(certificates.NotPossible, match=r"erlopen|xpired"):
        certificates.install(station=station, use="ManufacturerRootCertificate", pem=old.pem, now=NOW)
    with pytest.raises(certificates.NotPossible, match=r"OCPP 1\.6"):
        certificates.install(station=station, use="CSMSRootCertificate", pem=old.pem, now=NOW)


def named(serial: str) -> dict[str, str]:
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa" * 32,
        "issuerKeyHash": "bb" * 32,
        "serialNumber": serial,
    }


def test_what_stands_on_a_station_of_16_is_read_by_use() -> None:
    station = make_station()
    central, maker = certificates.read_back(station=station, now=NOW)
    answer(central, {"status": "Accepted", "certificateHashData": [named("1a")]})
    answer(maker, {"status": "NotFound"})
    row = InstalledCertificate.objects.get()
    assert (row.use, row.state, row.serial_number) == ("CentralSystemRootCertificate", "installed", "1a")
    again = certificates.read_back(station=station, now=NOW + DAY)[0]
    answer(again, {"status": "NotFound"})
    row.refresh_from_db()
    assert row.state == "deleted"


def test_what_stands_on_a_station_of_2x_is_read_at_once() -> None:
    station = make_station(version="2.0.1")
    (command,) = certificates.read_back(station=station, now=NOW)
    part = {"certificateType": "CSMSRootCertificate", "certificateHashData": named("2B")}
    answer(command, {"status": "Accepted", "certificateHashDataChain": [part]})
    answer(command, {"status": "Accepted", "certificateHashDataChain": [part]})
    assert InstalledCertificate.objects.get().serial_number == "2b"


# ---------------------------------------------------------------- a new one in time
@pytest.mark.parametrize(
    ("version", "action", "word"),
    [
        ("1.6", "ExtendedTriggerMessage", "SignChargePointCertificate"),
        ("2.0.1", "TriggerMessage", "SignChargingStationCertificate"),
    ],
)
def test_before_it_expires_there_is_one_warning_and_the_station_is_asked_for_a_new_one(
    authority: FakeAuthority, version: str, action: str, word: str
) -> None:
    station = make_station(version=version)
    row = issued(station)
    assert row.command
    answer(row.command, {"status": "Accepted"})
    certificates.look_after(NOW + 300 * DAY)
    assert not happened(station, "certificate_expires")
    for _ in range(2):
        certificates.look_after(NOW + 340 * DAY)
    (warning,) = happened(station, "certificate_expires")
    assert station.identity in warning["subject"]
    assert Command.objects.get(action=action).payload == {"requestedMessage": word}


def test_a_root_that_expires_is_warned_of() -> None:
    station = make_station()
    soon = FakeAuthority(now=NOW - 3640 * DAY).leaf
    row = certificates.install(station=station, use="ManufacturerRootCertificate", pem=soon.pem, now=NOW)
    assert row.command
    answer(row.command, {"status": "Accepted"})
    certificates.look_after(NOW)
    assert happened(station, "certificate_expires")[0]["use"] == "ManufacturerRootCertificate"


def test_without_an_authority_no_new_one_is_asked_for() -> None:
    with pytest.raises(certificates.NotPossible, match="CA_KEY"):
        certificates.ask_to_renew(station=make_station(), now=NOW)


def test_the_round_is_a_task() -> None:
    look_after_certificates()
    assert not Presence.objects.exists()
