"""What the CSMS may change of the way to it: network profiles (2.x: B09, B10), the security profile (1.6: A05)."""

from __future__ import annotations

import re
from collections.abc import Callable

from portal.simulator.keys import come_back
from portal.simulator.link import Reply
from portal.simulator.station import Station
from portal.simulator.ways import CERTIFICATE, TLS, Way
from portal.simulator.wire import V16, Payload

SLOTS = (1, 2, 3)
ORDER = ("NetworkConfigurationPriority", "OCPPCommCtrlr")


class Networks:
    """The slots of the station; what is written there counts from the next boot on."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._ways = station.link.ways
        self._component = "" if station.dialect.version is V16 else "SecurityCtrlr"
        station.before_boot = self._take_order
        self._ways.on_worked = self._say_profile

    def handlers(self) -> dict[str, Callable[[Payload], Reply]]:
        return {"SetNetworkProfile": self._set}

    def _set(self, payload: Payload) -> Reply:
        """Rejected where the station could not come back by it, or less securely than now (A05.FR.04); and for the
        slot in use, which would be no way back (B09.FR.03)."""
        slot, data = payload["configurationSlot"], payload["connectionData"]
        way = Way(data["ocppCsmsUrl"], data["securityProfile"])
        is_free = slot in SLOTS and slot != self._ways.slot
        if not is_free or data["ocppTransport"] != "JSON" or not self._is_passable(way):
            return Reply({"status": "Rejected"})
        self._ways.slots[slot] = way
        return Reply({"status": "Accepted"})

    def _is_passable(self, way: Way) -> bool:
        has_what_it_takes = way.profile < CERTIFICATE or bool(self._ways.trust.certificate)
        return way.fits and has_what_it_takes and way.profile >= self._ways.now.profile

    def _take_order(self) -> None:
        text = self._station.dialect.settings.text(*ORDER)
        self._ways.prefer([int(part) for part in text.split(",") if part.strip().isdecimal()])

    def take_profile(self, wanted: int) -> str:
        """1.6: the same CSMS with a higher profile, at once. The status of the answer."""
        spec = self._station.spec
        url = spec.secure_url or re.sub("^ws:", "wss:", spec.url)
        way = Way(url if wanted >= TLS else spec.url, wanted)
        if wanted <= self._ways.now.profile or not self._is_passable(way):
            return "Rejected"
        self._ways.slots[wanted] = way
        self._ways.prefer([wanted])
        self._station.spawn(come_back(self._station))
        return "Accepted"

    def _say_profile(self) -> None:
        """SecurityProfile tells what is in use."""
        profile = str(self._ways.now.profile)
        self._station.dialect.settings.change("SecurityProfile", profile, self._component)
