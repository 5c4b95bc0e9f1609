"""X.509 as OCPP needs it: reading a certificate, checking a signing request, signing it. Pure.

Sources: OCPP 2.0.1 part 2, A02 to A04 and section 2.3 (certificates); the OCPP 1.6 security white paper, A00.FR.500 ff.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# White paper, A00.FR.503 and 504: RSA of 2048 bits or an elliptic curve of 224; less than 256 is sold no more.
LEAST_RSA_BITS, LEAST_CURVE_BITS = 2048, 256
WEAK_HASHES = (hashes.MD5, hashes.SHA1)
CLOCK_SKEW = timedelta(hours=1)  # a station whose clock is slow takes the certificate at once


class Unusable(ValueError):
    """What cannot be used, and why: `code` for a row, whose words the page has; the text for a log."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class NotACertificate(Unusable):
    """A text that is no certificate, or none that can be used."""


class BadRequest(Unusable):
    """A signing request that is not signed."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is kept and shown of a certificate."""

    common_name: str
    subject: str
    serial_number: str
    fingerprint: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class HashData:
    """CertificateHashDataType: how OCPP names a certificate (2.0.1 part 2, 2.5)."""

    algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


# ---------------------------------------------------------------- reading
def read(pem: str) -> x509.Certificate:
    """The first certificate of a PEM text. Raises NotACertificate."""
    if "PRIVATE KEY" in pem:
        raise NotACertificate("private_key", "it holds a private key, which belongs to its owner alone")
    try:
        return x509.load_pem_x509_certificates(pem.encode())[0]
    except ValueError:
        raise NotACertificate("unreadable", "it is no certificate in PEM form") from None


def read_header(text: str) -> x509.Certificate:
    """A certificate as a proxy passes it in a header: PEM, per cent encoded, or DER in base64.

    Raises NotACertificate.
    """
    try:
        if text.startswith("-"):
            return x509.load_pem_x509_certificate(unquote_to_bytes(text))
        return x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error):
        raise NotACertificate("unreadable", "the proxy passed no certificate that can be read") from None


def describe(certificate: x509.Certificate) -> Described:
    """Raises NotACertificate where its names cannot be read."""
    try:
        subject = certificate.subject
    except ValueError:
        raise NotACertificate("unreadable", "its subject cannot be read") from None
    return Described(
        common_name=common_name(subject),
        subject=subject.rfc4514_string()[:200],
        serial_number=serial_text(certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def common_name(name: x509.Name) -> str:
    """The one common name; empty where there is none, or more than one."""
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else ""


def serial_text(certificate: x509.Certificate) -> str:
    """Hexadecimal, lower case, without leading zeros (2.0.1 part 2, CertificateHashDataType)."""
    return format(certificate.serial_number, "x")


def hash_data(certificate: x509.Certificate) -> HashData | None:
    """How OCPP names this certificate; None where it is not its own issuer, whose key is then not known here."""
    if certificate.issuer != certificate.subject:
        return None
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return HashData(
        "SHA256",
        _sha256(certificate.issuer.public_bytes()),
        _sha256(_bit_string(key)),
        serial_text(certificate),
    )


def _bit_string(subject_public_key_info: bytes) -> bytes:
    """The key itself, without its algorithm: what RFC 6960 has hashed. DER: SEQUENCE { SEQUENCE, BIT STRING }."""
    _, outer = _length(subject_public_key_info, 0)
    size, inner = _length(subject_public_key_info, outer)
    _, content = _length(subject_public_key_info, inner + size)
    return subject_public_key_info[content + 1 :]  # the first byte counts unused bits


def _length(der: bytes, at: int) -> tuple[int, int]:
    """The length of the element that begins at `at`, and where its content does."""
    first = der[at + 1]
    if first < 0x80:
        return first, at + 2
    count = first & 0x7F
    return int.from_bytes(der[at + 2 : at + 2 + count]), at + 2 + count


def _sha256(content: bytes) -> str:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize().hex()


# ---------------------------------------------------------------- a signing request
def check_request(pem: str, *, identity: str) -> x509.CertificateSigningRequest:
    """The request, if it may be signed for the station `identity`. Raises BadRequest."""
    try:
        request = x509.load_pem_x509_csr(pem.encode())
        signed_with = request.signature_hash_algorithm
        is_signed = request.is_signature_valid
        name = common_name(request.subject)
        key = request.public_key()
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        raise BadRequest("unreadable", "it is no signing request in PEM form that can be read") from None
    if not is_signed:
        raise BadRequest("signature", "its signature is not by its own key")
    if signed_with is None or isinstance(signed_with, WEAK_HASHES):
        raise BadRequest("weak_hash", "it is signed with a hash that is too weak")
    if name != identity:
        raise BadRequest("name", f"its common name is {name[:48]!r}, not the identity of the station")
    _check_key(key)
    return request


def _check_key(key: object) -> None:
    match key:
        case rsa.RSAPublicKey():
            if key.key_size < LEAST_RSA_BITS:
                raise BadRequest(
                    "weak_key", f"its RSA key has {key.key_size} bits, fewer than {LEAST_RSA_BITS}"
                )
        case ec.EllipticCurvePublicKey():
            if key.curve.key_size < LEAST_CURVE_BITS:
                raise BadRequest(
                    "weak_key",
                    f"its curve {key.curve.name} has {key.curve.key_size} bits, fewer than {LEAST_CURVE_BITS}",
                )
        case _:
            raise BadRequest("key_type", "its key is neither RSA nor an elliptic curve")


# ---------------------------------------------------------------- signing
@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of this installation's own: its certificate and key, both PEM."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @staticmethod
    def read(certificate_pem: bytes, key_pem: bytes) -> Authority:
        """Raises NotACertificate where the two are none, or do not belong to one another."""
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem)
            key = serialization.load_pem_private_key(key_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise NotACertificate(
                "authority", "the certificate or the key of the authority cannot be read"
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise NotACertificate(
                "authority", "the key of the authority is neither RSA nor an elliptic curve"
            )
        if key.public_key() != certificate.public_key():
            raise NotACertificate("authority", "the key of the authority is not that of its certificate")
        return Authority(certificate, key)

    def sign(self, request: x509.CertificateSigningRequest, *, now: datetime, valid_days: int) -> str:
        """The chain for a station: its certificate, then ours unless that is a root (2.0.1 part 2, A02.FR.05)."""
        ends_at = min(now + timedelta(days=valid_days), self.certificate.not_valid_after_utc)
        if ends_at <= now:
            raise NotACertificate("authority_expired", "the certificate of the authority has expired")
        built = (
            x509.CertificateBuilder()
            .subject_name(_kept_names(request.subject))
            .issuer_name(self.certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(max(now - CLOCK_SKEW, self.certificate.not_valid_before_utc))
            .not_valid_after(ends_at)
        )
        for extension, critical in self._extensions(request):
            built = built.add_extension(extension, critical=critical)
        chain = [built.sign(self.key, hashes.SHA256())]
        if self.certificate.issuer != self.certificate.subject:
            chain.append(self.certificate)
        return "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in chain)

    def _extensions(self, request: x509.CertificateSigningRequest) -> list[tuple[x509.ExtensionType, bool]]:
        """Ours alone: what a request asks for beside its name and its key is not given."""
        key_usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=isinstance(request.public_key(), rsa.RSAPublicKey),
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        return [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (key_usage, True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
            (x509.SubjectKeyIdentifier.from_public_key(request.public_key()), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False),
        ]


def _kept_names(subject: x509.Name) -> x509.Name:
    """Of what the station says of itself: its common name, which was checked, and its organisation."""
    kept = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME)
    return x509.Name([attribute for attribute in subject if attribute.oid in kept])
