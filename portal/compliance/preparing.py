"""Before a probe touches a station: is it safe, is what stands there ours, and what must be put back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from portal.compliance import listing, restoring
from portal.compliance.checks import composites
from portal.compliance.checks.composites import Reported
from portal.compliance.checks.readings import Setting, Standing
from portal.compliance.conversation import Conversation, Stopped, cars_at
from smartcharging.domain.profiles import Purpose
from smartcharging.models import DesiredProfile
from smartcharging.standing import PURPOSES, facts_of, standing_profiles


@dataclass(frozen=True, slots=True)
class Prepared:
    """The station as the judge will see it, its ceiling below which the probe stays, and what it reported before."""

    setting: Setting
    before: dict[int, Reported]

    @property
    def station_shows(self) -> bool:
        """EVSE 0 answers with a composite; some stations reject the question for it. Where all are rejected, it is for
        want of a profile, and nothing is known of EVSE 0."""
        rejected = [reported.state == "rejected" for reported in self.before.values()]
        return all(rejected) or self.before[0].state != "rejected"


def look(talk: Conversation) -> Prepared:
    """Read and change nothing. Raises Stopped where a car is there without leave, or what stands is not ours."""
    talk.cars = cars_at(talk.station)
    occupied = [evse for evse, there in talk.cars.items() if there]
    if occupied and not talk.probe.before.get("while_charging"):
        raise Stopped("probe.car_there", evse=min(occupied))
    restoring.wait_until_settled(talk)
    talk.keep_watch()
    facts = facts_of(talk.station, talk.now())
    evses = tuple(number for number, _ in facts.sockets)
    unit = restoring.unit_of(talk.station)
    setting = restoring.setting_of(talk.station, evses, facts, unit, now=talk.now())
    listed = listing.listed_profiles(talk)
    listing.refuse_foreign(talk, listed or ())
    before = restoring.capture(talk, evses, unit, code="step.before")
    is_empty = restoring.is_known_empty(talk.station, setting, listed)
    restoring.refuse_what_is_not_ours(setting, facts, before, is_empty=is_empty)
    return Prepared(replace(setting, ceiling=restoring.ceiling_of(setting, before)), before)


def remember(talk: Conversation, prepared: Prepared) -> None:
    """Keep what a restore needs, from here on in any case (running.py)."""
    setting = prepared.setting
    talk.remember(
        unit=setting.unit,
        composites={str(evse): composites.to_json(item) for evse, item in prepared.before.items()},
        standing=[[item.evse, dict(item.profile)] for item in setting.standing],
        transactions=[str(item.id) for item in setting.transactions],
    )


def own_profiles(talk: Conversation, purpose: Purpose) -> list[DesiredProfile]:
    """Our own profiles of this purpose on the station: the probe needs their place."""
    rows = standing_profiles(talk.station)
    return [row for row in rows if PURPOSES[DesiredProfile.Purpose(row.purpose)] is purpose]


def leave_out(setting: Setting, rows: Iterable[DesiredProfile], *, parts: tuple[int, ...]) -> Setting:
    """The setting as the judge is to have it: for these parts of the probe our own profiles were taken away."""
    gone = {row.profile_id for row in rows}
    standing = (
        replace(item, without=(*item.without, *parts)) if _id(item) in gone else item
        for item in setting.standing
    )
    return replace(setting, standing=tuple(standing))


def _id(item: Standing) -> int:
    return int(item.profile.get("chargingProfileId", item.profile.get("id", 0)))
