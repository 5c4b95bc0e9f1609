"""The list of tokens that a station holds itself: SendLocalList, GetLocalListVersion, and who may charge offline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.simulator.link import Reply
from portal.simulator.settings import LIST_MOST, LIST_PART
from portal.simulator.station import Station
from portal.simulator.wire import V16, Payload


class LocalList:
    """Keeps the numbers of tokens with whether they are accepted, in memory: a restart empties it."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._version = 0
        self._tokens: dict[str, bool] = {}
        station.admits_offline = self.admits

    def handlers(self) -> dict[str, Callable[[Payload], Reply]]:
        return {"SendLocalList": self._send, "GetLocalListVersion": self._ask}

    def admits(self, token: str) -> bool:
        """Without a connection: what is on the list, and what is not where unknown tokens may charge too."""
        known = self._tokens.get(token.casefold())
        return known if known is not None else self._takes_unknown()

    def _takes_unknown(self) -> bool:
        settings = self._station.dialect.settings
        setting = settings.find("AllowOfflineTxForUnknownId")
        setting = setting or settings.find("OfflineTxForUnknownIdEnabled", "AuthCtrlr")
        return setting is None or setting.value.lower() == "true"

    def _send(self, payload: Payload) -> Reply:
        is_16 = self._station.dialect.version is V16
        version = int(payload["listVersion" if is_16 else "versionNumber"])
        entries: list[dict[str, Any]] = payload.get("localAuthorizationList", [])
        if len(entries) > LIST_PART:
            return Reply({"status": "Failed"})
        if payload["updateType"] == "Full":
            changed: dict[str, bool] = {}
        elif version <= self._version:
            return Reply({"status": "VersionMismatch"})
        else:
            changed = dict(self._tokens)
        for entry in entries:
            number, info = _read(entry, is_16=is_16)
            if info is None:
                changed.pop(number, None)
            else:
                changed[number] = info["status"] == "Accepted"
        if len(changed) > LIST_MOST:
            return Reply({"status": "Failed"})
        self._tokens, self._version = changed, version
        return Reply({"status": "Accepted"})

    def _ask(self, _payload: Payload) -> Reply:
        is_16 = self._station.dialect.version is V16
        return Reply({"listVersion" if is_16 else "versionNumber": self._version})


def _read(entry: dict[str, Any], *, is_16: bool) -> tuple[str, Any]:
    if is_16:
        return entry["idTag"].casefold(), entry.get("idTagInfo")
    return entry["idToken"]["idToken"].casefold(), entry.get("idTokenInfo")
