"""Before a station is let in: who it comes from, whether there is room, and whether it has guessed too often."""

from __future__ import annotations

import ipaddress
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache as remembered
from typing import Any

from django.conf import settings
from django.core.cache import cache

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
# What a proxy says of who it speaks for. From anybody else these are not even passed on.
FORWARDED = frozenset(
    {b"x-forwarded-for", b"x-forwarded-proto", b"x-real-ip", b"x-client-verify", b"x-client-certificate"}
)


class Refused(Exception):
    """A station that is not let in, with the HTTP status that it gets instead of an upgrade.

    `reason` names it in an event; empty: no event. `is_guess`: too many of these, and there is a pause.
    """

    def __init__(
        self, status: int, text: str, *, reason: str = "", retry_after_s: int = 0, is_guess: bool = False
    ) -> None:
        super().__init__(text)
        self.status, self.text = status, text
        self.reason, self.retry_after_s, self.is_guess = reason, retry_after_s, is_guess


# ---------------------------------------------------------------- who it comes from
@dataclass(frozen=True, slots=True)
class Caller:
    """Who opens a connection: from where, over TLS or not, and with which certificate, verified by the proxy."""

    address: str
    is_secure: bool
    certificate: str = ""


def caller_of(scope: Scope) -> Caller:
    """Of a scope that went `through_proxy`; of any other what this process itself can see."""
    client = scope.get("client")
    is_secure = scope.get("scheme") in ("wss", "https")
    return Caller(client[0] if client else "", is_secure, scope.get("verified_certificate", ""))


def through_proxy(scope: Scope) -> Scope:
    """The scope with what a trusted proxy says of the caller, and without such words of anybody else.

    A station could otherwise claim to have come over TLS, or with a certificate that is another's.
    """
    said = {name: value for name, value in scope["headers"] if name in FORWARDED}
    if not said:
        return scope
    headers = [(name, value) for name, value in scope["headers"] if name not in FORWARDED]
    if not _is_trusted(scope.get("client")):
        return {**scope, "headers": headers}
    is_secure = said.get(b"x-forwarded-proto", b"").strip().lower() in (b"https", b"wss")
    scheme = "wss" if scope["type"] == "websocket" else "https"
    kept = [(b"x-forwarded-proto", b"https")] if is_secure else []  # for Django
    return {
        **scope,
        "headers": headers + kept,
        "scheme": scheme if is_secure else scope.get("scheme"),
        "client": _forwarded_for(said) or scope.get("client"),
        "verified_certificate": _certificate(said) if is_secure else "",
    }


def _is_trusted(client: tuple[str, int] | None) -> bool:
    if not settings.TRUSTED_PROXY or not client:
        return False
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return False
    return any(address in network for network in _networks(tuple(settings.TRUSTED_PROXY_ADDRESSES)))


@remembered
def _networks(addresses: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(address, strict=False) for address in addresses]


def _forwarded_for(said: dict[bytes, bytes]) -> tuple[str, int] | None:
    """The last address is the one that our proxy saw; those before it are the caller's own words."""
    text = said.get(b"x-forwarded-for", b"").decode("latin-1").rpartition(",")[2].strip()
    try:
        return (str(ipaddress.ip_address(text)), 0)
    except ValueError:
        return None


def _certificate(said: dict[bytes, bytes]) -> str:
    """nginx says SUCCESS, NONE or FAILED:reason of the certificate that it passes."""
    if said.get(b"x-client-verify", b"").strip() != b"SUCCESS":
        return ""
    return said.get(b"x-client-certificate", b"").decode("latin-1").strip()


# ---------------------------------------------------------------- whether there is room
class Doors:
    """The open connections of this process, in all and for each address. Used on the event loop alone."""

    def __init__(self) -> None:
        self.total = 0
        self.by_address: Counter[str] = Counter()

    def enter(self, address: str) -> None:
        """Raises Refused."""
        if self.total >= settings.OCPP_MAX_CONNECTIONS:
            _log_counted("full", "The endpoint is full with %d connections (%d refused)", self.total)
            text = "No room for another station at the moment: try again after 60 s."
            raise Refused(503, text, retry_after_s=60)
        if self.by_address[address] >= settings.OCPP_MAX_CONNECTIONS_PER_ADDRESS:
            _log_counted(
                f"full:{address}", "%s has %d connections (%d refused)", address, self.by_address[address]
            )
            most = settings.OCPP_MAX_CONNECTIONS_PER_ADDRESS
            text = (
                f"Too many connections from {address}, at most {most}: close some, or try again after 60 s."
            )
            raise Refused(429, text, retry_after_s=60)
        self.total += 1
        self.by_address[address] += 1

    def leave(self, address: str) -> None:
        self.total -= 1
        self.by_address[address] -= 1
        if not self.by_address[address]:
            del self.by_address[address]


# ---------------------------------------------------------------- whether it has guessed too often
MEMORY_S = 900  # a quarter of an hour without a wrong guess, and all is forgotten
KNOWN_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Brake:
    """After `free` wrong attempts each next one costs a pause, twice as long as the last, up to `longest_s`."""

    name: str
    free: int
    longest_s: int

    def pause_s(self, wrong: int) -> int:
        over = wrong - self.free
        return 0 if over < 1 else min(2 ** min(over - 1, 20), self.longest_s)


# One address on one station; one address on many; and many addresses on one, which must not shut its owner out.
PAIR, ADDRESS, STATION = Brake("pair", 3, 300), Brake("address", 100, 60), Brake("station", 30, 10)


def heed_brakes(identity: str, address: str) -> None:
    """Raises Refused where a pause still runs. Who once came in from this address is not slowed by others there."""
    keys = _keys(identity, address)
    known = f"ocpp:known:{address}:{identity}"
    found = _get([*(f"{key}:wait" for key in keys.values()), known])
    heeded = (PAIR,) if known in found else keys
    pauses = [found[f"{keys[brake]}:wait"] for brake in heeded if f"{keys[brake]}:wait" in found]
    if pauses:
        raise Refused(
            429,
            f"Too many wrong attempts: try again after {max(pauses)} s, with the password that the operator gave.",
            reason="slowed",
            retry_after_s=max(pauses),
        )


def note_wrong(identity: str, address: str) -> None:
    """A wrong password, or an identity that does not exist."""
    slow_down(_keys(identity, address), memory_s=MEMORY_S)


def slow_down(keys: Mapping[Brake, str], *, memory_s: int) -> None:
    """One more wrong attempt under each of these keys, remembered for `memory_s` after the first."""
    for brake, key in keys.items():
        pause_s = brake.pause_s(_count(f"{key}:wrong", memory_s))
        if pause_s:
            _set(f"{key}:wait", pause_s, pause_s)


def longest_pause_s(keys: Iterable[str]) -> int:
    """The longest pause that runs under these keys; 0: none."""
    return max(_get(f"{key}:wait" for key in keys).values(), default=0)


def note_right(identity: str, address: str) -> None:
    """Let in: the next attempts from here are its own."""
    known = f"ocpp:known:{address}:{identity}"
    pair = _keys(identity, address)[PAIR]
    try:
        if cache.add(known, 1, KNOWN_S):
            cache.delete_many([f"{pair}:wrong", f"{pair}:wait"])
    except Exception:  # noqa: BLE001 - without a cache there are no brakes, and stations come in
        _log_without_cache()


def is_worth_an_event(identity: str, reason: str) -> int:
    """How often this happened within the hour, at the 1st, 10th, 100th, ... time; else 0."""
    count = _count(f"ocpp:refused:{reason}:{identity}", 3600)
    return count if str(count).strip("0") == "1" else 0


def _keys(identity: str, address: str) -> dict[Brake, str]:
    return {
        PAIR: f"ocpp:brake:{address}:{identity}",
        ADDRESS: f"ocpp:brake:{address}",
        STATION: f"ocpp:brake::{identity}",
    }


def _get(keys: Iterable[str]) -> dict[str, Any]:
    try:
        return dict(cache.get_many(keys))
    except Exception:  # noqa: BLE001 - as above
        _log_without_cache()
        return {}


def _set(key: str, value: int, seconds: int) -> None:
    try:
        cache.set(key, value, seconds)
    except Exception:  # noqa: BLE001 - as above
        _log_without_cache()


def _count(key: str, seconds: int) -> int:
    """One more, remembered for `seconds` after the first."""
    try:
        cache.add(key, 0, seconds)
        return int(cache.incr(key))
    except ValueError:  # it was forgotten in between
        return 1
    except Exception:  # noqa: BLE001 - as above
        _log_without_cache()
        return 1


def _log_without_cache() -> None:
    _log_counted("cache", "The cache is away: wrong passwords are not slowed (%d times)")


_logged: Counter[str] = Counter()


def _log_counted(key: str, text: str, *values: object) -> None:
    """At the 1st, 10th, 100th, ... time, with that number: who is refused often must not fill the log."""
    _logged[key] += 1
    if str(_logged[key]).strip("0") == "1":
        logger.warning(text, *values, _logged[key])
    if len(_logged) > 10_000:
        _logged.clear()
