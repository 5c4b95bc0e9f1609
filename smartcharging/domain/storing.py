"""What a station does with a profile that it takes: store it, in place of others. Pure.

Whether it takes the profile at all, `checking.py` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smartcharging.domain.profiles import ChargingProfile, Installed, Purpose, Version


def install(installed: Sequence[Installed], new: Installed, *, version: Version) -> tuple[Installed, ...]:
    """The profiles that a station holds once it has accepted `new`, in order of installation.

    The same id replaces, wherever it was, but never an ExternalConstraints, which is not the CSMS's (1.6 5.16,
    K01.FR.05). In 1.6 the same purpose, stack level and connector replace too (5.16.3). The old profile is gone at
    once, also when the new one is valid only later (1.6 3.13.2).
    """
    return (*(item for item in installed if not _replaces(new, item, version)), new)


def install_all(news: Iterable[Installed], *, version: Version) -> tuple[Installed, ...]:
    """What is left once all `news` were installed one after the other; as `install`, in linear time."""
    kept: dict[int, Installed] = {}
    by_id: dict[int, int] = {}
    by_place: dict[tuple[int, Purpose, int], int] = {}
    for number, new in enumerate(news):
        profile = new.profile
        place = (new.evse, profile.purpose, profile.stack_level)
        kept.pop(by_id.pop(profile.id, -1), None)
        if version == "1.6":
            kept.pop(by_place.get(place, -1), None)
            by_place[place] = number
        kept[number] = new
        if profile.purpose is not Purpose.EXTERNAL_CONSTRAINTS:
            by_id[profile.id] = number
    return tuple(kept.values())


def same_place(ours: ChargingProfile, theirs: ChargingProfile) -> bool:
    """Whether they compete for one place of the stack, if it is on one EVSE."""
    return ours.purpose is theirs.purpose and ours.stack_level == theirs.stack_level


def valid_together(one: ChargingProfile, other: ChargingProfile) -> bool:
    """Whether there is a moment at which both are valid; validTo is exclusive (K01.FR.37)."""
    return _begins_within(one, other) and _begins_within(other, one)


def _replaces(new: Installed, old: Installed, version: Version) -> bool:
    if new.profile.id == old.profile.id and old.profile.purpose is not Purpose.EXTERNAL_CONSTRAINTS:
        return True
    return version == "1.6" and new.evse == old.evse and same_place(new.profile, old.profile)


def _begins_within(one: ChargingProfile, other: ChargingProfile) -> bool:
    """Whether `one` becomes valid before the validity of `other` ends."""
    begin, end = one.valid_from, other.valid_to
    return begin is None or end is None or begin < end
