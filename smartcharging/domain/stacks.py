"""Which of a station's profiles count for an EVSE, and which comes before which. Pure.

A stack is a list of profiles of which one leads at a time: the first that has a period at that moment (OCPP
1.6 5.16.4; 2.0.1 part 2, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from smartcharging.domain.profiles import Installed, Outages, Policy, Purpose, Transaction

ONLINE = Outages()


class Window(NamedTuple):
    """Seconds since 1970: from `start` until just before `end`."""

    start: int
    end: int


class Role(StrEnum):
    """What the leading period of a stack does to the limit of its EVSE, or of the station (EVSE 0)."""

    SESSION = "session"  # PriorityCharging, else TxProfile, else TxDefaultProfile: for the transaction
    EXTERNAL = "external"  # ExternalConstraints: caps
    STATION_MAX = "station_max"  # ChargingStationMaxProfile: caps
    GENERATION = "generation"  # LocalGeneration: is added to the lowest of the others


class Stack(NamedTuple):
    """`profiles`, the one that leads wherever it has a period first.

    `charging_start`: the second that Relative profiles count from; None: there is none, they do not apply.
    `evse` 0: those of the station.
    """

    profiles: list[Installed]
    charging_start: int | None
    role: Role
    evse: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What a station holds and does while a composite is asked for `window`.

    `installed` is in order of installation; `transactions` are the running ones, at most one per EVSE. `counting`:
    those that count at the moment of asking. `is_plain`: these set limits that cap, and nothing else.
    """

    installed: Sequence[Installed]
    transactions: Sequence[Transaction]
    window: Window
    policy: Policy
    outages: Outages = ONLINE
    counting: Sequence[Installed] = field(init=False)
    is_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        counting, is_plain = self.installed, True
        if any(map(_is_special, self.installed)):  # else spare the others what follows
            counting = [item for item in self.installed if self._counts(item)]
            is_plain = not any(map(_says_more_than_limits, counting))
        object.__setattr__(self, "counting", counting)
        object.__setattr__(self, "is_plain", is_plain)

    def stacks_of_evse(self, evse: int) -> list[Stack]:
        """What a transaction on the EVSE may have, the EVSE's own ExternalConstraints, and generation if any."""
        start = self._charging_start(evse)
        session = self._priority(evse) + self._tx(evse) + self._tx_default(evse)
        external = _highest_first(self._of(Purpose.EXTERNAL_CONSTRAINTS, evse))
        stacks = [Stack(session, start, Role.SESSION, evse), Stack(external, start, Role.EXTERNAL, evse)]
        return stacks + self._generation(evse, start)

    def stacks_of_station(self, evses: Iterable[int]) -> list[Stack]:
        """Max and ExternalConstraints of EVSE 0, which hold for the total (1.6 3.13.1, K12.FR.01)."""
        starts = [start for evse in evses if (start := self._charging_start(evse)) is not None]
        start = min(starts, default=None)
        station_max = _highest_first(self._of(Purpose.STATION_MAX, 0))
        external = _highest_first(self._of(Purpose.EXTERNAL_CONSTRAINTS, 0))
        stacks = [Stack(station_max, start, Role.STATION_MAX, 0), Stack(external, start, Role.EXTERNAL, 0)]
        return stacks + self._generation(0, start)

    def _counts(self, item: Installed) -> bool:
        """Whether a profile counts at the moment of asking: it is whole, and not without connection for too long."""
        profile = item.profile
        if profile.max_offline_s is None:
            return profile.schedule.is_valid
        return profile.schedule.is_valid and not self._is_cut_off(item, profile.max_offline_s)

    def _is_cut_off(self, item: Installed, most_s: int) -> bool:
        """Whether the station was offline for longer than the profile allows (2.1 maxOfflineDuration; 0: at once).

        As long as it is: equal is still within, as in EVerest. With invalidAfterOfflineDuration for good, which
        concerns outages that went on after the profile had come. Looked at once, at the start of the window: when
        the station comes back nobody knows.
        """
        outages, start = self.outages, self.window.start
        if outages.since is not None and _is_too_long(start - second_of(outages.since), most_s):
            return True
        return item.profile.invalid_after_offline and any(
            _is_too_long(second_of(end) - second_of(begin), most_s)
            for begin, end in outages.earlier
            if item.received_at is None or item.received_at < end
        )

    def _generation(self, evse: int, start: int | None) -> list[Stack]:
        """The stack of LocalGeneration, where there is any (2.1 K27)."""
        if self.is_plain:
            return []
        profiles = _highest_first(self._of(Purpose.LOCAL_GENERATION, evse))
        return [Stack(profiles, start, Role.GENERATION, evse)] if profiles else []

    def _priority(self, evse: int) -> list[Installed]:
        """PriorityCharging of the EVSE and of EVSE 0, while it is in use: above Tx and TxDefault (2.1 K21)."""
        transaction = self._transaction(evse)
        if transaction is None or not transaction.has_priority:
            return []
        own, of_station = self._of(Purpose.PRIORITY_CHARGING, evse), self._of(Purpose.PRIORITY_CHARGING, 0)
        return _highest_first(of_station + own)

    def _tx(self, evse: int) -> list[Installed]:
        """TxProfiles of the running transaction; without a transactionId one is that too (1.6 5.16; D17)."""
        transaction = self._transaction(evse)
        profiles = self._of(Purpose.TX, evse)
        if transaction is not None:
            profiles = [item for item in profiles if item.profile.transaction_id in {None, transaction.id}]
        elif not self.policy.txprofile_without_tx:
            profiles = []
        return _highest_first(profiles)

    def _tx_default(self, evse: int) -> list[Installed]:
        """TxDefaultProfiles of the EVSE and of EVSE 0, which count for every EVSE (1.6 3.13.1)."""
        if self._transaction(evse) is None and not self.policy.simulate_transaction:  # D9: K08.FR.06
            return []
        own, of_station = self._of(Purpose.TX_DEFAULT, evse), self._of(Purpose.TX_DEFAULT, 0)
        if self.policy.txdefault_scope == "own_first":  # D2
            return _highest_first(own) + _highest_first(of_station)
        return _highest_first(of_station + own)

    def _charging_start(self, evse: int) -> int | None:
        """The start of the transaction, or the moment of asking if one is imagined (D8: K08.FR.06)."""
        transaction = self._transaction(evse)
        if transaction is not None:
            return second_of(transaction.start)
        imagined = self.policy.simulate_transaction or self.policy.txprofile_without_tx
        return self.window.start if imagined else None

    def _transaction(self, evse: int) -> Transaction | None:
        return next((transaction for transaction in self.transactions if transaction.evse == evse), None)

    def _of(self, purpose: Purpose, evse: int) -> list[Installed]:
        return [item for item in self.counting if item.evse == evse and item.profile.purpose is purpose]


def second_of(moment: datetime) -> int:
    """Seconds since 1970 of an aware moment, rounded down (1.6 3.14)."""
    return math.floor(moment.timestamp())


def _is_special(item: Installed) -> bool:
    """Whether a profile needs more than a look at its limits: only in 2.1, but for phaseToUse."""
    profile = item.profile
    return profile.max_offline_s is not None or _says_more_than_limits(item)


def _says_more_than_limits(item: Installed) -> bool:
    return not item.profile.schedule.is_plain or item.profile.purpose is Purpose.LOCAL_GENERATION


def _is_too_long(offline_s: int, most_s: int) -> bool:
    return offline_s > most_s or most_s == 0


def _highest_first(profiles: list[Installed]) -> list[Installed]:
    """By stack level; at one level the last of the list first: own before EVSE 0's, and newest first."""
    if len(profiles) < 2:
        return profiles
    newest_first = profiles[::-1]
    newest_first.sort(key=_stack_level, reverse=True)  # stable, also in reverse
    return newest_first


def _stack_level(item: Installed) -> int:
    return item.profile.stack_level
