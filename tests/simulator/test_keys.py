"""A station's password, certificate and roots, as a CSMS sees them."""

from __future__ import annotations

from typing import Any

from cryptography import x509

from tests.fakes.ca import FakeAuthority, pem_of
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms

ROOT = {"1.6": "CentralSystemRootCertificate", "2.0.1": "CSMSRootCertificate", "2.1": "CSMSRootCertificate"}


async def new_password(csms: Csms, version: str, value: str) -> None:
    if version == "1.6":
        payload: dict[str, Any] = {"key": "AuthorizationKey", "value": value}
        assert await csms.ask("ChangeConfiguration", payload) == {"status": "Accepted"}
        return
    item = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": value,
    }
    answer = await csms.ask("SetVariables", {"setVariableData": [item]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"


async def test_it_comes_back_with_its_new_password(csms: Csms, connect: Connect, version: str) -> None:
    await connect()
    text = "a-new-one-of-20-char"
    await new_password(csms, version, text.encode().hex() if version == "1.6" else text)
    csms.password = text
    await csms.until(lambda: csms.connections >= 2, "the station with its new password")


async def triggered_csr(csms: Csms, version: str) -> str:
    if version == "1.6":
        await csms.ask("ExtendedTriggerMessage", {"requestedMessage": "SignChargePointCertificate"})
    else:
        await csms.ask("TriggerMessage", {"requestedMessage": "SignChargingStationCertificate"})
    call = await csms.sees("SignCertificate")
    return str(call.payload["csr"])


async def test_it_asks_for_a_certificate_and_takes_the_one_for_its_key(
    csms: Csms, connect: Connect, version: str
) -> None:
    csms.answers["SignCertificate"] = {"status": "Accepted"}
    await connect()
    request = x509.load_pem_x509_csr((await triggered_csr(csms, version)).encode())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string().endswith("CN=ST-1")
    authority = FakeAuthority()
    others = authority.issue("ST-1")
    assert await csms.ask("CertificateSigned", {"certificateChain": others.pem}) == {"status": "Rejected"}
    mine = authority.sign(request)
    assert await csms.ask("CertificateSigned", {"certificateChain": pem_of(mine)}) == {"status": "Accepted"}


async def test_roots_are_installed_listed_and_deleted(csms: Csms, connect: Connect, version: str) -> None:
    await connect()
    root, use = FakeAuthority().leaf, ROOT[version]
    assert await csms.ask("GetInstalledCertificateIds", listing(version)) == {"status": "NotFound"}
    install = {"certificateType": use, "certificate": root.pem}
    assert await csms.ask("InstallCertificate", install) == {"status": "Accepted"}
    answer = await csms.ask("GetInstalledCertificateIds", listing(version))
    named = (
        answer["certificateHashData"][0]
        if version == "1.6"
        else answer["certificateHashDataChain"][0]["certificateHashData"]
    )
    assert named["serialNumber"] == format(root.certificate.serial_number, "x")
    delete = {"certificateHashData": named}
    assert await csms.ask("DeleteCertificate", delete) == {"status": "Accepted"}
    assert await csms.ask("DeleteCertificate", delete) == {"status": "NotFound"}


async def test_what_is_no_certificate_is_not_installed(csms: Csms, connect: Connect, version: str) -> None:
    await connect()
    install = {"certificateType": ROOT[version], "certificate": "nonsense"}
    assert await csms.ask("InstallCertificate", install) == {"status": "Rejected"}


def listing(version: str) -> dict[str, Any]:
    return {"certificateType": ROOT["1.6"]} if version == "1.6" else {}
