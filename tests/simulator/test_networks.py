"""The ways to its CSMS: what a station takes, what it refuses, and that it finds back."""

from __future__ import annotations

from typing import Any

import pytest

from portal.simulator.ways import ATTEMPTS, Trust, Way, Ways
from tests.fakes.ca import FakeAuthority
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

PRIORITY = {
    "component": {"name": "OCPPCommCtrlr"},
    "variable": {"name": "NetworkConfigurationPriority"},
}
of_2x = pytest.mark.parametrize("version", ["2.0.1", "2.1"], indirect=True)
of_16 = pytest.mark.parametrize("version", ["1.6"], indirect=True)


def network(slot: int = 2, **data: Any) -> dict[str, Any]:
    usual = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://laad.example/ocpp",
        "messageTimeout": 30,
        "securityProfile": 2,
        "ocppInterface": "Wired0",
    }
    return {"configurationSlot": slot, "connectionData": {**usual, **data}}


@of_2x
@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (network(), "Accepted"),
        (network(1), "Rejected"),  # in use
        (network(9), "Rejected"),
        (network(ocppTransport="SOAP"), "Rejected"),
        (network(ocppCsmsUrl="ws://laad.example/ocpp"), "Rejected"),  # profile 2 without TLS
        (network(securityProfile=1), "Rejected"),
        (network(securityProfile=3), "Rejected"),  # without a certificate
    ],
)
async def test_a_way_that_it_could_not_come_back_by_is_refused(
    csms: Csms, connect: Connect, payload: dict[str, Any], status: str
) -> None:
    await connect()
    assert await csms.ask("SetNetworkProfile", payload) == {"status": status}


@of_2x
async def test_a_new_way_is_used_from_the_next_boot_on(csms: Csms, connect: Connect, desk: Desk) -> None:
    station = await connect()
    new = f"{csms.url}/new"
    assert await csms.ask("SetNetworkProfile", network(ocppCsmsUrl=new, securityProfile=1)) == {
        "status": "Accepted"
    }
    answer = await csms.ask("SetVariables", {"setVariableData": [{"attributeValue": "2,1", **PRIORITY}]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "RebootRequired"
    assert station.link.ways.now.url == csms.url
    assert await desk.resets() == "Accepted"
    await csms.until(lambda: csms.connections == 2, "its return")
    assert station.link.ways.now.url == new


@of_2x
async def test_a_way_that_leads_nowhere_is_left_for_the_one_that_it_had(
    csms: Csms, connect: Connect, desk: Desk
) -> None:
    station = await connect()
    nowhere = network(ocppCsmsUrl="ws://127.0.0.1:1/ocpp", securityProfile=1)
    assert await csms.ask("SetNetworkProfile", nowhere) == {"status": "Accepted"}
    await csms.ask("SetVariables", {"setVariableData": [{"attributeValue": "2,1", **PRIORITY}]})
    await desk.resets()
    await csms.until(lambda: csms.connections == 2, "its return")
    assert station.link.ways.now.url == csms.url


@of_16
async def test_a_profile_of_16_that_leads_nowhere_is_left_again_and_said_so(
    csms: Csms, connect: Connect
) -> None:
    """This CSMS speaks no TLS."""
    await connect()
    change = {"key": "SecurityProfile", "value": "2"}
    assert await csms.ask("ChangeConfiguration", change) == {"status": "Accepted"}
    await csms.until(lambda: csms.connections == 2, "its return")
    answer = await csms.ask("GetConfiguration", {"key": ["SecurityProfile"]})
    assert answer["configurationKey"][0]["value"] == "1"
    for refused in ("0", "1", "3"):
        change = {"key": "SecurityProfile", "value": refused}
        assert await csms.ask("ChangeConfiguration", change) == {"status": "Rejected"}


def test_what_is_less_secure_is_given_up_once_a_better_way_has_worked() -> None:
    ways = Ways(Way("ws://a"))
    ways.slots[2] = Way("wss://a", 2)
    ways.prefer([2, 1])
    for _attempt in range(ATTEMPTS):
        assert ways.now.profile == 2
        ways.failed()
    assert ways.now.profile == 1
    ways.prefer([2, 1])
    ways.worked()
    assert list(ways.slots) == [2]
    ways.prefer([1, 2])
    assert ways.now.profile == 2


def test_only_roots_that_it_was_given_are_trusted_beside_those_of_the_system() -> None:
    authority = FakeAuthority()
    trusted = Trust(roots=[authority.leaf.pem]).context(2).get_ca_certs()
    assert len(trusted) == len(Trust().context(2).get_ca_certs()) + 1
