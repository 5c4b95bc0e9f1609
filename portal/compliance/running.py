"""Running a live probe to its end, and picking up one whose runner died.

In every case the station is restored: after a verdict, after a stop, after an error of ours, and, when the process
died in the middle, by the next process from what the row remembers.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from portal.compliance import evidence, restoring
from portal.compliance.checks import CHECKS
from portal.compliance.checks.findings import Figure, Finding
from portal.compliance.conversation import Conversation, Lost, Stopped
from portal.compliance.equipment import configuration_of
from portal.compliance.models import Evidence, Probe
from portal.compliance.probes import PROBES, Probing, State
from portal.compliance.sentences import RESTORED_NAME, RESTORED_RULE, say_in_english
from stations import presence
from stations.models import Frame
from stations.nudges import nudge_pages

logger = logging.getLogger(__name__)

DEAD_AFTER_S = 60
# The frame log is written beside the answers; evidence waits this long for its last frames.
FRAMES_WAIT_S = 5.0
TRANSACTION_ID = re.compile(r'(?P<key>"transactionId"\s*:\s*)(?P<id>"[^"]*"|-?\d+)')

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]


def run(probe_id: int, *, clock: Clock = timezone.now, sleep: Sleep = time.sleep) -> None:
    """Run a queued probe to its end. Safe to call twice: only one call gets the row."""
    now = clock()
    claimed = Probe.objects.filter(pk=probe_id, state=State.QUEUED).update(
        state=State.RUNNING, started_at=now, heartbeat_at=now
    )
    if not claimed:
        return
    talk = Conversation(_load(probe_id), clock, sleep)
    probing = PROBES[talk.probe.requirement.code](talk)
    stop = _go(talk, probing)
    _finish(talk, probing, stop)


def _load(probe_id: int) -> Probe:
    rows = Probe.objects.select_related("station__site__concession", "station__site__operator")
    probe: Probe = rows.select_related("requirement__requirement_set", "requested_by").get(pk=probe_id)
    return probe


def _go(talk: Conversation, probing: Probing) -> Stopped | None:
    """The probe itself; None where it came to its end, else why it stopped."""
    try:
        if not presence.is_online(talk.station.pk, talk.now()):
            raise Stopped("probe.offline")
        probing.run()
    except Stopped as stop:
        return stop
    except Exception as error:  # whatever went wrong here, the station must be restored
        logger.exception("Probe %s stopped on an error", talk.probe.pk)
        return Stopped("probe.broken", error=type(error).__name__)
    return None


def _finish(talk: Conversation, probing: Probing, stop: Stopped | None) -> None:
    if stop is not None:
        talk.remember(stopped={"code": stop.code, "values": stop.values})
    if "composites" in talk.probe.before and not _restore(talk):
        return  # the station is gone; recover() goes on when it is back
    if stop is None and not _end_with_evidence(talk, probing):
        stop = Stopped("probe.no_frames")
        talk.remember(stopped={"code": stop.code, "values": stop.values})
    if stop is not None:
        _end_without_verdict(talk)


def _restore(talk: Conversation) -> bool:
    """False: the station does not answer, so the row stays as it is, to be restored later."""
    talk.save(state=State.RESTORING)
    try:
        restoring.restore(talk)
    except Lost:
        talk.remember(stopped=talk.probe.before.get("stopped") or {"code": "probe.interrupted", "values": {}})
        return False
    return True


def _end_without_verdict(talk: Conversation) -> None:
    stopped = talk.probe.before["stopped"]
    state = State.CANCELLED if stopped["code"] == "probe.cancelled" else State.NOT_RUN
    reason = say_in_english(stopped["code"], stopped["values"])
    if talk.probe.restored is False:
        reason = f"{reason} {say_in_english('step.not_restored')}."
    talk.save(state=state, reason=reason, ended_at=talk.now())


def _end_with_evidence(talk: Conversation, probing: Probing) -> bool:
    """Verdict, evidence, judgement and the end of the probe: all of it or nothing. False: frames are missing, and
    what did not demonstrably come through the socket is no evidence."""
    finding = probing.judge()
    frames = _frames(talk)
    if _unheard(talk, frames):
        return False
    now = talk.now()
    with transaction.atomic():
        row = evidence.append(_exhibit(talk, probing, finding, frames, now), now=now)
        Probe.objects.filter(pk=talk.probe.pk).update(
            state=State.DONE,
            verdict=row.verdict,
            reason=row.reason,
            evidence=row,
            ended_at=now,
            heartbeat_at=now,
        )
        nudge_pages([talk.station.pk])
    return True


def _unheard(talk: Conversation, frames: list[dict[str, Any]]) -> set[str]:
    """Message ids whose question or answer is not among the frames."""
    there = {(frame["message_id"], frame["direction"]) for frame in frames}
    return {
        message_id
        for message_id in talk.message_ids
        if not {(message_id, Frame.Direction.OUT), (message_id, Frame.Direction.IN)} <= there
    }


def _frames(talk: Conversation) -> list[dict[str, Any]]:
    """Question and answer of everything that was asked, as soon as the frame log has them."""
    until = talk.now() + timedelta(seconds=FRAMES_WAIT_S)
    frames = evidence.frames_of(talk.station, talk.message_ids)
    while _unheard(talk, frames) and talk.now() < until:
        talk.sleep(0.2)
        frames = evidence.frames_of(talk.station, talk.message_ids)
    return list(_without_sessions(frames))


def _without_sessions(frames: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The frames with transactions numbered anew: a TxProfile names one, and evidence tells of no driver's session."""
    names: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        number = names.setdefault(found["id"].strip('"'), len(names) + 1)
        return found["key"] + (f'"{number}"' if found["id"].startswith('"') else str(number))

    for frame in frames:
        yield {**frame, "text": TRANSACTION_ID.sub(numbered, frame["text"])}


def _exhibit(
    talk: Conversation,
    probing: Probing,
    finding: Finding,
    frames: list[dict[str, Any]],
    now: datetime,
) -> evidence.Exhibit:
    probe, station = talk.probe, talk.station
    station.refresh_from_db(fields=["firmware", "vendor", "model", "ocpp_version"])
    restored = Figure(
        "restored", RESTORED_NAME, str(bool(probe.restored)).lower(), "", RESTORED_RULE, probe.restored
    )
    return evidence.Exhibit(
        requirement=probe.requirement,
        concession=station.site.concession,
        operator=station.site.operator,
        station=station,
        method=Evidence.Method.PROBE,
        verdict=finding.verdict,
        code=finding.code,
        values=finding.values,
        figures=[figure.as_json() for figure in (*finding.figures, restored)],
        window=(probe.started_at or now, now),
        engine=CHECKS[probe.requirement.code].engine,
        steps=probing.steps_json(finding),
        frames=frames,
        configuration={
            "probe": probing.setup_json(),
            "before": probe.before["composites"],
            "after": probe.before["after"],
            "restored": probe.restored,
            **configuration_of(station),
        },
    )


# ---------------------------------------------------------------- after a crash
def recover(*, clock: Clock = timezone.now, sleep: Sleep = time.sleep) -> int:
    """Restore the stations of probes whose runner died, or that were lost and are back. Returns how many were taken."""
    now = clock()
    dead = Probe.objects.filter(
        state__in=(State.RUNNING, State.RESTORING), heartbeat_at__lt=now - timedelta(seconds=DEAD_AFTER_S)
    )
    taken = 0
    for probe_id, heartbeat_at, station_id in list(dead.values_list("pk", "heartbeat_at", "station_id")):
        if not presence.is_online(station_id, now):
            continue  # it keeps the probe's profiles until they end or it is back
        claimed = Probe.objects.filter(pk=probe_id, heartbeat_at=heartbeat_at).update(
            state=State.RESTORING, heartbeat_at=now
        )
        if claimed:
            taken += 1
            _take_up(Conversation(_load(probe_id), clock, sleep))
    return taken


def _take_up(talk: Conversation) -> None:
    before = talk.probe.before
    talk.remember(stopped=before.get("stopped") or {"code": "probe.interrupted", "values": {}})
    if "composites" not in before or _restore(talk):
        _end_without_verdict(talk)
