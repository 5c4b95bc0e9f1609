"""Secrets that must come out again: sealed in their row, opened only where they leave for a station.

A secret that is only ever compared is hashed instead (stations.credentials).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import cache
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Unsealable(ValueError):
    """A sealed text that no key of this installation opens: SECRET_KEY was changed, or it is not one of ours."""


def seal(text: str) -> str:
    """`text`, encrypted and signed (Fernet) with a key of SECRET_KEY; a third longer, and 100 characters."""
    return _keys(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS)).encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed. Raises Unsealable."""
    try:
        keys = _keys(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS))
        return keys.decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unsealable("sealed with another SECRET_KEY: give it in SECRET_KEY_FALLBACKS") from None


@cache
def _keys(key: str, fallbacks: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(each)) for each in (key, *fallbacks)])


def _derived(key: str) -> bytes:
    return urlsafe_b64encode(sha256(b"stations.sealing:" + key.encode()).digest())
