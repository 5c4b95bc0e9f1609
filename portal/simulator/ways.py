"""The ways from a station to its CSMS: address and security profile, which one is used, and the way back.

A new way is tried some times; where it leads nowhere the station comes back on the one that it had (1.6: the security
white paper, A05; 2.0.1: B10). With a higher profile in use, lower ones are given up (2.0.1, A05.FR.06).
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ATTEMPTS = 3  # NetworkProfileConnectionAttempts
BASIC, TLS, CERTIFICATE = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Way:
    """`url` is the base address; the identity comes behind it."""

    url: str
    profile: int = BASIC

    @property
    def fits(self) -> bool:
        """Profiles 2 and 3 are over TLS, and 1 is not."""
        return self.url.startswith("wss:" if self.profile >= TLS else "ws:")


@dataclass(slots=True)
class Trust:
    """The roots that are trusted beside those of the system, and the station's own certificate with its key: PEM."""

    roots: list[str] = field(default_factory=list)
    certificate: str = ""
    key: bytes = b""

    def context(self, profile: int) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.roots:
            context.load_verify_locations(cadata="\n".join(self.roots))
        if profile == CERTIFICATE and self.certificate:
            with tempfile.TemporaryDirectory() as folder:  # the library takes files only
                pair = Path(folder) / "pair.pem"
                pair.touch(mode=0o600)
                pair.write_bytes(self.key + self.certificate.encode())
                context.load_cert_chain(pair)
        return context


class Ways:
    """Those that the station has, in the order in which they are tried; the first that works is used."""

    def __init__(self, first: Way) -> None:
        self.slots: dict[int, Way] = {1: first}
        self.trust = Trust()
        self.on_worked: Callable[[], None] = lambda: None
        self._order: list[int] = [1]
        self._failures = 0

    @property
    def slot(self) -> int:
        return self._order[0]

    @property
    def now(self) -> Way:
        return self.slots[self.slot]

    def prefer(self, slots: Sequence[int]) -> None:
        """This order from here on; slots that hold nothing are passed over. The way in use stays a way back."""
        known = [slot for slot in slots if slot in self.slots]
        self._order = [*known, *(slot for slot in self._order if slot not in known)]
        self._failures = 0

    def worked(self) -> None:
        """It got through: what is less secure is not used again."""
        self._failures = 0
        self._order = [slot for slot in self._order if self.slots[slot].profile >= self.now.profile]
        self.slots = {slot: way for slot, way in self.slots.items() if way.profile >= self.now.profile}
        self.on_worked()

    def failed(self) -> None:
        """After some attempts the next one has its turn."""
        self._failures += 1
        if self._failures >= ATTEMPTS and len(self._order) > 1:
            self._failures = 0
            self._order.append(self._order.pop(0))
