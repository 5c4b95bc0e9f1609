"""A made-up fleet of any size, to measure pages on: parties, people, stations, and a year of what happened there.

The same numbers give the same rows but for the clock: nothing is drawn by lot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection, models, transaction

from portal.accounts.last_visit import LastVisit
from portal.compliance import catalogue
from portal.compliance.models import ConcessionRequirement, Judgement, Requirement, Status
from portal.compliance.usage_model import UsageMonth
from portal.management import bulk
from smartcharging.models import Delivery, DesiredProfile, ReportedSchedule
from stations.models import (
    Capabilities,
    ChargingSession,
    Command,
    Concession,
    ConfigurationValue,
    Connector,
    Event,
    Evse,
    Frame,
    Membership,
    MeterReading,
    Municipality,
    Operator,
    Presence,
    QuarterHour,
    RollUp,
    Site,
    Station,
    Tariff,
    Token,
)
from stations.models.access import OPERATOR_ROLES, Role
from stations.partitions import FRAMES, READINGS, make_part, parts_of

MAIL = "@fleet.test"
PREFIX = "FLEET-"
AREAS = 20  # of a town
DAYS = 330  # of sessions, up to now
KEPT_DAYS = 31  # of frames, and of the messages of readings
OPERATORS, MUNICIPALITIES, STATIONS_A_SITE = 5, 4, 5
TOKENS_A_STATION, FRAMES_A_STATION, EVENTS_A_STATION, COMMANDS_A_STATION = 2, 20, 10, 3
VALUES_A_STATION = 20
HOURS = 3  # that a session takes
SESSION_WH = 9_000
VERSIONS = ("1.6", "1.6", "2.0.1", "2.1")
CONTEXTS = ("Transaction.Begin", "Sample.Periodic", "Transaction.End")

Told = Callable[[str, int], None]
Step = tuple[type[models.Model], tuple[str, ...], Callable[[], Iterator[bulk.Row]]]

# All that a fleet has rows in, and with it all that hangs on these.
TABLES = [Municipality, Operator, Concession, Site, Station, Evse, Connector, Presence, Capabilities]
TABLES += [
    ConfigurationValue,
    Token,
    Tariff,
    ChargingSession,
    MeterReading,
    Frame,
    Event,
    Command,
    Membership,
]
TABLES += [DesiredProfile, Delivery, ReportedSchedule, ConcessionRequirement, QuarterHour, RollUp]
TABLES += [Judgement, UsageMonth, LastVisit]

SITE = ("id", "name", "address", "latitude", "longitude", "concession_id", "operator_id")
STATION = (
    *("id", "site_id", "identity", "name", "ocpp_version", "vendor", "model", "firmware"),
    "booted_at",
)
PRESENCE = ("station_id", "connection", "gateway", "ocpp_version", "connected_at", "renewed_at")
CAPABILITIES = (
    *("station_id", "read_at", "smart_charging", "max_stack_level", "max_periods", "max_profiles"),
    *("rate_units", "phases", "evse_count"),
)
SESSION = (
    *("id", "station_id", "evse_number", "connector_number", "transaction_id", "token_id", "token_digest"),
    *("started_at", "start_import_wh", "ended_at", "end_import_wh", "state", "received_at"),
)
READING = (
    *("station_id", "evse_number", "transaction_id", "sampled_at", "received_at", "context"),
    *("import_wh", "import_w", "import_l1_a", "message_id", "message"),
)
COMMAND = (
    *("id", "station_id", "action", "payload", "message_id", "state", "origin"),
    *("requested_at", "expires_at", "sent_at", "answered_at", "response"),
)
DESIRED = (
    *("id", "station_id", "name", "profile_id", "purpose", "stack_level", "kind", "recurrency"),
    *(
        "start_schedule",
        "duration_s",
        "unit",
        "periods",
        "state",
        "requested_at",
        "settled_at",
        "confirmed_at",
    ),
)
REPORTED = ("station_id", "command_id", "evse_number", "read_at", "state", "unit", "periods", "duration_s")

JUDGED = ("concession_id", "requirement_id", "operator_id", "station_id", "status", "at")
# Of each requirement what is known of most stations, and of every tenth.
KNOWN = {
    "206": (Status.PROVEN, Status.DEVIATION),
    "207": (Status.PROVEN, Status.NOT_ASSESSED),
    "211": (Status.SUBSTANTIATED, Status.RESTORED),
}


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it there is; readings are spread evenly over the sessions."""

    stations: int
    sessions: int
    readings: int

    @property
    def sessions_a_station(self) -> int:
        return max(1, self.sessions // self.stations)

    @property
    def readings_a_session(self) -> int:
        return max(2, self.readings // (self.sessions_a_station * self.stations))


@dataclass(frozen=True, slots=True)
class Fleet:
    """Makes the rows of one fleet; keys are given here, from 1, since the database holds nothing else."""

    size: Size
    now: datetime

    def make(self, told: Told) -> None:
        """All of it; `told` hears of each table when it is there."""
        bulk.empty([*TABLES, get_user_model()])
        self._parties()
        self._parts()
        for model, columns, rows in self.steps():
            told(bulk.table_of(model), bulk.insert(model, columns, rows()))
            if "id" in columns:
                bulk.go_on_counting(model)

    def steps(self) -> list[Step]:
        """Tables in the order in which they can be filled, with the columns given and what makes their rows."""
        return [
            (Site, SITE, self._sites),
            (Station, STATION, self._stations),
            (Evse, ("id", "station_id", "number"), self._evses),
            (Connector, ("evse_id", "number", "status", "status_at"), self._connectors),
            (Presence, PRESENCE, self._presences),
            (Capabilities, CAPABILITIES, self._capabilities),
            (ConfigurationValue, ("station_id", "component", "name", "value", "read_at"), self._values),
            (get_user_model(), ("id", "email", "name", "password", "date_joined"), self._drivers),
            (Token, ("id", "operator_id", "user_id", "digest", "label"), self._tokens),
            (ChargingSession, SESSION, self._sessions),
            (MeterReading, READING, self._readings),
            (Frame, ("station_id", "at", "direction", "kind", "action", "message_id", "text"), self._frames),
            (Event, ("station_id", "kind", "at", "recorded_at", "data"), self._events),
            (Command, COMMAND, self._commands),
            (DesiredProfile, DESIRED, self._desired),
            (Delivery, ("desired_id", "command_id", "intent"), self._deliveries),
            (ReportedSchedule, REPORTED, self._reported),
            (Judgement, JUDGED, self._judged),
        ]

    def _parts(self) -> None:
        """What is kept in parts by time gets those of its past, as if the portal had run all that time."""
        if connection.vendor != "postgresql":
            return
        for parted, days in ((READINGS, DAYS), (FRAMES, KEPT_DAYS)):
            start, there = parted.start_of(self.now - timedelta(days=days)), parts_of(parted)
            while start <= self.now.date():
                if start not in there:
                    with transaction.atomic():
                        make_part(parted, start)
                start = parted.next(start)

    # ------------------------------------------------------------ parties and people

    def _parties(self) -> None:
        shipped = catalogue.SHIPPED.read_bytes()
        requirements = catalogue.import_requirements(
            content=shipped, name="200-212", version="1", now=self.now
        )
        municipalities = [
            Municipality.objects.create(pk=number, name=f"Fleet town {number}", slug=f"fleet-town-{number}")
            for number in range(1, MUNICIPALITIES + 1)
        ]
        operators = [
            Operator.objects.create(pk=number, name=f"Fleet operator {number}", slug=f"fleet-{number}")
            for number in range(1, OPERATORS + 1)
        ]
        for number, municipality in enumerate(municipalities, start=1):
            concession = Concession.objects.create(
                pk=number,
                name=f"Fleet concession {number}",
                slug=f"fleet-concession-{number}",
                municipality=municipality,
                starts_on=(self.now - timedelta(days=700)).date(),
            )
            concession.operators.set(operators)
            catalogue.apply_to(concession=concession, requirement_set=requirements)
        for operator in operators:
            Tariff.objects.create(operator=operator, name="Fleet", valid_from=self.now - timedelta(700))
        self._staff(municipalities[0], operators[0])
        for model in (Municipality, Operator, Concession, get_user_model()):
            bulk.go_on_counting(model)

    def _staff(self, municipality: Municipality, operator: Operator) -> None:
        people = get_user_model().objects
        Membership.objects.create(
            user=people.create_user(f"official{MAIL}", is_staff=True),
            role=Role.OFFICIAL,
            municipality=municipality,
        )
        for role in OPERATOR_ROLES:
            user = people.create_user(f"{role}{MAIL}", is_staff=True)
            Membership.objects.create(user=user, role=role, operator=operator)
        people.create_superuser(f"superuser{MAIL}")

    # What these two ask of the database is asked before the first row: COPY holds the connection.

    def _drivers(self) -> Iterator[bulk.Row]:
        first = 1 + (get_user_model().objects.aggregate(models.Max("pk"))["pk__max"] or 0)
        nobody, since = make_password(None), self._text(self.now)
        return ((first + n, f"driver{n}{MAIL}", "", nobody, since) for n in range(self.tokens))

    def _tokens(self) -> Iterator[bulk.Row]:
        drivers = get_user_model().objects.filter(email__startswith="driver", email__endswith=MAIL)
        known = list(drivers.order_by("pk").values_list("pk", flat=True))
        return ((n + 1, n % OPERATORS + 1, pk, f"{n:064x}", f"Card {n}") for n, pk in enumerate(known))

    # ------------------------------------------------------------ what stands there

    @property
    def tokens(self) -> int:
        return self.size.stations * TOKENS_A_STATION

    @property
    def _stations_ids(self) -> range:
        return range(1, self.size.stations + 1)

    def _sites(self) -> Iterator[bulk.Row]:
        for number in range((self.size.stations - 1) // STATIONS_A_SITE + 1):
            # The first concession and the first operator have a part of their own, and share one.
            town = number % MUNICIPALITIES + 1
            address = f"Laan {number}, {1000 + 100 * town + number % AREAS} AB Fleet town {town}"
            north, east = 52 + number % 97 / 200, 4.5 + number % 89 / 100
            yield number + 1, f"Fleet site {number}", address, north, east, town, number % OPERATORS + 1

    def _stations(self) -> Iterator[bulk.Row]:
        booted = self._text(self.now - timedelta(days=20))
        for pk in self._stations_ids:
            site = (pk - 1) // STATIONS_A_SITE + 1
            version = VERSIONS[pk % len(VERSIONS)]
            yield pk, site, f"{PREFIX}{pk:06}", f"Laan {pk}", version, "Fleet", f"F{pk % 7}", "1.2.3", booted

    def _evses(self) -> Iterator[bulk.Row]:
        for pk in self._stations_ids:
            for number in (1, 2):
                yield 2 * pk - 2 + number, pk, number

    def _connectors(self) -> Iterator[bulk.Row]:
        at = self._text(self.now - timedelta(hours=2))
        for pk in range(1, 2 * self.size.stations + 1):
            yield pk, 1, "Available" if pk % 3 else "Charging", at

    def _presences(self) -> Iterator[bulk.Row]:
        for pk in self._stations_ids:
            is_here = pk % 10 > 0
            uuid = str(UUID(int=pk)) if is_here else None
            if uuid and self.is_sqlite:
                uuid = UUID(int=pk).hex
            since = self._text(self.now - timedelta(days=pk % 30))
            # Who is here stays here, however long the fleet is measured.
            renewed = self._text(self.now + timedelta(days=3650)) if is_here else since
            yield pk, uuid, uuid, VERSIONS[pk % 4], since, renewed

    def _capabilities(self) -> Iterator[bulk.Row]:
        at, units = self._text(self.now), json.dumps(["A", "W"])
        for pk in self._stations_ids:
            yield pk, at, True, 10, 24, 20, units, 3, 2

    def _values(self) -> Iterator[bulk.Row]:
        at = self._text(self.now)
        for pk in self._stations_ids:
            for number in range(VALUES_A_STATION):
                yield pk, "", f"FleetKey{number:02}", str(number), at

    # ------------------------------------------------------------ what happened

    def _starts(self) -> Iterator[tuple[int, int, int, datetime]]:
        """Each session: its key, station, EVSE and start, in order of time; the last of a station runs still."""
        count = self.size.sessions_a_station
        apart = timedelta(days=DAYS) / count
        key = 0
        for turn in range(count):
            for pk in self._stations_ids:
                key += 1
                away = (count - 1 - turn) * apart + timedelta(hours=1, seconds=pk % 3600)
                yield key, pk, 1 + turn % 2, self.now - away

    def _sessions(self) -> Iterator[bulk.Row]:
        ended_before = self.now - timedelta(hours=HOURS)
        for key, pk, evse, start in self._starts():
            token, begin_wh = (key * 7) % self.tokens + 1, self._register(key)
            common = key, pk, evse, 1, str(key), token, f"{token - 1:064x}", self._text(start), begin_wh
            if start > ended_before:
                yield *common, None, None, "active", self._text(start)
            else:
                end = self._text(start + timedelta(hours=HOURS))
                yield *common, end, begin_wh + SESSION_WH, "ended", end

    def _register(self, key: int) -> float:
        """What the import register says at the start of a session: those before it on its EVSE are in it."""
        return 1000.0 + SESSION_WH * ((key - 1) // self.size.stations // 2)

    def _readings(self) -> Iterator[bulk.Row]:
        count = self.size.readings_a_session
        apart, kept = timedelta(hours=HOURS) / (count - 1), self.now - timedelta(days=KEPT_DAYS)
        for key, pk, evse, start in self._starts():
            begin_wh, keeps = self._register(key), start > kept
            for number in range(count):
                at = start + number * apart
                if at > self.now:
                    break
                when, context = self._text(at), CONTEXTS[1]
                if number in (0, count - 1):
                    context = CONTEXTS[0] if not number else CONTEXTS[2]
                wh = begin_wh + SESSION_WH * number / (count - 1)
                power = 3000.0 + (pk % 5) * 500 if number < count - 1 else 0.0
                message_id = f"{key}-{number}" if keeps else ""
                message = self._message(message_id, when, wh, power) if keeps else ""
                yield pk, evse, str(key), when, when, context, wh, power, power / 690, message_id, message

    @staticmethod
    def _message(message_id: str, when: str, wh: float, power: float) -> str:
        sampled = f'{{"value":"{wh}","unit":"Wh"}},{{"value":"{power}","measurand":"Power.Active.Import"}}'
        values = f'[{{"timestamp":"{when}","sampledValue":[{sampled}]}}]'
        return f'[2,"{message_id}","MeterValues",{{"meterValue":{values}}}]'

    def _frames(self) -> Iterator[bulk.Row]:
        apart = timedelta(days=KEPT_DAYS) / FRAMES_A_STATION
        for number in reversed(range(FRAMES_A_STATION)):
            at = self._text(self.now - number * apart)
            for pk in self._stations_ids:
                name = f"f{number}-{pk}"
                yield pk, at, "in", "call", "Heartbeat", name, f'[2,"{name}","Heartbeat",{{}}]'
                yield pk, at, "out", "result", "Heartbeat", name, f'[3,"{name}",{{"currentTime":"{at}"}}]'

    def _events(self) -> Iterator[bulk.Row]:
        for number in reversed(range(EVENTS_A_STATION)):
            at = self._text(self.now - timedelta(days=number))
            for pk in self._stations_ids:
                yield pk, "connected" if number % 2 else "disconnected", at, at, "{}"

    def _commands(self) -> Iterator[bulk.Row]:
        """Of each station one that set its limit, one that read it back, and one that asked something else."""
        at, later = self._text(self.now - timedelta(days=1)), self._text(self.now)
        for pk in self._stations_ids:
            for number, action in enumerate(("SetChargingProfile", "GetCompositeSchedule", "TriggerMessage")):
                key = COMMANDS_A_STATION * (pk - 1) + number + 1
                said = '{"status":"Accepted"}'
                yield key, pk, action, "{}", str(UUID(int=key)), "accepted", "fleet", at, later, at, at, said

    def _desired(self) -> Iterator[bulk.Row]:
        at = self._text(self.now - timedelta(days=1))
        periods = json.dumps([{"start_s": 0, "limit": 12.0, "phases": None}])
        for pk in self._stations_ids:
            yield (
                *(pk, pk, "Fleet limit", 1000, "station_max", 5, "recurring", "daily"),
                *(at, 86_400, "A", periods, "confirmed", at, at, at),
            )

    def _deliveries(self) -> Iterator[bulk.Row]:
        for pk in self._stations_ids:
            yield pk, COMMANDS_A_STATION * (pk - 1) + 1, "set"

    def _reported(self) -> Iterator[bulk.Row]:
        at = self._text(self.now - timedelta(days=1))
        periods = json.dumps([{"start_s": 0, "limit": 12.0, "phases": None}])
        for pk in self._stations_ids:
            yield pk, COMMANDS_A_STATION * (pk - 1) + 2, 0, at, "read", "A", periods, 86_400

    def _judged(self) -> Iterator[bulk.Row]:
        """By requirements whose keys are asked for before the first row, as above."""
        keys = dict(Requirement.objects.filter(code__in=KNOWN).values_list("code", "pk"))
        return self._judgements(keys)

    def _judgements(self, keys: Mapping[str, int]) -> Iterator[bulk.Row]:
        at = self._text(self.now - timedelta(days=2))
        for pk in self._stations_ids:
            number = (pk - 1) // STATIONS_A_SITE
            town, operator = number % MUNICIPALITIES + 1, number % OPERATORS + 1
            for code, (most, tenth) in KNOWN.items():
                status = most if pk % 10 else tenth
                yield (
                    town,
                    keys[code],
                    operator,
                    pk,
                    status.value,
                    None if status is Status.NOT_ASSESSED else at,
                )

    # ------------------------------------------------------------ as the database wants it

    @property
    def is_sqlite(self) -> bool:
        return connection.vendor == "sqlite"

    @staticmethod
    def _text(at: datetime) -> str:
        return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
