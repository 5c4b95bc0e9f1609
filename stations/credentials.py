"""What is kept of a secret: keyed digests of tokens, hashes of station passwords. Never the secret itself."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict

from django.contrib.auth.hashers import check_password, make_password
from django.utils.crypto import salted_hmac

from stations.models import Station

# A slow hash on every reconnect of a fleet would take a gateway down: what was once verified is remembered.
_VERIFIED_MAX = 10_000
_verified: OrderedDict[tuple[str, str], None] = OrderedDict()


def digest_token(id_token: str) -> str:
    """Keyed hash (64 hex digits) of an idTag or idToken; tokens are case-insensitive (OCPP 2.0.1 part 2, 2.11)."""
    return salted_hmac("stations.token", id_token.casefold(), algorithm="sha256").hexdigest()


def generate_secret() -> str:
    """A password for a station, with entropy enough (192 bits) for a fast hash."""
    return secrets.token_urlsafe(24)


def hash_secret(password: bytes, *, kind: str) -> str:
    """What to store for `password`: a keyed fast hash of a generated one, a slow hash of a chosen one."""
    if kind == Station.Secret.GENERATED:
        return _fast_digest(password)
    return make_password(_as_text(password))


def verify_secret(station: Station, password: bytes) -> bool:
    """Whether `password` (raw bytes as received, not necessarily UTF-8) is the station's; in constant time."""
    if not station.secret_hash:
        return False
    if station.secret_kind == Station.Secret.GENERATED:
        return hmac.compare_digest(_fast_digest(password), station.secret_hash)
    known = (_fast_digest(password), station.secret_hash)
    if known in _verified:
        return True
    if not check_password(_as_text(password), station.secret_hash):
        return False
    _verified[known] = None
    while len(_verified) > _VERIFIED_MAX:
        _verified.popitem(last=False)
    return True


def _as_text(password: bytes) -> str:
    """One character for each byte: raw bytes that are no UTF-8 are a password like any other."""
    return password.decode("latin-1")


def _fast_digest(password: bytes) -> str:
    return salted_hmac("stations.station-secret", password, algorithm="sha256").hexdigest()
