"""What stands on a station before a probe, whether our records explain it, and putting it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from portal.compliance.checks import composites, readings
from portal.compliance.checks.composites import Reported, Tolerance
from portal.compliance.checks.readings import Setting, Standing
from portal.compliance.conversation import Conversation, Stopped
from portal.compliance.listing import OF_OTHERS
from smartcharging.domain import asking
from smartcharging.domain.judging import StationFacts
from smartcharging.domain.listed import ListedProfile
from smartcharging.domain.profiles import Unit
from smartcharging.models import DesiredProfile, ReportedSchedule
from smartcharging.services import look_again
from smartcharging.standing import (
    UNCERTAIN,
    abilities_of,
    beside,
    facts_of,
    profile_of,
    standing_profiles,
)
from stations.models import Command, Station

BEFORE_S = 86_400  # a profile of someone else may count at night only
PROBED_S = 7_200  # the probe's own profiles lie well within
SETTLE_S = 20.0
PUT_BACK_AGAIN_S = (
    0,
    3,
    10,
)  # a station that is busy refuses; the probe does not leave it so at the first word


def unit_of(station: Station) -> Unit:
    """A where the station takes it or does not say, else W."""
    units = abilities_of(station).units
    if "A" in units or not units:
        return "A"
    return "W"


def wait_until_settled(talk: Conversation) -> None:
    """Limits of our own that are on their way arrive first: a probe between them would judge a moving target."""
    until = talk.now() + timedelta(seconds=SETTLE_S)
    moving = DesiredProfile.objects.filter(station=talk.station, settled_at__isnull=True).exclude(
        state=DesiredProfile.State.CLEARED
    )
    while moving.exists():
        if talk.now() >= until:
            raise Stopped("probe.limits_moving")
        talk.watch()
        talk.sleep(0.5)


def capture(talk: Conversation, evses: tuple[int, ...], unit: Unit, *, code: str) -> dict[int, Reported]:
    """The composite of the coming day, of the station and of each EVSE."""
    seen = {}
    for evse in (0, *evses):
        seen[evse] = read_composite(talk, evse, unit, BEFORE_S)[0]
        talk.note(code, {"evse": evse}, holds=seen[evse].is_readable or None)
    return seen


def read_composite(talk: Conversation, evse: int, unit: Unit, duration_s: int) -> tuple[Reported, Command]:
    version = talk.station.ocpp_version
    payload = asking.get_composite_schedule(evse=evse, duration_s=duration_s, unit=unit, ocpp=version)
    command = talk.ask("GetCompositeSchedule", payload)
    at = command.answered_at or talk.now()
    answer = {"status": "Rejected"} if command.state == Command.State.FAILED else command.response
    return composites.seen(answer, version=version, unit=unit, at=at, asked_s=duration_s), command


# ---------------------------------------------------------------- is it ours?
def setting_of(
    station: Station, evses: tuple[int, ...], facts: StationFacts, unit: Unit, *, now: datetime
) -> Setting:
    """The station as the judge wants it, with what our records say stands on it. The ceiling is the hardware's."""
    ours = [Standing(row.evse_number, _wire_profile(row, station)) for row in standing_profiles(station)]
    return Setting(
        version=station.ocpp_version,
        evses=evses,
        phases=facts.phases,
        unit=unit,
        ceiling=min(_hardware(facts, evse, unit).free for evse in evses),
        standing=(*ours, *_limits_of_others(station, now)),
        transactions=facts.transactions,
    )


def _limits_of_others(station: Station, now: datetime) -> Iterator[Standing]:
    """What others limit on a 2.x station, as it told (K11, K12): they stand beside the probe's profiles."""
    version = station.ocpp_version
    for item in beside(station, now).installed:
        if item.profile.purpose in OF_OTHERS:
            payload = asking.set_charging_profile(item.profile, evse=item.evse, ocpp=version)
            yield Standing(item.evse, payload["chargingProfile"])


def _wire_profile(row: DesiredProfile, station: Station) -> dict[str, Any]:
    payload = set_payload(row, station)
    profile = payload.get("csChargingProfiles") or payload["chargingProfile"]
    return cast(dict[str, Any], profile)


def set_payload(row: DesiredProfile, station: Station) -> dict[str, Any]:
    version = station.ocpp_version
    return asking.set_charging_profile(profile_of(row, version), evse=row.evse_number, ocpp=version)


def _hardware(facts: StationFacts, evse: int, unit: str) -> Tolerance:
    """What an EVSE (0: the station) can do without any profile, by our master data."""
    sockets = dict(facts.sockets)
    sockets_a = sockets.get(evse, facts.connection_a) if evse else sum(sockets.values())
    limit_a = min(sockets_a, facts.connection_a)
    phases = facts.phases
    return Tolerance(
        within=readings.convert(0.1, unit="A", to=unit, phases=phases),
        free=readings.convert(limit_a, unit="A", to=unit, phases=phases),
    )


def is_known_empty(station: Station, setting: Setting, listed: Sequence[ListedProfile] | None) -> bool:
    """Whether no profile stands on the station, known by more than a composite that it rejects.

    Some stations reject the question for a composite while they hold no profile. In 2.x the station lists none. In 1.6
    it must have answered the question before: it does so while a profile stands, so one of someone else would show.
    Without either nobody knows what the probe would overwrite.
    """
    may_stand = DesiredProfile.objects.filter(station=station, state__in=UNCERTAIN)
    if setting.standing or may_stand.exists():
        return False
    if listed is not None:
        return not listed
    answered = (ReportedSchedule.State.READ, ReportedSchedule.State.OTHER_UNIT)
    return ReportedSchedule.objects.filter(station=station, state__in=answered).exists()


def refuse_what_is_not_ours(
    setting: Setting, facts: StationFacts, before: dict[int, Reported], *, is_empty: bool = False
) -> None:
    """Raise Stopped where a composite is not readable, or not explained by our records under any legal reading.

    In 1.6 profiles of others cannot be read, and the probe would overwrite them (requirements.md, 206). Some stations
    reject the question for connector 0; the EVSEs then have to do. `is_empty`: it is known that no profile stands, so
    a question that is rejected for that is no obstacle.
    """
    for evse, reported in before.items():
        if not reported.is_readable:
            if reported.state == "rejected" and (evse == 0 or is_empty):
                continue
            may_learn = reported.state == "rejected" and not setting.standing
            code = "probe.rejects_composite" if may_learn else "probe.no_composite"
            raise Stopped(code, evse=evse, state=reported.state)
        if not is_explained(setting, facts, evse, reported):
            ours = _expected(setting, evse, reported, next(readings.legal(setting)))
            code = "probe.not_explained" if _words(ours) else "probe.not_ours"
            raise Stopped(code, evse=evse, reported=_words(reported) or "-", expected=_words(ours))


def is_explained(setting: Setting, facts: StationFacts, evse: int, reported: Reported) -> bool:
    tolerance = _hardware(facts, evse, reported.unit or setting.unit)
    return any(
        composites.first_difference(_expected(setting, evse, reported, reading), reported, tolerance) is None
        for reading in readings.legal(setting)
    )


def _expected(setting: Setting, evse: int, reported: Reported, reading: readings.Reading) -> Reported:
    return readings.composite_of(setting, evse=evse, reported=reported, reading=reading)


def _words(reported: Reported) -> str:
    """The first limits of a composite, for people: "10 A, 16 A"; empty where it names none."""
    limits = dict.fromkeys(period.limit for period in reported.periods[:4] if period.limit is not None)
    return ", ".join(f"{limit:g} {reported.unit}" for limit in limits)


def ceiling_of(setting: Setting, before: dict[int, Reported]) -> float:
    """The lowest limit that stands or that the hardware has: the probe stays below it everywhere (safety of 206)."""
    lowest = [setting.ceiling]
    for reported in before.values():
        limit = reported.lowest(within_s=PROBED_S)
        if limit is not None:
            lowest.append(readings.convert(limit, unit=reported.unit, to=setting.unit, phases=setting.phases))
    return min(lowest)


# ---------------------------------------------------------------- putting back
def withdraw(talk: Conversation, rows: list[DesiredProfile]) -> None:
    """Take profiles of our own away for as long as the probe needs their place. Remembered first, then cleared."""
    for row in rows:
        kept = {"profile_id": row.profile_id, "payload": set_payload(row, talk.station)}
        talk.remember(withdrawn=[*talk.probe.before.get("withdrawn", []), kept])
        command = clear(talk, row.profile_id)
        talk.note("step.withdraw", {"profile": row.profile_id}, holds=command.state == Command.State.ACCEPTED)


def clear(talk: Conversation, profile_id: int) -> Command:
    """Clear one profile by its exact id; what the probe may have left is one less, unless the station could not."""
    payload = asking.clear_charging_profile(profile_id, ocpp=talk.station.ocpp_version)
    command = talk.ask("ClearChargingProfile", payload)
    left = talk.probe.before.get("left", [])
    # Refused is Unknown: it was not there any more, or had never come.
    if command.state != Command.State.FAILED and profile_id in left:
        talk.remember(left=[other for other in left if other != profile_id])
    return command


def put_back(talk: Conversation) -> None:
    """Set again what was taken away, and clear by exact id what the probe may have left. Safe to repeat."""
    for profile_id in list(talk.probe.before.get("left", [])):
        if clear(talk, profile_id).state == Command.State.ACCEPTED:
            talk.note("step.tidy", {"profile": profile_id}, holds=True)
    for kept in list(talk.probe.before.get("withdrawn", [])):
        if not _is_still_wanted(talk.station, kept):
            talk.remember(withdrawn=[other for other in talk.probe.before["withdrawn"] if other != kept])
            continue
        command = talk.ask("SetChargingProfile", kept["payload"])
        holds = command.state == Command.State.ACCEPTED
        talk.note("step.put_back", {"profile": kept["profile_id"]}, holds=holds)
        if holds:
            talk.remember(withdrawn=[other for other in talk.probe.before["withdrawn"] if other != kept])


def _is_still_wanted(station: Station, kept: dict[str, Any]) -> bool:
    """Whether nobody withdrew or replaced the limit meanwhile; what is newer is on its way by itself."""
    rows = DesiredProfile.objects.filter(station=station, profile_id=kept["profile_id"])
    newest = rows.order_by("-version").first()
    if newest is None:
        return True
    return newest.withdrawn_at is None and set_payload(newest, station) == kept["payload"]


def restore(talk: Conversation) -> bool:
    """Bring back what stood before the probe, read it, and say whether it is the same. Never stops half-way for a
    car or a person; raises Lost where the station is gone, and can be called again."""
    talk.guarded = False
    before = {int(evse): composites.from_json(item) for evse, item in talk.probe.before["composites"].items()}
    for wait_s in PUT_BACK_AGAIN_S:
        talk.sleep(wait_s) if wait_s else None
        put_back(talk)
        if not (talk.probe.before.get("left") or talk.probe.before.get("withdrawn")):
            break
    evses = tuple(evse for evse in before if evse)
    unit = cast(Unit, talk.probe.before["unit"])
    after = capture(talk, evses, unit, code="step.after")
    facts = facts_of(talk.station, talk.now())
    restored = not talk.probe.before.get("left") and not talk.probe.before.get("withdrawn")
    for evse, reported in after.items():
        tolerance = _hardware(facts, evse, reported.unit)
        same = composites.same_composite(before[evse], reported, tolerance)
        restored = restored and (same or _explained_by_change(talk, evses, facts, evse, reported))
    talk.remember(after={str(evse): composites.to_json(item) for evse, item in after.items()})
    talk.note("step.restored" if restored else "step.not_restored", holds=restored)
    talk.save(restored=restored)
    if not restored:
        look_again(talk.station)
    return restored


def _explained_by_change(
    talk: Conversation, evses: tuple[int, ...], facts: StationFacts, evse: int, reported: Reported
) -> bool:
    """Whether someone set or withdrew a limit during the probe, or a session began or ended, and that explains it."""
    unit = cast(Unit, talk.probe.before["unit"])
    setting = setting_of(talk.station, evses, facts, unit, now=talk.now())
    stood = talk.probe.before.get("standing", [])
    stands = [[item.evse, dict(item.profile)] for item in setting.standing]
    sessions = talk.probe.before.get("transactions", [])
    runs = [str(item.id) for item in setting.transactions]
    return (stands, runs) != (stood, sessions) and is_explained(setting, facts, evse, reported)
