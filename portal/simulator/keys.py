"""What a station holds for its security: its password, its key with a certificate, and the roots that it trusts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from portal.simulator.link import Reply
from portal.simulator.station import Station
from portal.simulator.wire import V16, Message, Payload

PAUSE_S = 2.0  # of the station's clock, before it goes and comes back with another password
MOST_ROOTS = 10
CSMS_ROOTS = {"CentralSystemRootCertificate", "CSMSRootCertificate"}


@dataclass(frozen=True, slots=True)
class _Root:
    use: str
    named: Payload
    pem: str


class Keys:
    """One key at a time: that of the last signing request, until its certificate comes."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._pending: ec.EllipticCurvePrivateKey | None = None
        self._roots: list[_Root] = []
        self._trust = station.link.ways.trust

    def handlers(self) -> dict[str, Callable[[Payload], Reply]]:
        return {
            "CertificateSigned": self._certificate_signed,
            "InstallCertificate": self._install,
            "DeleteCertificate": self._delete,
            "GetInstalledCertificateIds": self._list,
        }

    def triggers(self) -> dict[str, Callable[[], Any]]:
        name = "SignChargePointCertificate"
        if self._station.dialect.version is not V16:
            name = "SignChargingStationCertificate"
        return {name: self.ask_certificate}

    # Its own certificate

    def ask_certificate(self) -> None:
        """A new key, and a request for a certificate with it (2.0.1, A02)."""
        self._pending = ec.generate_private_key(ec.SECP256R1())
        spec = self._station.spec
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, spec.identity),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, spec.vendor),
            ]
        )
        request = (
            x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._pending, hashes.SHA256())
        )
        payload: Payload = {"csr": request.public_bytes(serialization.Encoding.PEM).decode()}
        if self._station.dialect.version is not V16:
            payload["certificateType"] = "ChargingStationCertificate"
        self._station.link.tell(Message("SignCertificate", lambda: payload))

    def _certificate_signed(self, payload: Payload) -> Reply:
        """Taken only where it is for the key of the last request."""
        certificate = _read(payload["certificateChain"])
        if certificate is None or self._pending is None:
            return Reply({"status": "Rejected"})
        if certificate.public_key() != self._pending.public_key():
            return Reply({"status": "Rejected"})
        self._trust.certificate, self._trust.key = payload["certificateChain"], _text_of(self._pending)
        self._pending = None
        return Reply({"status": "Accepted"})

    # Roots

    def _install(self, payload: Payload) -> Reply:
        certificate = _read(payload["certificate"])
        if certificate is None or len(self._roots) >= MOST_ROOTS:
            return Reply({"status": "Rejected"})
        root = _Root(payload["certificateType"], _named(certificate), payload["certificate"])
        if root not in self._roots:
            self._roots.append(root)
        self._trust_roots()
        return Reply({"status": "Accepted"})

    def _delete(self, payload: Payload) -> Reply:
        asked = payload["certificateHashData"]
        kept = [root for root in self._roots if root.named != asked]
        found = len(kept) < len(self._roots)
        self._roots = kept
        self._trust_roots()
        return Reply({"status": "Accepted" if found else "NotFound"})

    def _trust_roots(self) -> None:
        """Those of its CSMS; its maker's and those of cars say nothing of this line."""
        self._trust.roots = [root.pem for root in self._roots if root.use in CSMS_ROOTS]

    def _list(self, payload: Payload) -> Reply:
        asked = payload.get("certificateType")
        uses = [asked] if isinstance(asked, str) else asked
        found = [root for root in self._roots if not uses or root.use in uses]
        if not found:
            return Reply({"status": "NotFound"})
        if self._station.dialect.version is V16:
            return Reply({"status": "Accepted", "certificateHashData": [root.named for root in found]})
        chain = [{"certificateType": root.use, "certificateHashData": root.named} for root in found]
        return Reply({"status": "Accepted", "certificateHashDataChain": chain})


# Its password


def take_password(station: Station, said: str) -> None:
    """From now on this one: the station goes, and comes back with it. 1.6 has the bytes in hexadecimal (6.2)."""
    link = station.link
    try:
        link.password = bytes.fromhex(said) if station.dialect.version is V16 else said
    except ValueError:
        link.password = said
    station.spawn(come_back(station))


async def come_back(station: Station) -> None:
    """Once the answer is out: away, and back the way that is wanted by then."""
    await station.clock.sleep(PAUSE_S)
    await station.link.disconnect()
    station.link.reconnect()


def _read(pem: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError:
        return None


def _text_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _named(certificate: x509.Certificate) -> Payload:
    """CertificateHashDataType of a root, which is its own issuer."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        bits = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    elif isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    else:
        bits = b""
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": hashlib.sha256(certificate.issuer.public_bytes()).hexdigest(),
        "issuerKeyHash": hashlib.sha256(bits).hexdigest(),
        "serialNumber": format(certificate.serial_number, "x"),
    }
