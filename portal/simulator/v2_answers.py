"""How a station answers the CSMS in OCPP 2.0.1, and in 2.1 where that is the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from portal.simulator import intents
from portal.simulator.files import Files
from portal.simulator.keys import Keys
from portal.simulator.link import Reply
from portal.simulator.local_list import LocalList
from portal.simulator.networks import Networks
from portal.simulator.profiles import StoredProfile
from portal.simulator.reservations import Reservations, status_messages
from portal.simulator.station import Station
from portal.simulator.storing import ProfileRefusedError
from portal.simulator.v2_installed import report_profiles
from portal.simulator.v2_monitors import Monitors
from portal.simulator.v2_profiles import PURPOSES
from portal.simulator.v2_reports import Reports
from portal.simulator.wire import CallError, Payload, stamp


class Answers2:
    """`answer` gives the reply to a CALL that fits its schema; CallError where there is none to give."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._keys = Keys(station)
        reports = Reports(station)
        monitors = Monitors(station, reports.find)
        self._handlers: dict[str, Callable[[Payload], Reply]] = {
            "GetVariables": reports.get_variables,
            "SetVariables": reports.set_variables,
            "GetBaseReport": reports.get_base_report,
            **monitors.handlers,
            "SetChargingProfile": self._set_charging_profile,
            "ClearChargingProfile": self._clear_charging_profile,
            "GetChargingProfiles": self._get_charging_profiles,
            "GetCompositeSchedule": self._get_composite_schedule,
            "TriggerMessage": self._trigger_message,
            **Reservations(station).handlers(),
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "ChangeAvailability": self._change_availability,
            "Reset": self._reset,
            "UnlockConnector": self._unlock,
            **Files(station).handlers(),
            **self._keys.handlers(),
            **Networks(station).handlers(),
            **LocalList(station).handlers(),
            "ClearCache": lambda _: status("Accepted"),
            "DataTransfer": lambda _: status("UnknownVendorId"),
        }

    def answer(self, action: str, payload: Payload) -> Reply:
        handler = self._handlers.get(action)
        if handler is None:
            raise CallError("NotSupported", action)
        return handler(payload)

    # Charging profiles

    def _set_charging_profile(self, payload: Payload) -> Reply:
        try:
            intents.install(self._station, payload["evseId"], payload["chargingProfile"])
        except ProfileRefusedError as refusal:
            self._station.note("SetChargingProfile refused: %s", refusal)
            return status("Rejected", reason=refusal.reason, info=refusal.why)
        return status("Accepted")

    def _clear_charging_profile(self, payload: Payload) -> Reply:
        criteria = payload.get("chargingProfileCriteria", {})
        named = criteria.get("chargingProfilePurpose")
        purpose = named and PURPOSES.get(named, named)

        def wanted(profile: StoredProfile) -> bool:
            if "chargingProfileId" in payload:
                return bool(profile.profile_id == payload["chargingProfileId"])
            return (
                criteria.get("evseId") in {None, profile.evse}
                and purpose in {None, profile.purpose}
                and criteria.get("stackLevel") in {None, profile.level}
            )

        return status("Accepted" if self._station.schedules.clear(wanted) else "Unknown")

    def _get_charging_profiles(self, payload: Payload) -> Reply:
        job = report_profiles(self._station, payload)
        return status("NoProfiles") if job is None else status("Accepted", job)

    def _get_composite_schedule(self, payload: Payload) -> Reply:
        station, evse = self._station, payload["evseId"]
        units = station.schedules.capabilities.units
        unit = payload.get("chargingRateUnit", units[0])
        if evse not in station.schedules.hardware:
            return status("Rejected", reason="UnknownEvse")
        if unit not in units:
            return status("Rejected", reason="UnsupportedRateUnit")
        start, duration_s, periods = intents.composite(station, evse, payload["duration"], unit)
        schedule = {
            "evseId": evse,
            "duration": duration_s,
            "scheduleStart": stamp(start),
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": periods,
        }
        return Reply({"status": "Accepted", "schedule": schedule})

    # Control

    def _trigger_message(self, payload: Payload) -> Reply:
        station, evse = self._station, payload.get("evse", {}).get("id")
        if evse is not None and evse not in station.sockets:
            return status("Rejected", reason="UnknownEvse")
        evses = [evse] if evse else list(station.sockets)
        after: dict[str, Callable[[], Any]] = {
            "Heartbeat": lambda: station.spawn(station.heartbeat()),
            "BootNotification": lambda: station.spawn(station.boot_again()),
            "FirmwareStatusNotification": lambda: station.link.tell(station.dialect.firmware_status()),
            "MeterValues": lambda: station.report_readings(evses),
            "TransactionEvent": lambda: station.report_transactions(evses),
            "StatusNotification": lambda: station.repeat_statuses(evses),
            **status_messages(station),
            **self._keys.triggers(),
        }
        job = after.get(payload["requestedMessage"])
        return status("NotImplemented") if job is None else status("Accepted", job)

    def _request_start(self, payload: Payload) -> Reply:
        socket, begin = intents.remote_start(
            self._station,
            evse=payload.get("evseId"),
            token=payload["idToken"]["idToken"],
            remote_start_id=payload["remoteStartId"],
            profile=payload.get("chargingProfile"),
        )
        return Reply({"status": "Accepted" if socket else "Rejected"}, begin)

    def _request_stop(self, payload: Payload) -> Reply:
        for socket in self._station.sockets.values():
            if socket.transaction is not None and socket.transaction.key == payload["transactionId"]:
                return status("Accepted", partial(self._station.stop, socket, "Remote"))
        return status("Rejected", reason="TxNotFound")

    def _change_availability(self, payload: Payload) -> Reply:
        evse = payload.get("evse", {}).get("id", 0)
        if evse not in self._station.schedules.hardware:
            return status("Rejected", reason="UnknownEvse")
        outcome = intents.change_availability(
            self._station, evse=evse, operative=payload["operationalStatus"] == "Operative"
        )
        return status(outcome, self._station.report_statuses)

    def _reset(self, payload: Payload) -> Reply:
        station = self._station
        busy = any(socket.transaction for socket in station.sockets.values())
        if "evseId" in payload or payload["type"] == "ImmediateAndResume":
            return status("Rejected", reason="UnsupportedRequest")
        if payload["type"] == "OnIdle" and busy:
            station.reset_when_idle = True
            return status("Scheduled")
        return status("Accepted", lambda: station.spawn(station.reboot("HardReset")))

    def _unlock(self, payload: Payload) -> Reply:
        socket = self._station.sockets.get(payload["evseId"])
        if socket is None or payload["connectorId"] != 1:
            return status("UnknownConnector")
        return status("OngoingAuthorizedTransaction" if socket.transaction else "Unlocked")


def status(word: str, job: Callable[[], Any] | None = None, *, reason: str = "", info: str = "") -> Reply:
    """An answer of one word, its reason where there is one, and what follows it."""
    payload: Payload = {"status": word}
    if reason:
        payload["statusInfo"] = {"reasonCode": reason[:20]} | ({"additionalInfo": info[:500]} if info else {})
    if job is None:
        return Reply(payload)

    async def then() -> None:
        job()

    return Reply(payload, then)
