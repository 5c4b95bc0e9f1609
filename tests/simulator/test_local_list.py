"""A station's own list of tokens, in every version, and whom it lets charge while it is offline."""

from __future__ import annotations

from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload


def sending(version: str, number: int, kind: str, **tokens: str | None) -> Payload:
    """A part of a list: each token with its status, or None to take it off."""
    entries: list[Payload] = []
    for token, status in tokens.items():
        name = "idTag" if version == "1.6" else "idToken"
        value = token if version == "1.6" else {"idToken": token, "type": "ISO14443"}
        entries.append({name: value} | ({f"{name}Info": {"status": status}} if status else {}))
    return {
        "listVersion" if version == "1.6" else "versionNumber": number,
        "updateType": kind,
        "localAuthorizationList": entries,
    }


async def sent(csms: Csms, payload: Payload) -> str:
    return str((await csms.ask("SendLocalList", payload))["status"])


async def version_of(csms: Csms) -> int:
    return int(next(iter((await csms.ask("GetLocalListVersion", {})).values())))


async def test_a_list_in_parts_and_its_version(csms: Csms, connect: Connect, version: str) -> None:
    station = (await connect()).station
    assert await version_of(csms) == 0
    assert await sent(csms, sending(version, 1, "Full", A="Accepted", B="Accepted")) == "Accepted"
    assert await sent(csms, sending(version, 2, "Differential", B=None, C="Blocked")) == "Accepted"
    assert await sent(csms, sending(version, 2, "Differential", D="Accepted")) == "VersionMismatch"
    assert await version_of(csms) == 2
    assert [station.admits_offline(token) for token in ("a", "C", "nobody")] == [True, False, True]


async def test_where_unknown_tokens_may_not_charge_the_list_decides(
    csms: Csms, connect: Connect, version: str
) -> None:
    station = (await connect()).station
    await sent(csms, sending(version, 1, "Full", A="Accepted"))
    if version == "1.6":
        key = {"key": "AllowOfflineTxForUnknownId", "value": "false"}
        assert (await csms.ask("ChangeConfiguration", key))["status"] == "Accepted"
    else:
        variable = {"name": "OfflineTxForUnknownIdEnabled"}
        data = [{"component": {"name": "AuthCtrlr"}, "variable": variable, "attributeValue": "false"}]
        await csms.ask("SetVariables", {"setVariableData": data})
    assert station.admits_offline("A")
    assert not station.admits_offline("nobody")


async def test_a_part_that_is_too_large_fails(csms: Csms, connect: Connect, version: str) -> None:
    await connect()
    tokens = {f"T{number}": "Accepted" for number in range(21)}
    assert await sent(csms, sending(version, 1, "Full", **tokens)) == "Failed"
