"""What a 2.x station itself says that it holds, before a probe: GetChargingProfiles (2.0.1 K09).

A composite schedule does not show everything: a TxDefaultProfile may be left out while no car charges. The list does,
so a profile of someone else is seen there, and never overwritten. 1.6 has no such question.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from portal.compliance.conversation import Conversation, Stopped
from smartcharging import profile_lists
from smartcharging.domain.listed import ListedProfile
from smartcharging.domain.profiles import Purpose
from smartcharging.standing import PROBE_IDS, ids_of_ours
from stations.models import Command, Event

ACTION = "GetChargingProfiles"
# The answer says that a list will come; its parts come as messages of the station.
PARTS_WAIT_S = 15.0
LAST_REQUEST_ID = 699_999  # from there on they are those of what sends the limits
# Set by others than a CSMS, and told apart from its profiles: a probe cannot overwrite these.
OF_OTHERS = frozenset({Purpose.EXTERNAL_CONSTRAINTS, Purpose.LOCAL_GENERATION})


def listed_profiles(talk: Conversation) -> list[ListedProfile] | None:
    """Every profile on the station by its own word; None where it has no word for that, or did not finish."""
    if talk.station.ocpp_version == "1.6":
        return None
    request_id = 1 + talk.probe.pk % LAST_REQUEST_ID
    newest = Event.objects.filter(station=talk.station).order_by("-pk").values_list("pk", flat=True).first()
    # No evseId: those of the station and of every EVSE (K09.FR.05).
    command = talk.ask(ACTION, {"requestId": request_id, "chargingProfile": {}})
    answer = (command.response or {}).get("status")
    found: list[ListedProfile] | None = None
    if answer == "NoProfiles":
        found = []
    elif command.state == Command.State.ACCEPTED:
        found = _parts(talk, request_id, after=newest or 0)
    if found is None:
        talk.note("step.no_list")
    else:
        talk.note("step.list", {"count": len(found)}, holds=True)
    return found


def _parts(talk: Conversation, request_id: int, *, after: int) -> list[ListedProfile] | None:
    """The profiles of all parts; None where the last did not come in time, or one was too large to keep."""
    until = talk.now() + timedelta(seconds=PARTS_WAIT_S)
    told = profile_lists.parts_of(talk.station.pk, request_id, after=after)
    while not profile_lists.has_ended(told):
        if talk.now() >= until:
            return None
        talk.watch()
        talk.sleep(0.2)
    parts = [event.data for event in told[: profile_lists.MOST_PARTS + 1]]
    if len(parts) > profile_lists.MOST_PARTS:
        return None
    if any(part.get("left_out") for part in parts):
        return None
    return [
        ListedProfile(part.get("evse") or 0, str(part.get("source", "")), profile)
        for part in parts
        for profile in part.get("profiles", [])
    ]


def refuse_foreign(talk: Conversation, listed: Sequence[ListedProfile]) -> None:
    """Raise Stopped where the station holds a profile that neither we nor a probe set."""
    ours = ids_of_ours(talk.station)
    for item in listed:
        purpose = str(item.wire.get("chargingProfilePurpose", ""))
        is_probes = item.id in PROBE_IDS
        if purpose not in OF_OTHERS and item.id not in ours and not is_probes:
            raise Stopped("probe.foreign", profile=item.id, purpose=purpose, evse=item.evse)
