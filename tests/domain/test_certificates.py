"""What a signing request must be, what is signed, and how OCPP names a certificate."""

from __future__ import annotations

import base64
import datetime as dt
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from stations.domain import certificates as x
from tests.fakes.ca import FakeAuthority, key_pem, named, new_key, request_for

NOW = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
IDENTITY = "NL-TST-0001"


def authority() -> tuple[FakeAuthority, x.Authority]:
    fake = FakeAuthority(now=NOW)
    return fake, x.Authority.read(fake.leaf.pem.encode(), key_pem(fake.key))


def test_a_good_request_is_signed_for_the_station_alone() -> None:
    fake, ours = authority()
    key = new_key()
    request = x.check_request(request_for(IDENTITY, key=key), identity=IDENTITY)
    signed = x.read(ours.sign(request, now=NOW, valid_days=365))
    assert signed.public_key() == key.public_key()
    described = x.describe(signed)
    assert described.common_name == IDENTITY
    assert described.not_before <= NOW < described.not_after <= NOW + dt.timedelta(days=365)
    assert len(described.fingerprint) == 64
    usage = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    signed.verify_directly_issued_by(fake.certificate)


def test_no_certificate_outlives_its_authority() -> None:
    fake, ours = authority()
    request = x.check_request(request_for(IDENTITY), identity=IDENTITY)
    signed = x.read(ours.sign(request, now=NOW, valid_days=100_000))
    assert signed.not_valid_after_utc == fake.certificate.not_valid_after_utc


def test_an_expired_authority_signs_nothing() -> None:
    _, ours = authority()
    request = x.check_request(request_for(IDENTITY), identity=IDENTITY)
    with pytest.raises(x.NotACertificate, match="expired"):
        ours.sign(request, now=NOW + dt.timedelta(days=4000), valid_days=1)


@pytest.mark.parametrize(
    ("pem", "why"),
    [
        ("nothing of the kind", "PEM"),
        (request_for("NL-OTHER-1"), "common name"),
        (request_for(IDENTITY, key=rsa.generate_private_key(65537, 1024)), "1024 bits"),
        (request_for(IDENTITY, key=ec.generate_private_key(ec.SECP192R1())), "192 bits"),
        (request_for(IDENTITY.lower()), "common name"),
    ],
)
def test_a_request_that_is_not_in_order_is_not_signed(pem: str, why: str) -> None:
    with pytest.raises(x.BadRequest, match=why):
        x.check_request(pem, identity=IDENTITY)


def test_a_request_whose_signature_is_of_another_key_is_not_signed() -> None:
    der = bytearray(base64.b64decode("".join(request_for(IDENTITY).splitlines()[1:-1])))
    der[-4] ^= 0xFF  # within the signature
    pem = "-----BEGIN CERTIFICATE REQUEST-----\n"
    pem += base64.encodebytes(bytes(der)).decode() + "-----END CERTIFICATE REQUEST-----\n"
    with pytest.raises(x.BadRequest):
        x.check_request(pem, identity=IDENTITY)


def test_a_key_that_is_neither_rsa_nor_a_curve_is_not_signed() -> None:
    builder = x509.CertificateSigningRequestBuilder().subject_name(named(IDENTITY))
    request = builder.sign(ed25519.Ed25519PrivateKey.generate(), None)
    with pytest.raises(x.BadRequest):
        x.check_request(request.public_bytes(serialization.Encoding.PEM).decode(), identity=IDENTITY)


def test_a_private_key_is_no_certificate() -> None:
    fake, _ = authority()
    with pytest.raises(x.NotACertificate, match="private key"):
        x.read(fake.leaf.pem + key_pem(fake.key).decode())


def test_the_key_must_be_that_of_the_authority() -> None:
    fake, _ = authority()
    with pytest.raises(x.NotACertificate, match="not that of"):
        x.Authority.read(fake.leaf.pem.encode(), key_pem(new_key()))


def test_a_proxy_may_pass_it_as_pem_or_as_der() -> None:
    leaf = FakeAuthority(now=NOW).issue(IDENTITY)
    der = leaf.certificate.public_bytes(serialization.Encoding.DER)
    assert x.read_header(quote(leaf.pem)) == leaf.certificate
    assert x.read_header(base64.b64encode(der).decode()) == leaf.certificate
    with pytest.raises(x.NotACertificate):
        x.read_header("%00")


def test_a_root_is_named_by_the_hash_of_its_key_alone() -> None:
    """As openssl computes it for OCSP: the bits of the key, without its algorithm."""
    root = FakeAuthority(now=NOW).certificate
    data = x.hash_data(root)
    assert data is not None
    identifier = x509.SubjectKeyIdentifier.from_public_key(root.public_key()).digest  # SHA-1 of the same bits
    bits = root.public_key().public_bytes(  # type: ignore[call-arg, unused-ignore]
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    for algorithm, expected in ((hashes.SHA1(), identifier.hex()), (hashes.SHA256(), data.issuer_key_hash)):
        digest = hashes.Hash(algorithm)
        digest.update(bits)
        assert digest.finalize().hex() == expected
    assert data.serial_number == format(root.serial_number, "x")
    leaf = FakeAuthority(now=NOW).issue(IDENTITY)
    assert x.hash_data(leaf.certificate) is None
