"""A way out to addresses that others chose: none that leads into our own network, decided when it is connected.

A name is resolved here, once, and the address that was looked at is the one that is connected to: a name that means
something else a moment later (DNS rebinding) leads nowhere else. Redirects are answers like any other.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from portal.notices.webhooks.models import Problem

LOOKUP_S = 5.0
CONNECT_S = 5.0
ANSWER_S = 10.0  # from the first byte out to the last byte in
MOST_READ = 2048
PORTS = range(1, 65536)
# A look-up that hangs is left to itself, for nothing can end it: no more of them than these at a time.
MOST_LOOKUPS = 16
_lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


class Unreachable(OSError):
    """The endpoint did not answer, or may not be reached from here."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class BadAddress(ValueError):
    """An address that nothing is sent to. `reason`: shape, scheme, private or unknown."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of the body nothing is kept, it is another's."""

    status: int
    ms: int


def split(url: str) -> SplitResult:
    """The parts of an address that may be kept. Raises BadAddress; whether it is private shows when it is connected."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port in PORTS
    except ValueError:
        raise BadAddress("shape") from None
    if not url.isascii() or not url.isprintable() or " " in url or not parts.hostname or not has_port:
        raise BadAddress("shape")
    if parts.username is not None or parts.fragment:
        raise BadAddress("shape")
    is_plain = parts.scheme == "http" and settings.WEBHOOKS_TO_PRIVATE
    if parts.scheme != "https" and not is_plain:
        raise BadAddress("scheme")
    address = _literal(parts.hostname)
    if address is not None and not _may_reach(address):
        raise BadAddress("private")
    return parts


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` there. Raises Unreachable; any status is an answer."""
    try:
        parts = split(url)
    except BadAddress as error:
        raise Unreachable(Problem.PRIVATE if error.reason == "private" else Problem.ADDRESS) from None
    start = time.monotonic()
    line = _line(parts)
    # A timeout of a socket starts anew with each byte: who sends one a second would hold us for ever.
    watch = threading.Timer(ANSWER_S, _cut, [line])
    watch.daemon = True
    watch.start()
    try:
        path = parts.path or "/"
        line.request("POST", f"{path}?{parts.query}" if parts.query else path, body, dict(headers))
        answer = line.getresponse()
        answer.read(MOST_READ)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_problem(error, time.monotonic() - start)) from None
    finally:
        watch.cancel()
        line.close()
    return Answer(answer.status, round((time.monotonic() - start) * 1000))


def _problem(error: Exception, took_s: float) -> Problem:
    if isinstance(error, Unreachable):
        return error.problem
    if isinstance(error, TimeoutError) or took_s >= ANSWER_S:
        return Problem.TIMEOUT
    return Problem.TLS if isinstance(error, ssl.SSLError) else Problem.CONNECTION


def _cut(line: http.client.HTTPConnection) -> None:
    """From another thread: whoever reads there stops at once."""
    held = line.sock
    if held is not None:
        try:
            held.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


# ---------------------------------------------------------------- connecting
def _line(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""  # `split` took none without
    if parts.scheme == "https":
        return _Secure(host, parts.port, timeout=CONNECT_S, context=_trust())
    return _Plain(host, parts.port, timeout=CONNECT_S)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = _connected(self.host, self.port)


class _Secure(http.client.HTTPSConnection):
    """The certificate is that of the name, whichever of its addresses is connected to."""

    def connect(self) -> None:
        self.sock = _connected(self.host, self.port)  # to be cut while they shake hands too
        self.sock = _trust().wrap_socket(self.sock, server_hostname=self.host)


def _connected(host: str, port: int) -> socket.socket:
    """To the first address of `host`, if all of them may be reached."""
    found = _looked_up(host, port)
    if not all(_may_reach(ipaddress.ip_address(str(each[4][0]).partition("%")[0])) for each in found):
        raise Unreachable(Problem.PRIVATE)
    family, kind, protocol, _name, address = found[0]
    line = socket.socket(family, kind, protocol)
    line.settimeout(CONNECT_S)
    try:
        line.connect(address)
    except OSError:
        line.close()
        raise
    line.settimeout(ANSWER_S)
    return line


def _looked_up(host: str, port: int) -> list[Any]:
    """What the name means (as of `socket.getaddrinfo`), one address or more. Raises Unreachable.

    The resolver of the system takes no deadline and may well be a minute about it, so another thread asks it.
    """
    told: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            told.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            told.put([])
        finally:
            _lookups.release()

    start = time.monotonic()
    if not _lookups.acquire(timeout=LOOKUP_S):
        raise Unreachable(Problem.LOOKUP)
    threading.Thread(target=ask, name="look-up", daemon=True).start()
    try:
        found = told.get(timeout=max(0.0, start + LOOKUP_S - time.monotonic()))
    except queue.Empty:
        raise Unreachable(Problem.LOOKUP) from None
    if not found:
        raise Unreachable(Problem.NAME)
    return found


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _may_reach(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Of the internet itself; not ours, not this machine's, not a way round that (an IPv4 within IPv6)."""
    if settings.WEBHOOKS_TO_PRIVATE:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return False
    return address.is_global and not address.is_multicast
