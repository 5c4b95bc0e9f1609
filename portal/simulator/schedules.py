"""The charging profiles a station keeps, and the composite it makes of them.

Own code, deliberately apart from the portal's engine: two answers that agree prove something, one answer does not.
Inside, every limit is amperes per phase; W is divided by 230 V times the phases of its own profile (OCPP 1.6, 7.14).
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from portal.simulator.wire import Payload

NOMINAL_V = 230
LONGEST_WINDOW_S = 7 * 86_400  # longer questions are answered for a week
MAX, TX_DEFAULT, TX = "max", "tx_default", "tx"


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_s` on, `limit` in the profile's own unit."""

    start_s: float
    limit: float
    phases: int | None = None


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile as installed; `wire` is how it came, to keep and to report."""

    profile_id: int
    evse: int
    purpose: str
    level: int
    kind: str
    unit: str
    periods: tuple[Period, ...]
    wire: Payload
    start: datetime | None = None
    duration_s: int | None = None
    recurrence_s: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    transaction: str | None = None
    schedules: int = 1

    def period_at(self, at: datetime, anchor: datetime) -> Period | None:
        """The period that counts at `at`; `anchor` is the start of a schedule that has none of its own."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        elapsed_s = (at - (self.start or anchor)).total_seconds()
        if elapsed_s < 0:
            return None
        if self.recurrence_s:
            elapsed_s %= self.recurrence_s
        if self.duration_s is not None and elapsed_s >= self.duration_s:
            return None
        return next((period for period in reversed(self.periods) if period.start_s <= elapsed_s), None)

    def amperes(self, period: Period) -> float:
        if self.unit == "A":
            return period.limit
        return period.limit / (NOMINAL_V * (period.phases or 3))

    def changes(self, begin: datetime, end: datetime, anchor: datetime) -> Iterator[datetime]:
        """Every moment in [begin, end) at which this profile may start, change or stop counting."""
        yield from (at for at in (self.valid_from, self.valid_to) if at)
        start = self.start or anchor
        offsets_s = [period.start_s for period in self.periods]
        offsets_s += [] if self.duration_s is None else [self.duration_s]
        if self.recurrence_s and begin > start:
            start += timedelta(
                seconds=(begin - start).total_seconds() // self.recurrence_s * self.recurrence_s
            )
        while start < end:
            yield from (
                start + timedelta(seconds=offset) for offset in offsets_s if offset < LONGEST_WINDOW_S * 60
            )
            if not self.recurrence_s:
                return
            start += timedelta(seconds=self.recurrence_s)


@dataclass(frozen=True, slots=True)
class Limit:
    """What one EVSE (or, for 0, the whole station) may draw: amperes per phase, on so many phases."""

    amperes: float
    phases: int

    def in_unit(self, unit: str) -> float:
        """One decimal, rounded down: a composite never exceeds the lowest limit in it."""
        value = self.amperes if unit == "A" else self.amperes * NOMINAL_V * self.phases
        return math.floor(value * 10 + 1e-6) / 10


@dataclass(frozen=True, slots=True)
class Running:
    """The transaction of an EVSE, as far as schedules care."""

    transaction: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a station states about itself, and holds callers to."""

    max_stack_level: int = 9
    max_periods: int = 24
    max_installed: int = 30
    units: tuple[str, ...] = ("A", "W")


class ProfileRefusedError(Exception):
    """A profile that does not fit; `reason` is a 2.x reason code."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(f"{reason}: {why}")
        self.reason = reason
        self.why = why


class Schedules:
    """The profiles of one station with `hardware`: the limit of each EVSE, and under 0 of the connection."""

    def __init__(
        self,
        *,
        hardware: dict[int, Limit],
        capabilities: Capabilities,
        read: Callable[[int, Payload], StoredProfile],
        path: Path | None = None,
        one_per_purpose: bool = False,
        rules_of_16: bool = True,
    ) -> None:
        self.hardware = hardware
        self.capabilities = capabilities
        self.profiles: list[StoredProfile] = []
        self.read = read
        self._path = path
        self._one_per_purpose = one_per_purpose
        self._rules_of_16 = rules_of_16
        self.load()

    # Keeping

    def load(self) -> None:
        """After a (re)boot: all but TxProfiles are still there (2.0.1, K01.FR.27)."""
        if self._path is not None and self._path.is_file():
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            self.profiles = [self.read(row["evse"], row["profile"]) for row in rows]
        self.profiles = [profile for profile in self.profiles if profile.purpose != TX]

    def _save(self) -> None:
        if self._path is not None:
            rows = [{"evse": p.evse, "profile": p.wire} for p in self.profiles if p.purpose != TX]
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(rows), encoding="utf-8")

    def install(self, profile: StoredProfile, running: Running | None) -> None:
        """Keep it, or ProfileRefusedError. A known id replaces that profile, wherever it was (1.6, 5.16)."""
        self.check(profile)
        if profile.purpose == TX:
            _check_transaction(profile, running)
        others = [p for p in self.profiles if p.profile_id != profile.profile_id]
        if self._one_per_purpose:
            others = [p for p in others if (p.purpose, p.evse) != (profile.purpose, profile.evse)]
        elif self._rules_of_16:  # 5.16.3; 2.x refuses instead
            others = [p for p in others if not _same_place(p, profile)]
        elif any(_clash(p, profile) for p in others):
            raise ProfileRefusedError(
                "DuplicateProfile", "same purpose and level at the same time (K01.FR.06)"
            )
        if len(others) >= self.capabilities.max_installed:
            raise ProfileRefusedError(
                "TooManyElements", f"{len(others)} profiles installed, no room for more"
            )
        self.profiles = [*others, profile]
        self._save()

    def check(self, profile: StoredProfile) -> None:
        """The rules of section 3.13 (1.6) and K01 (2.0.1) that need nothing but the profile itself."""
        for reason, why, wrong in [*self._limits_of_station(profile), *_faults(profile)]:
            if wrong:
                raise ProfileRefusedError(reason, why)
        # 1.6: Absolute without a start is relative to the transaction (7.13); 2.x refuses (K01.FR.40)
        if profile.kind == "Absolute" and profile.start is None and not self._rules_of_16:
            raise ProfileRefusedError("InvalidSchedule", "startSchedule is missing")

    def _limits_of_station(self, profile: StoredProfile) -> list[tuple[str, str, bool]]:
        able = self.capabilities
        periods = len(profile.periods)
        return [
            ("UnknownEvse", f"no EVSE {profile.evse}", profile.evse not in self.hardware),
            ("InvalidStackLevel", str(profile.level), not 0 <= profile.level <= able.max_stack_level),
            ("InvalidSchedule", f"{periods} periods", not 1 <= periods <= able.max_periods),
            ("UnsupportedRateUnit", profile.unit, profile.unit not in able.units),
        ]

    def clear(self, wanted: Callable[[StoredProfile], bool]) -> int:
        """Remove what is wanted gone; returns how many that were."""
        kept = [profile for profile in self.profiles if not wanted(profile)]
        cleared = len(self.profiles) - len(kept)
        self.profiles = kept
        self._save()
        return cleared

    def transaction_ended(self, evse: int) -> None:
        self.clear(lambda profile: profile.purpose == TX and profile.evse == evse)

    # Deciding

    def limit(
        self, evse: int, at: datetime, running: dict[int, Running], now: datetime, unit: str = "A"
    ) -> Limit:
        """What counts at `at`, to be told in `unit`. Without a transaction: as if one begins `now` (K08.FR.06)."""
        limits = [self.hardware[evse], self.hardware[0]]
        limits += self._leading(MAX, 0, at, now)
        if evse == 0:
            limits.append(self._sum(at, running, now, unit))
        else:
            limits += self._own(evse, at, running.get(evse), now)
        return Limit(min(limit.amperes for limit in limits), min(limit.phases for limit in limits))

    def station_limit(self, at: datetime) -> Limit:
        """The connection under any maximum profile: what the sockets share at `at`."""
        limits = [self.hardware[0], *self._leading(MAX, 0, at, at)]
        return Limit(min(limit.amperes for limit in limits), min(limit.phases for limit in limits))

    def _sum(self, at: datetime, running: dict[int, Running], now: datetime, unit: str) -> Limit:
        """The station's expected use: its EVSEs together (1.6, 5.7). In A what one phase may carry, in W the
        power of all, which is less where an EVSE uses one phase only."""
        each = []
        for evse in self.hardware.keys() - {0}:
            limits = [self.hardware[evse], *self._own(evse, at, running.get(evse), now)]
            each.append(Limit(min(x.amperes for x in limits), min(x.phases for x in limits)))
        phases = max(limit.phases for limit in each)
        if unit == "W":
            return Limit(sum(limit.amperes * limit.phases for limit in each) / phases, phases)
        return Limit(sum(limit.amperes for limit in each), phases)

    def _own(self, evse: int, at: datetime, running: Running | None, now: datetime) -> list[Limit]:
        """TxProfile where it has a period, else TxDefaultProfile, whatever the levels (1.6, 3.13.1)."""
        anchor = running.started_at if running else now
        return (self._leading(TX, evse, at, anchor) if running else []) or self._leading(
            TX_DEFAULT, evse, at, anchor
        )

    def _leading(self, purpose: str, evse: int, at: datetime, anchor: datetime) -> list[Limit]:
        """The highest level that has a period now; at one level the EVSE's own before that of 0 (K01.FR.17)."""
        mine = [p for p in self.profiles if p.purpose == purpose and p.evse in {0, evse}]
        for profile in sorted(mine, key=lambda p: (p.level, p.evse), reverse=True):
            period = profile.period_at(at, anchor)
            if period is not None:
                phases = self.hardware[0].phases
                return [Limit(profile.amperes(period), min(period.phases or phases, phases))]
        return []

    def composite(
        self, evse: int, now: datetime, duration_s: int, running: dict[int, Running], unit: str = "A"
    ) -> tuple[int, list[tuple[int, Limit]]]:
        """(answered seconds, [(seconds from now, limit), ...]), changes only."""
        duration_s = max(1, min(duration_s, LONGEST_WINDOW_S))
        end = now + timedelta(seconds=duration_s)
        anchors = [now, *(transaction.started_at for transaction in running.values())]
        moments = {now}
        for profile in self.profiles:
            for anchor in anchors:
                moments.update(at for at in profile.changes(now, end, anchor) if now <= at < end)
        changes: list[tuple[int, Limit]] = []
        for at in sorted(moments):
            limit = self.limit(evse, at, running, now, unit)
            if not changes or changes[-1][1] != limit:
                changes.append((int((at - now).total_seconds()), limit))
        return duration_s, changes


def _same_place(a: StoredProfile, b: StoredProfile) -> bool:
    return (a.purpose, a.level, a.evse) == (b.purpose, b.level, b.evse)


def _clash(a: StoredProfile, b: StoredProfile) -> bool:
    """Same purpose and level, valid at the same time, and on EVSEs that overlap (2.0.1, K01.FR.06, .39, .52)."""
    if (a.purpose, a.level) != (b.purpose, b.level) or (a.evse != b.evse and 0 not in {a.evse, b.evse}):
        return False
    return not (
        (a.valid_to and b.valid_from and a.valid_to <= b.valid_from)
        or (b.valid_to and a.valid_from and b.valid_to <= a.valid_from)
    )


def _check_transaction(profile: StoredProfile, running: Running | None) -> None:
    if running is None or (profile.transaction is not None and profile.transaction != running.transaction):
        raise ProfileRefusedError("TxNotFound", "a TxProfile needs its transaction (K01.FR.09, .33)")


def _faults(profile: StoredProfile) -> list[tuple[str, str, bool]]:
    """(reason code, what is wrong, whether it is)."""
    starts = [period.start_s for period in profile.periods]
    ascending = all(a < b for a, b in itertools.pairwise(starts))
    sane = all(math.isfinite(period.limit) and period.limit >= 0 for period in profile.periods)
    relative, recurring = profile.kind == "Relative", profile.kind == "Recurring"
    return [
        ("UnsupportedPurpose", profile.purpose, profile.purpose not in {MAX, TX_DEFAULT, TX}),
        (
            "InvalidProfile",
            "a maximum is for the whole station",
            profile.purpose == MAX and profile.evse != 0,
        ),
        ("InvalidProfile", "a maximum is not Relative", profile.purpose == MAX and relative),
        ("InvalidProfile", "a TxProfile is for one EVSE", profile.purpose == TX and profile.evse == 0),
        ("InvalidSchedule", "one schedule per profile", profile.schedules != 1),
        ("InvalidSchedule", "first startPeriod is not 0", starts[:1] != [0]),
        ("InvalidSchedule", "startPeriods do not ascend", not ascending),
        ("InvalidSchedule", "a limit that is no limit", not sane),
        ("InvalidSchedule", "Relative has no startSchedule", relative and profile.start is not None),
        ("InvalidSchedule", "startSchedule is missing", recurring and profile.start is None),
        ("InvalidSchedule", "recurrencyKind is missing", recurring and not profile.recurrence_s),
    ]
