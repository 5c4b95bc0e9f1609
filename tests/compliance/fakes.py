"""A station at the edge of the database: it takes the commands that are queued for it and answers them, as the gateway
would. Its composite is computed here, second by second, with nothing of the product's engine."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.compliance import catalogue, evidence
from portal.compliance.models import Evidence, Requirement, RequirementSet
from stations import commands, events
from stations.models import Command, Concession, Evse, Frame, Presence, Station
from tests.factories import NOW, make_capabilities, make_concession, make_operator, make_station

MAX = ("ChargePointMaxProfile", "ChargingStationMaxProfile")
STEP_S = 30  # every window of the probe begins and ends on a multiple of it


@dataclass
class Clock:
    """Time that passes only while someone sleeps."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


@dataclass
class FakeStation:
    """What it does wrong is said by its flags; by itself it is a good station of 3 x 25 A with sockets of 16 A."""

    row: Station
    clock: Clock
    one_per_purpose: bool = False
    highest_level: int = 9
    leaves_defaults_out: bool = False
    answers_in: str = ""
    rejects_station_composite: bool = False
    rejects_every_composite: bool = False
    silent_after: int = 10**9
    reason_code: str = "InvalidStackLevel"
    drops_clears: bool = False
    charging: tuple[int, ...] = ()
    evses: tuple[int, ...] = (1, 2)
    profiles: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    asked: list[Command] = field(default_factory=list)
    on_command: Any = None

    @property
    def version(self) -> str:
        return self.row.ocpp_version

    def sleep(self, seconds: float) -> None:
        """What the probe calls while it waits: time passes, and the station works."""
        second = self.clock.at.second
        self.clock.at += timedelta(seconds=max(seconds, 0.05))
        self.answer_all()
        if self.clock.at.second != second:
            Presence.objects.filter(station=self.row).update(renewed_at=self.clock.at)
            commands.expire(self.clock.at)

    def answer_all(self) -> None:
        for command in commands.claim([self.row.pk], now=self.clock.at):
            self.asked.append(command)
            if len(self.asked) > self.silent_after:
                continue
            self._frame(
                command, Frame.Direction.OUT, [2, command.message_id, command.action, command.payload]
            )
            response = self.answer(command.action, command.payload)
            if self.on_command:
                self.on_command(self, command)
            self._frame(command, Frame.Direction.IN, [3, command.message_id, response])
            commands.complete(
                station_id=self.row.pk, message_id=command.message_id, response=response, now=self.clock.at
            )

    def _frame(self, command: Command, direction: str, content: list[Any]) -> None:
        Frame.objects.create(
            station=self.row,
            at=self.clock.at,
            direction=direction,
            kind="call" if direction == Frame.Direction.OUT else "result",
            action=command.action,
            message_id=command.message_id,
            text=json.dumps(content, separators=(",", ":")),
        )

    # ---------------------------------------------------------------- its three answers
    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        if action == "SetChargingProfile":
            return self._set(payload)
        if action == "ClearChargingProfile":
            return self._clear(payload)
        if action == "GetChargingProfiles":
            return self._list(payload)
        return self._composite(payload)

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        evse: int = payload["connectorId" if self.version == "1.6" else "evseId"]
        profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
        is_out_of_place = _purpose(profile) == "TxProfile" and evse not in self.charging
        if profile["stackLevel"] > self.highest_level or is_out_of_place:
            return {"status": "Rejected", **self._why(self.reason_code)}
        others = [item for item in self.profiles if _id(item[1]) != _id(profile)]
        if self.one_per_purpose:
            others = [item for item in others if (item[0], _purpose(item[1])) != (evse, _purpose(profile))]
        elif any(self._clash(item, evse, profile) for item in others):
            if self.version != "1.6":
                return {"status": "Rejected", **self._why("DuplicateProfile")}
            others = [item for item in others if not self._clash(item, evse, profile)]
        self.profiles = [*others, (evse, profile)]
        return {"status": "Accepted"}

    def _clash(self, item: tuple[int, dict[str, Any]], evse: int, profile: dict[str, Any]) -> bool:
        same = (_purpose(item[1]), item[1]["stackLevel"]) == (_purpose(profile), profile["stackLevel"])
        return same and (item[0] == evse or (self.version != "1.6" and 0 in {item[0], evse}))

    def _why(self, code: str) -> dict[str, Any]:
        return {} if self.version == "1.6" else {"statusInfo": {"reasonCode": code}}

    def _clear(self, payload: dict[str, Any]) -> dict[str, Any]:
        wanted = payload.get("id", payload.get("chargingProfileId"))
        kept = [item for item in self.profiles if _id(item[1]) != wanted]
        known = len(kept) < len(self.profiles)
        if not self.drops_clears:
            self.profiles = kept
        return {"status": "Accepted" if known else "Unknown"}

    def _list(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Each profile in a message of its own, as the gateway writes it down."""
        for place, (evse, profile) in enumerate(self.profiles, start=1):
            data = {
                "request_id": payload["requestId"],
                "evse": evse,
                "source": "CSO",
                "is_last": place == len(self.profiles),
                "profiles": [profile],
                "left_out": 0,
            }
            at = self.clock.at
            events.record(
                station_id=self.row.pk, kind=events.Kind.PROFILES_REPORTED, at=at, now=at, data=data
            )
        return {"status": "Accepted" if self.profiles else "NoProfiles"}

    def _composite(self, payload: dict[str, Any]) -> dict[str, Any]:
        evse: int = payload["connectorId" if self.version == "1.6" else "evseId"]
        if self.rejects_every_composite or (evse == 0 and self.rejects_station_composite):
            return {"status": "Rejected"}
        unit = self.answers_in or payload["chargingRateUnit"]
        start = self.clock.at.replace(microsecond=0)
        periods: list[dict[str, Any]] = []
        for offset in range(0, min(payload["duration"], 7200), STEP_S):
            at = start + timedelta(seconds=offset)
            limit = self.limit(evse, at, start)
            value = math.floor((limit if unit == "A" else limit * 690) * 10 + 1e-6) / 10
            if not periods or periods[-1]["limit"] != value:
                periods.append({"startPeriod": offset, "limit": value})
        schedule = {
            "chargingRateUnit": unit,
            "chargingSchedulePeriod": periods,
            "duration": payload["duration"],
        }
        if self.version == "1.6":
            return {
                "status": "Accepted",
                "connectorId": evse,
                "scheduleStart": _text(start),
                "chargingSchedule": schedule,
            }
        return {
            "status": "Accepted",
            "schedule": {**schedule, "evseId": evse, "scheduleStart": _text(start)},
        }

    def limit(self, evse: int, at: datetime, asked_at: datetime) -> float:
        """A per phase at `at`: the lowest of the hardware, Max, and the EVSE's own or the sum of all."""
        limits = [25.0]
        leading = self._leading([item for item in self.profiles if _purpose(item[1]) in MAX], at, asked_at)
        limits += leading
        if evse:
            return min(limits + self._own(evse, at, asked_at))
        return min([*limits, sum(min(self._own(number, at, asked_at)) for number in self.evses)])

    def _own(self, evse: int, at: datetime, asked_at: datetime) -> list[float]:
        if self.leaves_defaults_out and evse not in self.charging:
            return [16.0]
        defaults = [i for i in self.profiles if _purpose(i[1]) == "TxDefaultProfile" and i[0] in {0, evse}]
        of_session = [i for i in self.profiles if _purpose(i[1]) == "TxProfile" and i[0] == evse]
        return [16.0, *(self._leading(of_session, at, asked_at) or self._leading(defaults, at, asked_at))]

    def _leading(
        self, items: list[tuple[int, dict[str, Any]]], at: datetime, asked_at: datetime
    ) -> list[float]:
        for _, profile in sorted(items, key=lambda item: (item[1]["stackLevel"], item[0]), reverse=True):
            schedule = profile["chargingSchedule"]
            schedule = schedule[0] if isinstance(schedule, list) else schedule
            begin = (
                datetime.fromisoformat(schedule["startSchedule"]) if "startSchedule" in schedule else asked_at
            )
            elapsed = (at - begin).total_seconds()
            if not 0 <= elapsed < schedule.get("duration", math.inf):
                continue
            period = [p for p in schedule["chargingSchedulePeriod"] if p["startPeriod"] <= elapsed][-1]
            limit = float(period["limit"])
            return [limit if schedule["chargingRateUnit"] == "A" else limit / 690]
        return []


def _id(profile: dict[str, Any]) -> int:
    return int(profile.get("chargingProfileId", profile.get("id", 0)))


def _purpose(profile: dict[str, Any]) -> str:
    return str(profile["chargingProfilePurpose"])


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# ---------------------------------------------------------------- what a test of this folder starts from
def import_catalogue() -> RequirementSet:
    return catalogue.import_requirements(
        content=catalogue.SHIPPED.read_bytes(), name="Smart charging", version="1", now=NOW
    )


def make_asking_concession(**fields: Any) -> Concession:
    """A concession that asks for the whole shipped set."""
    concession = make_concession(**fields)
    catalogue.apply_to(concession=concession, requirement_set=import_catalogue())
    return concession


def make_online_station(identity: str = "", *, version: str = "1.6", operator: str = "alpha") -> Station:
    station = make_station(
        identity,
        version=version,
        operator=make_operator(operator),
        concession=make_asking_concession(),
        firmware="1.0",
        connection_a=25,
    )
    Evse.objects.filter(station=station).update(socket_a=16)
    make_capabilities(station)
    Presence.objects.create(
        station=station,
        connection="11111111-1111-4111-8111-111111111111",
        gateway="22222222-2222-4222-8222-222222222222",
        ocpp_version=version,
        connected_at=NOW,
        renewed_at=NOW,
        last_message_at=NOW,
    )
    return station


def make_fake(*, version: str = "1.6", **flags: Any) -> FakeStation:
    clock = Clock()
    return FakeStation(make_online_station(version=version), clock, **flags)


def append_evidence(
    station: Station, *, code: str = "206", verdict: str = "proven", **fields: Any
) -> Evidence:
    """A link of the chain, by default one that proves 206."""
    at = evidence.timestamp(NOW)
    said: dict[str, Any] = {
        "requirement": Requirement.objects.get(code=code),
        "concession": station.site.concession,
        "operator": station.site.operator,
        "station": station,
        "method": "probe",
        "verdict": verdict,
        "code": "206.proven",
        "values": {},
        "figures": [
            {"key": "levels", "name": "Levels", "value": 16.0, "unit": "", "rule": "", "holds": True}
        ],
        "window": (NOW, NOW + timedelta(seconds=12)),
        "engine": "206 stacking 1.0",
        "steps": [
            {"name": "read", "at": at, "holds": True, "expected": [[0, 16.5, None]], "message_id": "m1"}
        ],
        "frames": [
            {"at": at, "direction": "in", "action": "A", "message_id": "m1", "text": '[3,"m1",{}]'},
        ],
        "configuration": {"b": 1, "a": [2, 3]},
    }
    now = fields.pop("now", NOW)
    return evidence.append(evidence.Exhibit(**{**said, **fields}), now=now)
