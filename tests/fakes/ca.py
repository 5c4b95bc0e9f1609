"""A small certificate authority for tests, and stations with keys of their own. All of it is made at run time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
DAY = dt.timedelta(days=1)


def named(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
        ]
    )


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def request_for(
    common_name: str, *, key: Key | None = None, hash_algorithm: hashes.HashAlgorithm | None = None
) -> str:
    """A signing request (PEM) as a station sends it."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(common_name))
    request = builder.sign(key or new_key(), hash_algorithm or hashes.SHA256())  # type: ignore[arg-type]
    return request.public_bytes(serialization.Encoding.PEM).decode()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> str:
        return pem_of(self.certificate)

    def written(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Files of the certificate and of its key."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_text(self.pem)
        key.write_bytes(key_pem(self.key))
        return certificate, key


class FakeAuthority:
    """A root of its own; signs what it is told to sign."""

    def __init__(self, name: str = "Tests Root", *, now: dt.datetime | None = None) -> None:
        self.now = now or dt.datetime.now(dt.UTC)
        self.key = new_key()
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(name))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - DAY)
            .not_valid_after(self.now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    @property
    def leaf(self) -> Leaf:
        return Leaf(self.certificate, self.key)

    def issue(
        self,
        common_name: str,
        *,
        starts: dt.timedelta = -DAY,
        ends: dt.timedelta = 30 * DAY,
        server_names: tuple[str, ...] = (),
    ) -> Leaf:
        """A certificate of a station, or of a server that goes by `server_names`."""
        key = new_key()
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server_names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(common_name))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + starts)
            .not_valid_after(self.now + ends)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if server_names:
            names = x509.SubjectAlternativeName([x509.DNSName(name) for name in server_names])
            builder = builder.add_extension(names, critical=False)
        return Leaf(builder.sign(self.key, hashes.SHA256()), key)

    def sign(self, request: x509.CertificateSigningRequest) -> x509.Certificate:
        """A certificate for the key of a request."""
        return (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self.certificate.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - DAY)
            .not_valid_after(self.now + 30 * DAY)
            .sign(self.key, hashes.SHA256())
        )


def sign_for_tests(csr: str, *, identity: str, kind: str, now: dt.datetime) -> str:
    """A CERTIFICATE_SIGNER: signs whatever it is given."""
    assert csr.startswith("-----BEGIN CERTIFICATE REQUEST")
    assert kind
    return FakeAuthority(now=now).issue(identity).pem
