"""After a busy conversation nothing secret stands in the clear: not in a row, not in a log, not on a page.

Searched is the whole database, every column of every table, and the log of every process.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from websockets.exceptions import InvalidStatus

from stations import certificates, commands, configuring, securing, uploads
from stations.models import Command, FirmwareImage, SecretRotation, Station
from stations.ocpp.device import Place
from stations.ocpp.masking import MASK
from stations.sealing import unseal
from stations.services import remote_start
from tests.factories import make_staff, make_station
from tests.fakes.ca import FakeAuthority, key_pem, request_for
from tests.fakes.portal import Portal
from tests.fakes.station import FakeStation, Question
from tests.fakes.until import until

pytestmark = pytest.mark.xdist_group("portal")
VERSIONS = ("1.6", "2.0.1", "2.1")


@dataclass
class Talk:
    """One station's conversation, and every secret that came by in it."""

    version: str
    station: Station
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def is_16(self) -> bool:
        return self.version == "1.6"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def token_of(talk: Talk, name: str) -> dict[str, Any] | str:
    """A card's number, as the version writes it."""
    number = f"SECRETCARD{name}{talk.version.replace('.', '')}"[:20]
    talk.secrets[f"card {name}"] = number
    return number if talk.is_16 else {"idToken": number, "type": "ISO14443"}


def busy(talk: Talk, portal: Portal) -> None:
    password = talk.secrets["password"]
    with FakeStation(portal.port, talk.station.identity, version=talk.version, password=password) as line:
        boot(talk, line)
        charge(talk, line)
        say_secrets(talk, line)
        answer_questions(talk, line)
    guess(talk, portal)


def boot(talk: Talk, line: FakeStation) -> None:
    if talk.is_16:
        line.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
    else:
        station = {"vendorName": "V", "model": "M"}
        line.call("BootNotification", {"reason": "PowerUp", "chargingStation": station})


def charge(talk: Talk, line: FakeStation) -> None:
    at = now().isoformat()
    if talk.is_16:
        line.call("Authorize", {"idTag": token_of(talk, "A")})
        start = {"connectorId": 1, "idTag": token_of(talk, "S"), "meterStart": 0, "timestamp": at}
        number = line.call("StartTransaction", start)["transactionId"]
        stop = {"transactionId": number, "idTag": token_of(talk, "E"), "meterStop": 9, "timestamp": at}
        line.call("StopTransaction", stop)
        return
    line.call("Authorize", {"idToken": token_of(talk, "A")})
    event = {
        "eventType": "Started",
        "timestamp": at,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "transactionInfo": {"transactionId": "T1"},
        "idToken": token_of(talk, "S"),
        "evse": {"id": 1},
    }
    line.call("TransactionEvent", event)


def say_secrets(talk: Talk, line: FakeStation) -> None:
    """What stations say that they should not: passwords in events, keys in vendors' messages, broken frames."""
    for name in ("techinfo", "vendor"):
        talk.secrets[name] = f"secret-{name}-{talk.version}"
    event = {
        "type": "ReconfigurationOfSecurityParameters",
        "timestamp": now().isoformat(),
        "techInfo": f"password={talk.secrets['techinfo']}",
    }
    line.call("SecurityEventNotification", event)
    data = json.dumps({"apiKey": talk.secrets["vendor"]})
    line.call("DataTransfer", {"vendorId": "Vendor", "messageId": "Settings", "data": data})
    csr = request_for(talk.station.identity)
    line.call("SignCertificate", {"csr": csr})
    talk.secrets["broken"] = f"secret-broken-{talk.version}"
    line.send(f'[2,"broken","Authorize",{{"idTag":"{talk.secrets["broken"]}"')


def answer_questions(talk: Talk, line: FakeStation) -> None:
    """A new password, a remote start with a card, and a read that shows what it should not."""
    rotation = securing.rotate_over_ocpp(station=talk.station, now=now())
    question = line.question_at_last("ChangeConfiguration" if talk.is_16 else "SetVariables")
    take_password(talk, line, question)
    until(lambda: rotation_state(rotation.pk) == "accepted")
    card = f"REMOTECARD{talk.version.replace('.', '')}"
    talk.secrets["remote card"] = card
    remote_start(station=talk.station, evse_number=1, id_token=card, requested_by=None, now=now())
    action = "RemoteStartTransaction" if talk.is_16 else "RequestStartTransaction"
    line.answer(line.question_at_last(action), {"status": "Rejected"})
    if talk.is_16:
        read = commands.request(station=talk.station, action="GetConfiguration", payload={}, now=now())
        talk.secrets["read key"] = "secret-read-key"
        row = {"key": "AuthorizationKey", "readonly": False, "value": talk.secrets["read key"]}
        line.answer(line.question_at_last("GetConfiguration"), {"configurationKey": [row]})
        until(lambda: Command.objects.get(pk=read.pk).answered_at)


def take_password(talk: Talk, line: FakeStation, question: Question) -> None:
    if talk.is_16:
        said = question.payload["value"]
        talk.secrets |= {"new password in hex": said, "new password": bytes.fromhex(said).decode()}
        line.answer(question, {"status": "Accepted"})
        return
    (item,) = question.payload["setVariableData"]
    talk.secrets["new password"] = item["attributeValue"]
    result = {"attributeStatus": "Accepted", "component": item["component"], "variable": item["variable"]}
    line.answer(question, {"setVariableResult": [result]})


def guess(talk: Talk, portal: Portal) -> None:
    """Someone tries another password, and it is the one of elsewhere."""
    talk.secrets["guess"] = f"a-secret-of-elsewhere-{talk.version}"
    with pytest.raises(InvalidStatus):
        FakeStation(portal.port, talk.station.identity, version=talk.version, password=talk.secrets["guess"])


def rotation_state(pk: int) -> str:
    return str(SecretRotation.objects.get(pk=pk).state)


# ---------------------------------------------------------------- looking everywhere
def cells() -> Iterator[tuple[str, str]]:
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", text_of(value)


def text_of(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return value if isinstance(value, str) else json.dumps(value, default=str)


PAGES = (
    "",
    "sessies/",
    "berichten/",
    "opdrachten/",
    "configuratie/",
    "beveiliging/",
    "beveiliging/certificaten/",
    "bestanden/firmware/",
    "naleving/bewijs/",
    "verbinding/",
)


def pages_of(talk: Talk, client: Client) -> Iterator[tuple[str, str]]:
    for part in PAGES:
        path = f"/stations/{talk.station.identity}/{part}"
        response = client.get(path)
        assert response.status_code == 200, path
        yield path, response.content.decode()
    for path in (
        f"/api/v1/stations/{talk.station.identity}/messages/",
        f"/stations/{talk.station.identity}/berichten.csv",
    ):
        response = client.get(path)
        yield path, b"".join(response).decode() if response.streaming else response.content.decode()


def found_in(secrets: dict[str, str], places: Iterator[tuple[str, str]]) -> list[str]:
    wanted = {name: (value, value.casefold()) for name, value in secrets.items()}
    return sorted(
        {
            f"{name} in {place}"
            for place, text in places
            for name, (value, folded) in wanted.items()
            if value in text or folded in text.casefold()
        }
    )


def test_nothing_secret_is_left_behind(portal: Portal) -> None:
    talks = [
        Talk(
            version,
            make_station(version=version, password=f"first-password-of-{version}"),
            {"password": f"first-password-of-{version}"},
        )
        for version in VERSIONS
    ]
    for talk in talks:
        busy(talk, portal)
    secrets = {f"{talk.version} {name}": value for talk in talks for name, value in talk.secrets.items()}
    user = make_staff(password="the-password-of-a-person")
    secrets["a person's password"] = "the-password-of-a-person"
    leaf = FakeAuthority().issue(talks[0].station.identity)
    certificates.register(station=talks[0].station, pem=leaf.pem, now=now())
    secrets["a private key"] = key_pem(leaf.key).decode().splitlines()[1]
    assert len(secrets) > 20
    assert found_in(secrets, cells()) == []
    assert found_in(secrets, iter([("the log", portal.log.read_text())])) == []
    client = Client()
    client.force_login(user)
    for talk in talks:
        assert found_in(secrets, pages_of(talk, client)) == []


# ---------------------------------------------------------------- while they wait
def queue(talk: Talk) -> list[Command]:
    """For a station that is away: all that carries a secret, and waits in its row."""
    card, listed = token_of(talk, "Q"), token_of(talk, "L")
    at = now()
    log = uploads.ticket(station=talk.station, kind="log", now=at)
    image = FirmwareImage.objects.create(
        operator=talk.station.site.operator, version="2", name="fw.bin", file="firmware/none", size=1,
        sha256="0" * 64, uploaded_at=at,
    )  # fmt: skip
    firmware = uploads.offer(image, station=talk.station)
    talk.secrets["link for a log"] = log.url.partition("/token-")[2]
    talk.secrets["link to firmware"] = firmware.partition("/token-")[2].partition("/")[0]
    asked = (
        waiting_of_16(talk, card, listed, log, firmware)
        if talk.is_16
        else waiting_of_2x(talk, card, listed, log, firmware)
    )
    rows = [commands.request(station=talk.station, action=each, payload=load, now=at) for each, load in asked]
    place = Place("ApnPassword", "" if talk.is_16 else "NetCtrlr")
    wanted = configuring.wish(place, keep(talk, "apn"))
    configuring.set_values(station=talk.station, wishes=[wanted], requested_by=None, now=at)
    securing.rotate_over_ocpp(station=talk.station, now=at)
    talk.secrets["waiting password"] = rotated(talk)
    return rows


def keep(talk: Talk, name: str) -> str:
    talk.secrets[name] = f"secret-{name}-{talk.version}"
    return talk.secrets[name]


def rotated(talk: Talk) -> str:
    """The new password as its sealed row has it: it stands nowhere else."""
    command = SecretRotation.objects.get(station=talk.station).command
    assert command
    payload = json.loads(unseal(command.sealed_payload))
    return str(payload["value"] if talk.is_16 else payload["setVariableData"][0]["attributeValue"])


Asked = list[tuple[str, dict[str, Any]]]


def waiting_of_16(talk: Talk, card: Any, listed: Any, log: uploads.Ticket, firmware: str) -> Asked:
    entries = [{"idTag": listed, "idTagInfo": {"status": "Accepted", "parentIdTag": token_of(talk, "P")}}]
    return [
        ("RemoteStartTransaction", {"idTag": card}),
        (
            "ReserveNow",
            {"connectorId": 1, "expiryDate": now().isoformat(), "idTag": card, "reservationId": 1},
        ),
        ("SendLocalList", {"listVersion": 1, "updateType": "Full", "localAuthorizationList": entries}),
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": keep(talk, "key")}),
        ("GetDiagnostics", {"location": log.folder}),
        ("UpdateFirmware", {"location": firmware, "retrieveDate": now().isoformat()}),
        ("DataTransfer", {"vendorId": "V", "data": json.dumps({"password": keep(talk, "vendor")})}),
    ]


def waiting_of_2x(talk: Talk, card: Any, listed: Any, log: uploads.Ticket, firmware: str) -> Asked:
    info = {"status": "Accepted", "groupIdToken": token_of(talk, "P")}
    entries = [{"idToken": listed, "idTokenInfo": info}]
    password = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": keep(talk, "key"),
    }
    network = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://laad.example/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wireless0",
        "apn": {
            "apn": "net",
            "apnUserName": "me",
            "apnPassword": keep(talk, "sim"),
            "apnAuthentication": "AUTO",
        },
        "vpn": {
            "server": "vpn",
            "user": "me",
            "password": keep(talk, "vpn"),
            "key": keep(talk, "psk"),
            "type": "IPSec",
        },
    }
    return [
        ("RequestStartTransaction", {"idToken": card, "remoteStartId": 1}),
        ("ReserveNow", {"id": 1, "expiryDateTime": now().isoformat(), "idToken": card}),
        ("SendLocalList", {"versionNumber": 1, "updateType": "Full", "localAuthorizationList": entries}),
        ("CustomerInformation", {"requestId": 1, "report": True, "clear": False, "idToken": card}),
        ("SetVariables", {"setVariableData": [password]}),
        ("SetNetworkProfile", {"configurationSlot": 2, "connectionData": network}),
        ("GetLog", {"logType": "DiagnosticsLog", "requestId": 1, "log": {"remoteLocation": log.url}}),
        ("UpdateFirmware", {"requestId": 1, "firmware": {"location": firmware, "retrieveDateTime": now().isoformat()}}),
        ("DataTransfer", {"vendorId": "V", "data": {"password": keep(talk, "vendor")}}),
    ]  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_nothing_secret_is_readable_while_it_waits_for_its_station(portal: Portal, version: str) -> None:
    talk = Talk(version, make_station(version=version))
    rows = queue(talk)
    assert {row.state for row in rows} == {"queued"}
    assert found_in(talk.secrets, cells()) == []
    assert found_in(talk.secrets, iter([("the log", portal.log.read_text())])) == []
    client = Client()
    client.force_login(make_staff())
    assert found_in(talk.secrets, pages_of(talk, client)) == []
    answers = ((f"command {row.pk}", client.get(f"/api/v1/commands/{row.pk}/")) for row in rows)
    shown = [(name, response.content.decode()) for name, response in answers]
    assert all(MASK in text for _, text in shown), "masked, not missing"
    assert found_in(talk.secrets, iter(shown)) == []


def test_the_search_finds_what_is_there(portal: Portal) -> None:
    """So that finding nothing means something."""
    make_station("NL-FINDME-1", name="a-name-that-is-found")
    assert found_in({"name": "A-NAME-that-is-found"}, cells()) == ["name in stations_station.name"]
