"""A security key at the edge, as a browser passes on what it says (WebAuthn level 2, 6 and 7)."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _public_key(key: ec.EllipticCurvePublicKey) -> dict[int, Any]:
    """As COSE has it (RFC 9053, 7.1.1): kty EC2, alg ES256, curve P-256, and the two coordinates."""
    numbers = key.public_numbers()
    return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}


class SecurityKey:
    """Holds one key pair of ES256, and asks its user for a finger each time."""

    def __init__(self, origin: str = "http://localhost:8000") -> None:
        self.origin = origin
        self.id = secrets.token_bytes(32)
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._user = ""

    def makes(self, options: dict[str, Any]) -> dict[str, Any]:
        """A new credential, for `creation_options` of the page."""
        asked = options["publicKey"]
        self._user = asked["user"]["id"]
        public = cbor.encode(_public_key(self._private.public_key()))
        flags = PRESENT | VERIFIED | ATTESTED
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._authenticator_data(asked["rp"]["id"], flags) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": _text(self._client_data("webauthn.create", asked["challenge"])),
            "attestationObject": _text(attestation),
            "transports": ["internal"],
        }
        return self._credential(response) | {"clientExtensionResults": {"credProps": {"rk": True}}}

    def signs(self, options: dict[str, Any]) -> dict[str, Any]:
        """The answer to `request_options` of the page."""
        asked = options["publicKey"]
        data = self._authenticator_data(asked["rpId"], PRESENT | VERIFIED)
        client = self._client_data("webauthn.get", asked["challenge"])
        signature = self._private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text(signature),
            "userHandle": self._user,
        }
        return self._credential(response) | {"clientExtensionResults": {}}

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {"type": "public-key", "id": _text(self.id), "rawId": _text(self.id), "response": response}

    def _authenticator_data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, 0)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()
