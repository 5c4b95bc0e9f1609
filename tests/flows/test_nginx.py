"""Behind a real nginx with the configuration of docs/deployment: wss in security profiles 1 to 3, nothing spoofed."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from websockets.exceptions import InvalidStatus

from portal.simulator.clock import Clock
from portal.simulator.simulated import SimulatedStation
from portal.simulator.spec import StationSpec
from portal.simulator.ways import Way
from stations import certificates, presence, securing
from stations.events import Kind
from stations.models import Event, InstalledCertificate, Station
from stations.services import rotate_secret
from tests.factories import make_station
from tests.fakes.ca import FakeAuthority, Leaf
from tests.fakes.portal import Makers, Portal, _seen
from tests.fakes.station import PASSWORD, FakeStation
from tests.fakes.until import until

NGINX = Path("/usr/sbin/nginx")
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "deployment" / "nginx.conf"
pytestmark = [
    pytest.mark.xdist_group("nginx"),
    pytest.mark.skipif(not NGINX.exists(), reason="no nginx here (apt install nginx)"),
]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx: its ports, the authority behind all certificates, its folder and the portal behind it."""

    tls_port: int
    plain_port: int
    authority: FakeAuthority
    folder: Path
    portal: Portal

    def tls(self, leaf: Leaf | None = None) -> ssl.SSLContext:
        """What a station brings: the root that it trusts, and its own certificate where it has one."""
        context = ssl.create_default_context(cadata=self.authority.leaf.pem)
        if leaf is not None:
            context.load_cert_chain(*leaf.written(self.folder, f"client-{leaf.certificate.serial_number}"))
        return context

    def connect(self, station: Station, leaf: Leaf | None = None, **how: Any) -> FakeStation:
        return FakeStation(self.tls_port, station.identity, tls=self.tls(leaf), **how)

    def refuses(self, station: Station, leaf: Leaf | None = None, **how: Any) -> tuple[int, str]:
        with pytest.raises(InvalidStatus) as refused:
            self.connect(station, leaf, **how)
        return refused.value.response.status_code, refused.value.response.body.decode()


@pytest.fixture(scope="module")
def _proxy(_makers: Makers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("nginx")
    authority = FakeAuthority()
    certificate, key = authority.leaf.written(folder, "signer")
    portal = _makers.make(
        TRUSTED_PROXY="yes",
        ALLOWED_HOSTS="localhost,127.0.0.1",
        CA_CERTIFICATE=str(certificate),
        CA_KEY=str(key),
    )
    portal.start()
    ports = free_port(), free_port()
    proxy = Proxy(*ports, authority, folder, portal)
    with subprocess.Popen([str(NGINX), "-c", str(configure(proxy)), "-p", str(folder)]) as process:
        try:
            wait_for(proxy.tls_port)
            yield proxy
        finally:
            process.terminate()
    portal.stop()


@pytest.fixture
def proxy(_proxy: Proxy, django_db_blocker: Any) -> Iterator[Proxy]:
    with _seen(_proxy.portal, django_db_blocker):
        yield _proxy


def configure(proxy: Proxy) -> Path:
    """The example as it is in the documentation, with the names and files of this test."""
    folder = proxy.folder
    server = proxy.authority.issue("localhost", server_names=("localhost",))
    certificate, key = server.written(folder, "server")
    ca, _ = proxy.authority.leaf.written(folder, "ca")
    site = EXAMPLE.read_text()
    for said, here in {
        "/etc/laadbewijs/tls/server.pem": str(certificate),
        "/etc/laadbewijs/tls/server.key": str(key),
        "/etc/laadbewijs/tls/clients-ca.pem": str(ca),
        "/var/log/nginx/laadbewijs.log": str(folder / "access.log"),
        "127.0.0.1:8000": f"127.0.0.1:{proxy.portal.port}",
        "127.0.0.1:8001": f"127.0.0.1:{proxy.portal.port}",
        "listen 443 ssl": f"listen 127.0.0.1:{proxy.tls_port} ssl",
        "listen 80": f"listen 127.0.0.1:{proxy.plain_port}",
        "laad.example": "localhost",
    }.items():
        assert said in site, said
        site = site.replace(said, here)
    (folder / "site.conf").write_text(site)
    temporary = "\n".join(
        f"{name}_temp_path {folder / name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log {folder / 'error.log'};\n"
        f"events {{}}\nhttp {{ {temporary}\ninclude {folder / 'site.conf'}; }}\n"
    )
    return whole


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    until(listens)


def known(proxy: Proxy, station: Station) -> Leaf:
    """A certificate of the station that is known to the portal."""
    leaf = proxy.authority.issue(station.identity)
    certificates.register(station=station, pem=leaf.pem, now=proxy.authority.now)
    return leaf


@pytest.mark.parametrize("profile", [0, 1, 2])
def test_a_password_over_tls_opens_profile_0_1_and_2(proxy: Proxy, profile: int) -> None:
    station = make_station(password=PASSWORD, security_profile=profile)
    with proxy.connect(station) as connected:
        assert connected.call("Heartbeat", {})["currentTime"]
    assert proxy.refuses(station, password="wrong")[0] == 401


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_certificate_opens_profile_3_without_a_password(proxy: Proxy, version: str) -> None:
    station = make_station(version=version, security_profile=3)
    with proxy.connect(station, known(proxy, station), password=None, version=version) as connected:
        assert connected.call("Heartbeat", {})["currentTime"]
    until(lambda: station.certificates.get().seen_at is not None)


def test_profile_3_is_refused_without_a_certificate(proxy: Proxy) -> None:
    station = make_station(password=PASSWORD, security_profile=3)
    status, text = proxy.refuses(station)
    assert status == 403
    assert "client certificate" in text


def test_profile_3_is_refused_with_another_stations_certificate(proxy: Proxy) -> None:
    station, other = make_station(security_profile=3), make_station(security_profile=3)
    status, text = proxy.refuses(station, known(proxy, other), password=None)
    assert (status, "another station" in text) == (403, True)


def test_profile_3_is_refused_with_a_certificate_that_is_revoked(proxy: Proxy) -> None:
    station = make_station(security_profile=3)
    leaf = known(proxy, station)
    certificates.revoke(certificate=station.certificates.get(), now=proxy.authority.now)
    assert proxy.refuses(station, leaf, password=None)[0] == 403


def test_a_certificate_that_is_revoked_closes_the_socket_that_it_opened(proxy: Proxy) -> None:
    """And a new password closes none that a certificate opened."""
    station = make_station(security_profile=3)
    leaf = known(proxy, station)
    with proxy.connect(station, leaf, password=None) as connected:
        connected.call("Heartbeat", {})
        rotate_secret(station=station)
        assert connected.call("Heartbeat", {})["currentTime"]
        certificates.revoke(certificate=station.certificates.get(), now=proxy.authority.now)
        assert connected.closed_with(3 * presence.RENEWAL_S) == 1008
    until(Event.objects.filter(station=station, kind=Kind.DISCONNECTED).exists)
    gone = Event.objects.get(station=station, kind=Kind.DISCONNECTED)
    assert gone.data == {"reason": "the certificate was revoked"}
    assert proxy.refuses(station, leaf, password=None)[0] == 403


def test_a_certificate_of_a_strange_authority_is_turned_away_at_the_proxy(proxy: Proxy) -> None:
    station = make_station(security_profile=3)
    strange = FakeAuthority("Strange").issue(station.identity)
    certificates.register(station=station, pem=strange.pem, now=proxy.authority.now)
    assert proxy.refuses(station, strange, password=None)[0] == 400


@pytest.mark.parametrize("profile", [2, 3])
def test_over_plain_ws_more_than_profile_1_is_refused_with_an_event(proxy: Proxy, profile: int) -> None:
    station = make_station(password=PASSWORD, security_profile=profile)
    with pytest.raises(InvalidStatus) as refused:
        FakeStation(proxy.plain_port, station.identity)
    assert refused.value.response.status_code == 403
    assert b"TLS" in refused.value.response.body
    until(Event.objects.filter(station=station, kind=Kind.CONNECTION_REFUSED).exists)


def test_over_plain_ws_profile_1_comes_in(proxy: Proxy) -> None:
    station = make_station(password=PASSWORD, security_profile=1)
    with FakeStation(proxy.plain_port, station.identity) as connected:
        assert connected.call("Heartbeat", {})["currentTime"]


def spoofed(leaf: Leaf) -> dict[str, str]:
    return {
        "X-Forwarded-Proto": "https",
        "X-Client-Verify": "SUCCESS",
        "X-Client-Certificate": quote(leaf.pem),
        "X-Forwarded-For": "192.0.2.77",
    }


def test_headers_that_a_station_makes_up_are_worth_nothing(proxy: Proxy) -> None:
    """Over TLS without a certificate, over plain ws, each with the headers of who has one."""
    station = make_station(password=PASSWORD, security_profile=3)
    headers = spoofed(known(proxy, station))
    assert proxy.refuses(station, headers=headers)[0] == 403
    with pytest.raises(InvalidStatus) as refused:
        FakeStation(proxy.plain_port, station.identity, headers=headers)
    assert refused.value.response.status_code == 403


def test_pages_know_that_they_are_over_tls(proxy: Proxy) -> None:
    request = Request(f"https://localhost:{proxy.tls_port}/account/login/")
    with urlopen(request, context=proxy.tls(), timeout=20) as response:
        assert response.status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_1_1_is_refused(proxy: Proxy) -> None:
    context = proxy.tls()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), socket.create_connection(("127.0.0.1", proxy.tls_port), 5) as plain:
        context.wrap_socket(plain, server_hostname="localhost")


def test_the_access_log_has_no_secret(proxy: Proxy) -> None:
    station = make_station(password=PASSWORD)
    with proxy.connect(station) as connected:
        connected.call("Heartbeat", {})
    request = Request(f"https://localhost:{proxy.tls_port}/health/live?signature=very-secret")
    with urlopen(request, context=proxy.tls(), timeout=20) as response:
        assert response.status == 200
    link = f"https://localhost:{proxy.tls_port}/account/uitnodiging/very-secret/"
    with pytest.raises(HTTPError), urlopen(Request(link), context=proxy.tls(), timeout=20):
        pass
    log = proxy.folder / "access.log"
    until(lambda: "/account/uitnodiging/... 410" in log.read_text())
    until(lambda: f"GET /ocpp/{station.identity} 101" in log.read_text())
    until(lambda: "/health/live 200" in log.read_text())
    text = log.read_text()
    assert "very-secret" not in text
    assert "Basic" not in text


def test_a_quiet_line_stays_open(proxy: Proxy) -> None:
    station = make_station(password=PASSWORD)
    with proxy.connect(station) as connected:
        time.sleep(3)
        assert connected.call("Heartbeat", {})["currentTime"]


# ---------------------------------------------------------------- a higher profile, by a station that does it
@contextmanager
def simulated(proxy: Proxy, station: Station) -> Iterator[SimulatedStation]:
    """A simulated station that begins with a password over plain ws, on a loop of its own."""
    spec = StationSpec(
        identity=station.identity,
        url=f"ws://127.0.0.1:{proxy.plain_port}/ocpp",
        secure_url=f"wss://localhost:{proxy.tls_port}/ocpp",
        ocpp=station.ocpp_version,
        password=PASSWORD,
        boot_s=0.1,
    )
    made = SimulatedStation(spec, clock=Clock(speed=20))
    stop = asyncio.Event()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(made.run_until(stop)), daemon=True)
    thread.start()
    try:
        until(lambda: made.link.registered, within_s=60)
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def has_certificate(station: Station) -> bool:
    states = list(station.certificates.values_list("state", "reason"))
    assert not {"rejected", "revoked"} & {state for state, _ in states}, states
    return ("accepted", "") in states


def is_raised(station: Station, wanted: int) -> bool:
    row = station.profile_raises.latest("pk")
    assert row.state in ("asked", "accepted", "done"), row.state
    return bool(row.state == "done" and row.wanted == wanted)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_station_is_raised_from_a_password_over_ws_to_tls_and_to_its_own_certificate(
    proxy: Proxy, settings: Any, version: str
) -> None:
    settings.PUBLIC_URL = f"https://localhost:{proxy.tls_port}"
    settings.CERTIFICATE_SIGNER = "the portal's own"  # here it is only known that there is one
    station = make_station(version=version, password=PASSWORD, security_profile=1)
    root = "CentralSystemRootCertificate" if version == "1.6" else "CSMSRootCertificate"
    with simulated(proxy, station) as made:
        now = dt.datetime.now(dt.UTC)
        installed = certificates.install(station=station, use=root, pem=proxy.authority.leaf.pem, now=now)
        until(lambda: InstalledCertificate.objects.get(pk=installed.pk).state == "installed", within_s=30)
        securing.raise_profile(station=station, wanted=2, now=now)
        until(lambda: is_raised(station, 2), within_s=60)
        assert made.link.ways.now == Way(f"wss://localhost:{proxy.tls_port}/ocpp", 2)
        station.refresh_from_db()
        assert station.security_profile == 2
        certificates.ask_to_renew(station=station, now=now)
        until(lambda: has_certificate(station), within_s=60)
        securing.raise_profile(station=station, wanted=3, now=dt.datetime.now(dt.UTC))
        until(lambda: is_raised(station, 3), within_s=60)
        assert made.link.ways.now.profile == 3
        until(lambda: station.certificates.get().seen_at is not None)
    assert Station.objects.get(pk=station.pk).security_profile == 3
    assert proxy.refuses(station, version=version)[0] == 403, "its password opens nothing any more"
    states = Event.objects.filter(station=station, kind=Kind.SECURITY_PROFILE).order_by("pk")
    assert [(row.data["wanted"], row.data["state"]) for row in states if row.data["state"] == "done"] == [
        (2, "done"),
        (3, "done"),
    ]
