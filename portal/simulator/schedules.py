"""The charging profiles a station keeps, and the composite it makes of them.

Own code, deliberately apart from the portal's engine: two answers that agree prove something, one answer does not.
Inside, every limit is amperes per phase.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from portal.simulator import storing
from portal.simulator.limits import Limit, of_period, together
from portal.simulator.profiles import (
    CHARGING_ONLY,
    EXTERNAL,
    LONGEST_WINDOW_S,
    MAX,
    PRIORITY,
    TX,
    TX_DEFAULT,
    Running,
    StoredProfile,
)
from portal.simulator.storing import Capabilities, ProfileRefusedError
from portal.simulator.wire import Payload

__all__ = ["Capabilities", "Limit", "ProfileRefusedError", "Running", "Schedules"]


class Schedules:
    """The profiles of one station with `hardware`: the limit of each EVSE, and under 0 of the connection.

    `external`: the profile of a limit that somebody else than the CSMS set, station-wide. `most_periods`: what it
    really takes, whatever it states. `forgetful`: a reboot leaves nothing.
    """

    def __init__(
        self,
        *,
        hardware: dict[int, Limit],
        capabilities: Capabilities,
        read: Callable[[int, Payload], StoredProfile],
        path: Path | None = None,
        one_per_purpose: bool = False,
        most_periods: int | None = None,
        forgetful: bool = False,
        rules_of_16: bool = True,
    ) -> None:
        self.hardware = hardware
        self.capabilities = capabilities
        self.profiles: list[StoredProfile] = []
        self.external: StoredProfile | None = None
        self.read = read
        self._path = path
        self._one_per_purpose = one_per_purpose
        self._most_periods = min(capabilities.max_periods, most_periods or capabilities.max_periods)
        self._forgetful = forgetful
        self._rules_of_16 = rules_of_16
        self._offline_s = 0.0
        self.load()

    # Keeping

    def load(self) -> None:
        """After a (re)boot: all but TxProfiles are still there (2.0.1, K01.FR.27)."""
        if self._path is not None and self._path.is_file():
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            self.profiles = [self.read(row["evse"], row["profile"]) for row in rows]
        kept = [profile for profile in self.profiles if profile.purpose != TX]
        self.profiles = [] if self._forgetful else kept

    def _save(self) -> None:
        if self._path is not None:
            rows = [{"evse": p.evse, "profile": p.wire} for p in self.profiles if p.purpose != TX]
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(rows), encoding="utf-8")

    def install(self, profile: StoredProfile, running: Running | None) -> None:
        """Keep it, or ProfileRefusedError. A known id replaces that profile, wherever it was (1.6, 5.16)."""
        self.check(profile)
        if profile.purpose == TX:
            storing.check_transaction(profile, running, rules_of_16=self._rules_of_16)
        others = [p for p in self.profiles if p.profile_id != profile.profile_id]
        if self._one_per_purpose:
            others = [p for p in others if (p.purpose, p.evse) != (profile.purpose, profile.evse)]
        elif self._rules_of_16:  # 5.16.3; 2.x refuses instead
            others = [p for p in others if not storing.same_place(p, profile)]
        elif any(storing.clash(p, profile) for p in others):
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
        """What this station can hold, then the rules of section 3.13 (1.6) and K01 (2.x)."""
        able = self.capabilities
        periods = len(profile.periods)
        for reason, why, wrong in [
            ("UnknownEvse", f"no EVSE {profile.evse}", profile.evse not in self.hardware),
            ("InvalidStackLevel", str(profile.level), not 0 <= profile.level <= able.max_stack_level),
            ("InvalidSchedule", f"{periods} periods", not 1 <= periods <= self._most_periods),
            ("UnsupportedRateUnit", profile.unit, profile.unit not in able.units),
        ]:
            if wrong:
                raise ProfileRefusedError(reason, why)
        storing.check(profile, rules_of_16=self._rules_of_16)

    def replace(self, profile: StoredProfile) -> None:
        """An update of a profile that is installed already (2.1, K28.FR.06)."""
        self.check(profile)
        self.profiles = [
            profile if known.profile_id == profile.profile_id else known for known in self.profiles
        ]
        self._save()

    def clear(self, wanted: Callable[[StoredProfile], bool]) -> int:
        """Remove what is wanted gone; returns how many that were. An external limit is not the CSMS's to clear."""
        kept = [profile for profile in self.profiles if not wanted(profile)]
        cleared = len(self.profiles) - len(kept)
        if cleared:
            self.profiles = kept
            self._save()
        return cleared

    def transaction_ended(self, evse: int) -> None:
        self.clear(lambda profile: profile.purpose == TX and profile.evse == evse)

    def note_offline(self, seconds: float) -> None:
        """So long without the CSMS, 0 with it: some profiles hold no longer then (2.1, maxOfflineDuration)."""
        self._offline_s = seconds
        if seconds:
            self.clear(lambda profile: profile.gone_after_offline and self._stale(profile))

    def _stale(self, profile: StoredProfile) -> bool:
        return profile.max_offline_s is not None and self._offline_s > profile.max_offline_s

    # Deciding

    def limit(
        self, evse: int, at: datetime, running: dict[int, Running], now: datetime, unit: str = "A"
    ) -> Limit:
        """What counts at `at`, to be told in `unit`. Without a transaction: as if one begins `now` (K08.FR.06)."""
        own = (
            [self._sum(at, running, now, unit)] if evse == 0 else self._own(evse, at, running.get(evse), now)
        )
        return together([*own, *self._of_station(at, now), self.hardware[evse], self.hardware[0]])

    def station_limit(self, at: datetime) -> Limit:
        """The connection under any maximum and external limit: what the sockets share at `at`."""
        return together([self.hardware[0], *self._of_station(at, at)])

    def _of_station(self, at: datetime, anchor: datetime) -> list[Limit]:
        return [*self._leading(EXTERNAL, 0, at, anchor), *self._leading(MAX, 0, at, anchor)]

    def _sum(self, at: datetime, running: dict[int, Running], now: datetime, unit: str) -> Limit:
        """The station's expected use: its EVSEs together (1.6, 5.7). In A what one phase may carry, in W the
        power of all, which is less where an EVSE uses one phase only."""
        each = [
            together([self.hardware[evse], *self._own(evse, at, running.get(evse), now)])
            for evse in self.hardware.keys() - {0}
        ]
        phases = max(limit.phases for limit in each)
        weights = [limit.phases / phases if unit == "W" else 1 for limit in each]
        amperes = sum(limit.amperes * weight for limit, weight in zip(each, weights, strict=True))
        return Limit(amperes, phases, discharge_a=_sum_of_discharges(each, weights))

    def _own(self, evse: int, at: datetime, running: Running | None, now: datetime) -> list[Limit]:
        """TxProfile where it has a period, else TxDefaultProfile, whatever the levels (1.6, 3.13.1)."""
        if running is None:
            return self._leading(TX_DEFAULT, evse, at, now)
        purposes = [PRIORITY, TX, TX_DEFAULT] if running.priority else [TX, TX_DEFAULT]
        found = (self._leading(purpose, evse, at, running.started_at) for purpose in purposes)
        return next((limits for limits in found if limits), [])

    def _leading(self, purpose: str, evse: int, at: datetime, anchor: datetime) -> list[Limit]:
        """The highest level that has a period now; at one level the EVSE's own before that of 0 (K01.FR.17)."""
        mine = [p for p in self._standing() if p.purpose == purpose and p.evse in {0, evse}]
        for profile in sorted(mine, key=lambda p: (p.level, p.evse), reverse=True):
            period = profile.period_at(at, anchor)
            if period is not None and not self._stale(profile):
                return [of_period(period, profile.unit, self.hardware[0].phases)]
        return []

    def _standing(self) -> list[StoredProfile]:
        return [*self.profiles, self.external] if self.external else self.profiles

    def composite(
        self, evse: int, now: datetime, duration_s: int, running: dict[int, Running], unit: str = "A"
    ) -> tuple[int, list[tuple[int, Limit]]]:
        """(answered seconds, [(seconds from now, limit), ...]), changes only."""
        duration_s = max(1, min(duration_s, LONGEST_WINDOW_S))
        end = now + timedelta(seconds=duration_s)
        anchors = [now, *(transaction.started_at for transaction in running.values())]
        moments = {now}
        for profile in self._standing():
            for anchor in anchors:
                moments.update(at for at in profile.changes(now, end, anchor) if now <= at < end)
        changes: list[tuple[int, Limit]] = []
        for at in sorted(moments):
            limit = self.limit(evse, at, running, now, unit)
            if not changes or changes[-1][1] != limit:
                changes.append((int((at - now).total_seconds()), limit))
        return duration_s, changes


def _sum_of_discharges(each: Sequence[Limit], weights: Sequence[float]) -> float | None:
    """What the EVSEs may give back together, those that only charge nothing; None where one may without end."""
    if any(x.discharge_a is None and x.mode not in {None, CHARGING_ONLY} for x in each):
        return None
    named = [
        x.discharge_a * weight for x, weight in zip(each, weights, strict=True) if x.discharge_a is not None
    ]
    return sum(named) if named else None
