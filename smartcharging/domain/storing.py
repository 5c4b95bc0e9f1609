"""What a station does with a profile that it is sent: refuse it, or store it in place of others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smartcharging.domain.profiles import Installed, Kind, Purpose, Transaction, Version


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a station has to refuse a profile: a reason code as stations use it, and the clause."""

    reason: str
    clause: str


def install(installed: Sequence[Installed], new: Installed, *, version: Version) -> tuple[Installed, ...]:
    """The profiles that a station holds once it has accepted `new`, in order of installation.

    The same id replaces, wherever it was, but never an ExternalConstraints, which is not the CSMS's (1.6 5.16,
    K01.FR.05). In 1.6 the same purpose, stack level and connector replace too (5.16.3). The old profile is gone at
    once, also when the new one is valid only later (1.6 3.13.2).
    """
    return (*(item for item in installed if not _replaces(new, item, version)), new)


def refusal(
    installed: Sequence[Installed], new: Installed, *, version: Version, transactions: Sequence[Transaction]
) -> Refusal | None:
    """Why a station refuses `new`, or None where it accepts. The storing rules of 1.6 3.13 and 2.0.1 K01."""
    profile, evse = new.profile, new.evse
    if profile.purpose is Purpose.STATION_MAX and evse != 0:
        return Refusal("InvalidProfile", "1.6 3.13.1, K01")
    if profile.purpose is Purpose.EXTERNAL_CONSTRAINTS:
        return Refusal("UnsupportedPurpose", "K01.FR.22")
    if version != "1.6" and profile.purpose is Purpose.STATION_MAX and profile.kind is Kind.RELATIVE:
        return Refusal("UnsupportedKind", "K01.FR.38")
    if profile.purpose is Purpose.TX:
        return _refusal_of_tx(new, version, transactions)
    if version != "1.6" and any(_is_duplicate(new, item) for item in installed):
        return Refusal("DuplicateProfile", "K01.FR.06, .39, .52, .53")
    return None


def _refusal_of_tx(new: Installed, version: Version, transactions: Sequence[Transaction]) -> Refusal | None:
    """A TxProfile is for a running transaction, of which 2.0.1 wants the id (1.6 5.16, K01.FR.03/.09/.16/.33)."""
    wanted = new.profile.transaction_id
    running = [transaction.id for transaction in transactions if transaction.evse == new.evse]
    if new.evse == 0 or not running:
        return Refusal("TxNotFound", "1.6 3.13, K01.FR.09/.16")
    if wanted is None:
        return None if version == "1.6" else Refusal("MissingParam", "K01.FR.03")  # D17
    return None if wanted in running else Refusal("TxNotFound", "K01.FR.33")


def _replaces(new: Installed, old: Installed, version: Version) -> bool:
    if new.profile.id == old.profile.id and old.profile.purpose is not Purpose.EXTERNAL_CONSTRAINTS:
        return True
    return version == "1.6" and new.evse == old.evse and _same_place(new, old)


def _same_place(new: Installed, old: Installed) -> bool:
    ours, theirs = new.profile, old.profile
    return ours.purpose is theirs.purpose and ours.stack_level == theirs.stack_level


def _is_duplicate(new: Installed, old: Installed) -> bool:
    """Another profile of the same purpose and level that is valid at the same time, on this EVSE or across 0."""
    across = new.profile.purpose is Purpose.TX_DEFAULT and 0 in {new.evse, old.evse}
    if new.profile.id == old.profile.id or not _same_place(new, old) or not (across or new.evse == old.evse):
        return False
    return _starts_in(new, old) and _starts_in(old, new)


def _starts_in(one: Installed, other: Installed) -> bool:
    """Whether `one` becomes valid before the validity of `other` ends."""
    begin, end = one.profile.valid_from, other.profile.valid_to
    return begin is None or end is None or begin < end
