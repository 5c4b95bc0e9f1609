"""Signatures by Standard Webhooks (standardwebhooks.com): who has the secret knows that it came from us, and when.

`webhook-id`, `webhook-timestamp` (seconds) and `webhook-signature`: "v1," and the HMAC-SHA256, in base64, of
id.timestamp.body; more than one, with a space between, while two secrets hold.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """As it is shown once: the prefix, and 32 random bytes in base64."""
    return PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(
    *, message_id: str, body: bytes, now: datetime, secrets_in_force: Sequence[str]
) -> dict[str, str]:
    """The three headers of a message. The time is that of the attempt: an old one is refused by who takes it."""
    stamp = str(int(now.timestamp()))
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature(secret, signed)}" for secret in secrets_in_force),
    }


def signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return b64encode(hmac.new(key, signed, sha256).digest()).decode()
