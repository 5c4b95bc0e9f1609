"""How a station answers the CSMS in OCPP 1.6."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from portal.simulator import intents
from portal.simulator.files import Files
from portal.simulator.keys import Keys, take_password
from portal.simulator.link import Reply
from portal.simulator.local_list import LocalList
from portal.simulator.networks import Networks
from portal.simulator.profiles import StoredProfile
from portal.simulator.reservations import Reservations, status_messages
from portal.simulator.settings import Setting
from portal.simulator.station import Station
from portal.simulator.storing import ProfileRefusedError
from portal.simulator.v16 import PURPOSES
from portal.simulator.wire import CallError, Payload, stamp


class Answers16:
    """`answer` gives the reply to a CALL that fits its schema; CallError where there is none to give."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._keys = Keys(station)
        self._networks = Networks(station)
        self._handlers: dict[str, Callable[[Payload], Reply]] = {
            "GetConfiguration": self._get_configuration,
            "ChangeConfiguration": self._change_configuration,
            "SetChargingProfile": self._set_charging_profile,
            "ClearChargingProfile": self._clear_charging_profile,
            "GetCompositeSchedule": self._get_composite_schedule,
            "TriggerMessage": self._trigger_message,
            "ExtendedTriggerMessage": self._trigger_message,
            **Reservations(station).handlers(),
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "ChangeAvailability": self._change_availability,
            "Reset": self._reset,
            "UnlockConnector": self._unlock,
            **Files(station).handlers(),
            **self._keys.handlers(),
            **LocalList(station).handlers(),
            "ClearCache": lambda _: _status("Accepted"),
            "DataTransfer": lambda _: _status("UnknownVendorId"),
        }

    def answer(self, action: str, payload: Payload) -> Reply:
        handler = self._handlers.get(action)
        if handler is None:
            raise CallError("NotSupported", action)
        return handler(payload)

    # Configuration

    def _get_configuration(self, payload: Payload) -> Reply:
        settings = self._station.dialect.settings
        asked: list[str] = payload.get("key") or [setting.name for setting in settings]
        known = [setting for key in asked if (setting := settings.find(key)) is not None]
        unknown = [key for key in asked if settings.find(key) is None]
        reply: Payload = {"configurationKey": [_key_value(setting) for setting in known]}
        return Reply(reply | ({"unknownKey": unknown} if unknown else {}))

    def _change_configuration(self, payload: Payload) -> Reply:
        setting = self._station.dialect.settings.find(payload["key"])
        if setting is None:
            return _status("NotSupported")
        if setting.readonly or not setting.accepts(payload["value"]):
            return _status("Rejected")
        if setting.name == "SecurityProfile":
            return _status(self._networks.take_profile(int(payload["value"])))
        setting.value = payload["value"]
        if setting.name == "AuthorizationKey":
            take_password(self._station, payload["value"])
        return _status("RebootRequired" if setting.needs_reboot else "Accepted")

    # Charging profiles

    def _set_charging_profile(self, payload: Payload) -> Reply:
        try:
            intents.install(self._station, payload["connectorId"], payload["csChargingProfiles"])
        except ProfileRefusedError as refusal:
            self._station.note("SetChargingProfile refused: %s", refusal)
            return _status("Rejected")
        return _status("Accepted")

    def _clear_charging_profile(self, payload: Payload) -> Reply:
        purpose = PURPOSES.get(payload.get("chargingProfilePurpose", ""))

        def wanted(profile: StoredProfile) -> bool:
            if "id" in payload:  # an id says enough: the rest is ignored (1.6, 5.4)
                return bool(profile.profile_id == payload["id"])
            return (
                payload.get("connectorId") in {None, profile.evse}
                and purpose in {None, profile.purpose}
                and payload.get("stackLevel") in {None, profile.level}
            )

        return _status("Accepted" if self._station.schedules.clear(wanted) else "Unknown")

    def _get_composite_schedule(self, payload: Payload) -> Reply:
        station, connector = self._station, payload["connectorId"]
        units = station.schedules.capabilities.units
        unit = payload.get("chargingRateUnit", units[0])
        if connector not in station.schedules.hardware or unit not in units:
            return _status("Rejected")
        start, duration_s, periods = intents.composite(station, connector, payload["duration"], unit)
        # No startSchedule inside: scheduleStart carries it (errata 3.57).
        schedule = {"duration": duration_s, "chargingRateUnit": unit, "chargingSchedulePeriod": periods}
        return Reply(
            {
                "status": "Accepted",
                "connectorId": connector,
                "scheduleStart": stamp(start),
                "chargingSchedule": schedule,
            }
        )

    # Control

    def _trigger_message(self, payload: Payload) -> Reply:
        station, connector = self._station, payload.get("connectorId")
        if connector is not None and connector not in station.schedules.hardware:
            return _status("Rejected")
        evses = [connector] if connector else list(station.sockets)
        after: dict[str, Callable[[], Any]] = {
            "Heartbeat": lambda: station.spawn(station.heartbeat()),
            "BootNotification": lambda: station.spawn(station.boot_again()),
            "FirmwareStatusNotification": lambda: station.link.tell(station.dialect.firmware_status()),
            "MeterValues": lambda: station.report_readings(evses),
            "StatusNotification": lambda: station.repeat_statuses(evses if connector else None),
            **status_messages(station),
            **self._keys.triggers(),
        }
        job = after.get(payload["requestedMessage"])
        return _status("NotImplemented") if job is None else _status("Accepted", job)

    def _remote_start(self, payload: Payload) -> Reply:
        socket, begin = intents.remote_start(
            self._station,
            evse=payload.get("connectorId"),
            token=payload["idTag"],
            profile=payload.get("chargingProfile"),
        )
        return Reply({"status": "Accepted" if socket else "Rejected"}, begin)

    def _remote_stop(self, payload: Payload) -> Reply:
        for socket in self._station.sockets.values():
            if socket.transaction is not None and socket.transaction.number == payload["transactionId"]:
                return _status("Accepted", partial(self._station.stop, socket, "Remote"))
        return _status("Rejected")

    def _change_availability(self, payload: Payload) -> Reply:
        connector = payload["connectorId"]
        if connector not in self._station.schedules.hardware:
            return _status("Rejected")
        status = intents.change_availability(
            self._station, evse=connector, operative=payload["type"] == "Operative"
        )
        return _status(status, self._station.report_statuses)

    def _reset(self, payload: Payload) -> Reply:
        reason = f"{payload['type']}Reset"
        return _status("Accepted", lambda: self._station.spawn(self._station.reboot(reason)))

    def _unlock(self, payload: Payload) -> Reply:
        socket = self._station.sockets.get(payload["connectorId"])
        if socket is None:
            return _status("NotSupported")
        return _status("Unlocked", lambda: self._station.stop(socket, "UnlockCommand"))


def _status(status: str, job: Callable[[], Any] | None = None) -> Reply:
    """An answer of one word, and what follows it."""
    if job is None:
        return Reply({"status": status})

    async def then() -> None:
        job()

    return Reply({"status": status}, then)


def _key_value(setting: Setting) -> Payload:
    return {"key": setting.name, "readonly": setting.readonly, "value": setting.value}
