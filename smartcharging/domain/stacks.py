"""Which of a station's profiles count for an EVSE, and which comes before which. Pure.

A stack is a list of profiles of which one leads at a time: the first that has a period at that moment (OCPP
1.6 5.16.4; 2.0.1 part 2, section 3.3).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from smartcharging.domain.profiles import Installed, Policy, Purpose, Transaction


class Window(NamedTuple):
    """Seconds since 1970: from `start` until just before `end`."""

    start: int
    end: int


class Stack(NamedTuple):
    """`profiles`, the one that leads wherever it has a period first.

    `charging_start`: the second that Relative profiles count from; None: there is none, they do not apply.
    """

    profiles: list[Installed]
    charging_start: int | None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a station holds and does while a composite is asked for `window`.

    `installed` is in order of installation; `transactions` are the running ones, at most one per EVSE.
    """

    installed: Sequence[Installed]
    transactions: Sequence[Transaction]
    window: Window
    policy: Policy

    def stacks_of_evse(self, evse: int) -> list[Stack]:
        """TxProfile above TxDefaultProfile, and the EVSE's own ExternalConstraints."""
        start = self._charging_start(evse)
        external = self._of(Purpose.EXTERNAL_CONSTRAINTS, evse)
        return [Stack(self._tx(evse) + self._tx_default(evse), start), Stack(_highest_first(external), start)]

    def stacks_of_station(self, evses: Iterable[int]) -> list[Stack]:
        """Max and ExternalConstraints of EVSE 0, which hold for the total (1.6 3.13.1, K12.FR.01)."""
        starts = [start for evse in evses if (start := self._charging_start(evse)) is not None]
        start = min(starts, default=None)
        station_wide = (Purpose.STATION_MAX, Purpose.EXTERNAL_CONSTRAINTS)
        return [Stack(_highest_first(self._of(purpose, 0)), start) for purpose in station_wide]

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
        return [item for item in self.installed if item.evse == evse and item.profile.purpose is purpose]


def second_of(moment: datetime) -> int:
    """Seconds since 1970 of an aware moment, rounded down (1.6 3.14)."""
    return math.floor(moment.timestamp())


def _highest_first(profiles: list[Installed]) -> list[Installed]:
    """By stack level; at one level the last of the list first: own before EVSE 0's, and newest first."""
    newest_first = profiles[::-1]
    newest_first.sort(key=_stack_level, reverse=True)  # stable, also in reverse
    return newest_first


def _stack_level(item: Installed) -> int:
    return item.profile.stack_level
