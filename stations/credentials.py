"""What is kept of a secret: keyed digests of tokens, hashes of station passwords. Never the secret itself."""

from __future__ import annotations

import hmac
import secrets
import string
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.contrib.auth.hashers import check_password, make_password
from django.utils.crypto import salted_hmac

from stations.models import Station

# 2.0.1 part 2, A00.FR.205: 16 to 40 characters. 1.6 carries at most 20 bytes, as 40 hexadecimal digits.
_CHARACTERS_16, _PLAIN = 20, string.ascii_letters + string.digits
# Between the slow hash of a chosen password and its hint; in no format of Django's.
_HINT = "!"
# A slow hash on every reconnect of a fleet would take a gateway down: what was once verified is remembered.
_VERIFIED_MAX = 10_000
_verified: OrderedDict[tuple[str, str], None] = OrderedDict()


def digest_token(id_token: str) -> str:
    """Keyed hash (64 hex digits) of an idTag or idToken; tokens are case-insensitive (OCPP 2.0.1 part 2, 2.11)."""
    return salted_hmac("stations.token", id_token.casefold(), algorithm="sha256").hexdigest()


def generate_secret() -> str:
    """A password for a station, with entropy enough (192 bits) for a fast hash."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A password to be set over OCPP: as the message carries it, and the digests of what the station may make of it."""

    sent: str = field(repr=False)
    hashes: list[str]


def new_secret(version: str) -> NewSecret:
    """A generated password in the form that the version asks for.

    1.6: AuthorizationKey holds the bytes of the password in hexadecimal (security white paper, A00.FR.206). They are
    letters and digits, so that it is a text too; and there are stations that take the digits themselves for the
    password: both open. 2.x: BasicAuthPassword is the password (A01).
    """
    if version != "1.6":
        secret = generate_secret()
        return NewSecret(secret, [_fast_digest(secret.encode())])
    text = "".join(secrets.choice(_PLAIN) for _ in range(_CHARACTERS_16))  # 119 bits
    sent = text.encode().hex()
    return NewSecret(sent, [_fast_digest(text.encode()), _fast_digest(sent.encode())])


def hash_secret(password: bytes, *, kind: str) -> str:
    """What to store for `password`: a keyed fast hash of a generated one, a slow hash of a chosen one.

    Behind the slow hash stands a hint of eight bits, keyed: without it each wrong guess of a stranger would cost us a
    third of a second. It tells nothing to who has the row and not SECRET_KEY.
    """
    if kind == Station.Secret.GENERATED:
        return _fast_digest(password)
    return f"{make_password(_as_text(password))}{_HINT}{_hint(password)}"


def verify_secret(station: Station, password: bytes) -> bool:
    """Whether `password` (raw bytes as received, not necessarily UTF-8) is the station's; in constant time."""
    known = verify_cheaply(station, password)
    return verify_slowly(station, password) if known is None else known


def verify_cheaply(station: Station, password: bytes) -> bool | None:
    """As verify_secret, in microseconds. None: only the slow hash can tell."""
    if not station.secret_hash:
        return False
    if station.secret_kind == Station.Secret.GENERATED:
        return hmac.compare_digest(_fast_digest(password), station.secret_hash)
    if (_fast_digest(password), station.secret_hash) in _verified:
        return True
    _, has_hint, hint = station.secret_hash.partition(_HINT)
    if has_hint and not hmac.compare_digest(_hint(password), hint):
        return False
    return None


def verify_slowly(station: Station, password: bytes) -> bool:
    """A chosen password against its slow hash; one that is right is remembered."""
    if not check_password(_as_text(password), station.secret_hash.partition(_HINT)[0]):
        return False
    _verified[_fast_digest(password), station.secret_hash] = None
    while len(_verified) > _VERIFIED_MAX:
        _verified.popitem(last=False)
    return True


def is_one_of(password: bytes, hashes: Iterable[str]) -> bool:
    """Whether one of these digests of generated passwords is that of `password`."""
    digest = _fast_digest(password)
    return any(hmac.compare_digest(digest, known) for known in hashes)


def digest_of(password: bytes) -> str:
    """What is stored for a generated password."""
    return _fast_digest(password)


def _hint(password: bytes) -> str:
    return salted_hmac("stations.station-secret-hint", password, algorithm="sha256").hexdigest()[:2]


def _as_text(password: bytes) -> str:
    """One character for each byte: raw bytes that are no UTF-8 are a password like any other."""
    return password.decode("latin-1")


def _fast_digest(password: bytes) -> str:
    return salted_hmac("stations.station-secret", password, algorithm="sha256").hexdigest()
