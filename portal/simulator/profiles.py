"""A charging profile as a station keeps it, and when its periods count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.simulator.wire import Payload, stamp

NOMINAL_V = 230
LONGEST_WINDOW_S = 7 * 86_400  # longer questions are answered for a week
MAX, TX_DEFAULT, TX, PRIORITY, EXTERNAL = "max", "tx_default", "tx", "priority", "external"
CHARGING_ONLY, CENTRAL_SETPOINT, EXTERNAL_SETPOINT = "ChargingOnly", "CentralSetpoint", "ExternalSetpoint"
EXTERNAL_ID = -1  # a negative id cannot be the CSMS's (K12.FR.05)
ZONE = ZoneInfo("Europe/Amsterdam")  # what the clock on the station's wall shows (2.1, useLocalTime)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_s` on, `limit` in the profile's own unit; 2.1 may leave it out. `discharge` is never above 0, a
    `setpoint` below 0 gives back. `mode` None: the version knows no operation modes."""

    start_s: float
    limit: float | None
    phases: int | None = None
    mode: str | None = None
    discharge: float | None = None
    setpoint: float | None = None


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile as installed; `wire` is how it came, to keep and to report.

    `start` of a Dynamic one is its last update (K28.FR.13). `local_start`: that clock time in `ZONE`, of which
    `start` is the first. `unable`: the names of what it asks for and this station does not do.
    """

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
    local_start: datetime | None = None
    max_offline_s: int | None = None
    gone_after_offline: bool = False
    update_every_s: int = 0
    unable: frozenset[str] = frozenset()

    def period_at(self, at: datetime, anchor: datetime) -> Period | None:
        """The period that counts at `at`; `anchor` is the start of a schedule that has none of its own."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        elapsed_s = (at - self._begun(self.start or anchor, at)).total_seconds()
        if elapsed_s < 0 or (self.duration_s is not None and elapsed_s >= self.duration_s):
            return None
        return next((period for period in reversed(self.periods) if period.start_s <= elapsed_s), None)

    def _begun(self, start: datetime, at: datetime) -> datetime:
        """When the schedule last began: `start`, or its latest repetition that is not after `at`."""
        if not self.recurrence_s or at < start:
            return start
        times = int((at - start).total_seconds() // self.recurrence_s)
        while times and self._repeated(start, times) > at:  # an hour is lost or gained when the clock changes
            times -= 1
        while self._repeated(start, times + 1) <= at:
            times += 1
        return self._repeated(start, times)

    def _repeated(self, start: datetime, times: int) -> datetime:
        """24 hours are 24 hours, unless the profile follows the clock on the wall."""
        later = timedelta(seconds=times * (self.recurrence_s or 0))
        return start + later if self.local_start is None else at_the_wall(self.local_start + later)

    def changes(self, begin: datetime, end: datetime, anchor: datetime) -> Iterator[datetime]:
        """Every moment in [begin, end) at which this profile may start, change or stop counting, and others."""
        yield from (at for at in (self.valid_from, self.valid_to) if at)
        first = self.start or anchor
        offsets_s = [period.start_s for period in self.periods]
        offsets_s += [] if self.duration_s is None else [self.duration_s]
        start = self._begun(first, begin)
        while start < end:
            yield from (
                start + timedelta(seconds=offset) for offset in offsets_s if offset < LONGEST_WINDOW_S * 60
            )
            if not self.recurrence_s:
                return
            start = self._begun(first, start + timedelta(seconds=self.recurrence_s + 7200))


@dataclass(frozen=True, slots=True)
class Running:
    """The transaction of an EVSE, as far as schedules care. `priority`: the driver may have all there is (K21)."""

    transaction: str
    started_at: datetime
    priority: bool = False


def at_the_wall(local: datetime) -> datetime:
    """The moment, in UTC, at which a clock on the station's wall shows `local` (naive)."""
    return local.replace(tzinfo=ZONE).astimezone(UTC)


def external_limit(amperes: float, at: datetime) -> StoredProfile:
    """A limit of somebody else than the CSMS on the whole station, as the profile that tells of it (K11.FR.06)."""
    period = {"startPeriod": 0, "limit": amperes}
    schedule = {
        "id": 1,
        "startSchedule": stamp(at),
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [period],
    }
    wire: Payload = {
        "id": EXTERNAL_ID,
        "stackLevel": 0,
        "chargingProfilePurpose": "ChargingStationExternalConstraints",
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
    }
    periods = (Period(0, amperes),)
    return StoredProfile(EXTERNAL_ID, 0, EXTERNAL, 0, "Absolute", "A", periods, wire, start=at)
