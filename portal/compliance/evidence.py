"""Evidence: append-only rows, each with the SHA-256 of what it says and of the row before it in its concession.

What is hashed is canonical JSON: keys sorted, no spaces, times in UTC with microseconds, numbers written one way only
(both databases give them back alike). Rows are named by primary key, since a slug may change; the names as they were
stand in `configuration`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from portal.compliance.judgement import update_judgement
from portal.compliance.models import Evidence, Probe, Requirement
from portal.compliance.sentences import say_in_english
from stations.models import Concession, Frame, Operator, Station
from stations.ocpp.masking import MASK

FIRST_HASH = "0" * 64
TRIES = 10
# Hashed as they are; the relations beside them go by primary key.
FIELDS = (
    "sequence",
    "method",
    "verdict",
    "reason",
    "figures",
    "window_start",
    "window_end",
    "steps",
    "frames",
    "firmware",
    "configuration",
    "engine",
    "created_at",
    "previous_hash",
)
RELATIONS = ("concession_id", "requirement_id", "operator_id", "station_id")
TOKEN_KEYS = frozenset({"idtag", "idtoken", "parentidtag", "groupidtoken"})


class TokenInEvidence(ValueError):
    """A frame with a token in it was about to become evidence. It names the frame, never the token."""


class NoFrames(ValueError):
    """What was measured or read must show the frames by which it came through a socket."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is to become one piece of evidence. `code` and `values` are its sentence (sentences.py).

    `firmware` is what the station ran in the window, "" where that is not known; None: what it runs now.
    """

    requirement: Requirement
    concession: Concession
    operator: Operator
    station: Station | None
    method: str
    verdict: str
    code: str
    values: Mapping[str, Any]
    figures: Sequence[Mapping[str, Any]]
    window: tuple[datetime, datetime]
    engine: str
    steps: Sequence[Mapping[str, Any]] = ()
    frames: Sequence[Mapping[str, Any]] = ()
    configuration: Mapping[str, Any] = field(default_factory=dict)
    firmware: str | None = None


# ---------------------------------------------------------------- writing
def append(exhibit: Exhibit, *, now: datetime) -> Evidence:
    """Add a link to the chain of its concession and bring the judgement up to date, in one transaction.

    Two at once: the database refuses the second place in the chain, and the loser tries again behind the winner.
    Raises TokenInEvidence, and NoFrames for anything but a declaration that rests on none.
    """
    if exhibit.method != Evidence.Method.DECLARATION and not exhibit.frames:
        raise NoFrames(f"{exhibit.requirement.code}: a {exhibit.method} without frames")
    _refuse_tokens(exhibit.frames)
    with transaction.atomic():
        evidence = _link(exhibit, now)
        update_judgement(
            concession=exhibit.concession,
            requirement=exhibit.requirement,
            operator=exhibit.operator,
            station=exhibit.station,
            now=now,
        )
    return evidence


def _link(exhibit: Exhibit, now: datetime) -> Evidence:
    for attempt in range(TRIES):
        last = Evidence.objects.filter(concession=exhibit.concession).order_by("-sequence").first()
        row = _row(exhibit, now)
        row.sequence = last.sequence + 1 if last else 1
        row.previous_hash = last.hash if last else FIRST_HASH
        row.hash = hash_of(row)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if attempt == TRIES - 1:
                raise
        else:
            return row
    raise AssertionError("unreachable")


def _row(exhibit: Exhibit, now: datetime) -> Evidence:
    station = exhibit.station
    names = {
        "requirement": exhibit.requirement.code,
        "requirement_set": str(exhibit.requirement.requirement_set),
        "concession": exhibit.concession.slug,
        "operator": exhibit.operator.slug,
        "station": station.identity if station else None,
    }
    finding = {"code": exhibit.code, "values": dict(exhibit.values)}
    firmware = station.firmware if station else ""
    return Evidence(
        concession=exhibit.concession,
        requirement=exhibit.requirement,
        operator=exhibit.operator,
        station=station,
        method=exhibit.method,
        verdict=exhibit.verdict,
        reason=say_in_english(exhibit.code, exhibit.values),
        figures=[dict(figure) for figure in exhibit.figures],
        window_start=exhibit.window[0],
        window_end=exhibit.window[1],
        steps=[dict(step) for step in exhibit.steps],
        frames=[dict(frame) for frame in exhibit.frames],
        firmware=firmware if exhibit.firmware is None else exhibit.firmware,
        configuration={**exhibit.configuration, "subject": names, "finding": finding},
        engine=exhibit.engine,
        created_at=now,
    )


def _refuse_tokens(frames: Iterable[Mapping[str, Any]]) -> None:
    """Frames come masked (stations.ocpp.masking); this is the second lock on the same door."""
    for frame in frames:
        try:
            content = json.loads(frame["text"])
        except ValueError:
            continue
        if _has_token(content):
            raise TokenInEvidence(f"frame {frame['message_id']} ({frame['action']}) holds a token")


def _has_token(value: Any, key: str = "") -> bool:
    if isinstance(value, Mapping):
        return any(_has_token(item, name) for name, item in value.items() if name != "type")
    if isinstance(value, list):
        return any(_has_token(item, key) for item in value)
    is_token = key.lower() in TOKEN_KEYS or key == "idToken"
    return is_token and isinstance(value, str) and value not in {"", MASK}


def frames_of(station: Station, message_ids: Iterable[str]) -> list[dict[str, Any]]:
    """The frames of these questions and their answers, in the order of the socket, as evidence keeps them."""
    rows = Frame.objects.filter(station=station, message_id__in=list(message_ids)).order_by("at", "pk")
    return [
        {
            "at": timestamp(row.at),
            "direction": row.direction,
            "action": row.action,
            "message_id": row.message_id,
            "text": row.text,
        }
        for row in rows
    ]


# ---------------------------------------------------------------- hashing
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: one moment, one text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def hash_of(row: Evidence) -> str:
    content = {name: getattr(row, name) for name in (*FIELDS, *RELATIONS)}
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """`value` as JSON that depends on nothing but what it says."""
    return json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)  # PostgreSQL and SQLite need not give 16.0 back as they got it
    return str(value) if isinstance(value, str) else value


# ---------------------------------------------------------------- verifying
@dataclass(frozen=True, slots=True)
class BrokenLink:
    """The first place where a chain does not hold; `what` says how it shows, in English."""

    concession: str
    sequence: int
    evidence_id: int | None
    what: str

    def __str__(self) -> str:
        return f"{self.concession}, link {self.sequence}: {self.what}"


def verify(concession: Concession) -> BrokenLink | None:
    """Recompute the chain of `concession`; the first broken link, or None where every one holds.

    The chain itself cannot show that its last links were cut off; a finished probe whose evidence is gone does.
    """
    previous, sequence = FIRST_HASH, 0
    for row in Evidence.objects.filter(concession=concession).order_by("sequence", "pk").iterator():
        sequence += 1
        what = _fault(row, sequence, previous)
        if what:
            return BrokenLink(concession.slug, sequence, row.pk, what)
        previous = row.hash
    orphan = (
        Probe.objects.filter(
            station__site__concession=concession, state=Probe.State.DONE, evidence__isnull=True
        )
        .exclude(verdict="")
        .first()
    )
    if orphan is not None:
        return BrokenLink(concession.slug, sequence + 1, None, f"the evidence of probe {orphan.pk} is gone")
    return None


def _fault(row: Evidence, sequence: int, previous: str) -> str:
    if row.sequence != sequence:
        return f"link {sequence} is missing, {row.sequence} comes next"
    if row.previous_hash != previous:
        return "it does not follow the link before it"
    if row.hash != hash_of(row):
        return "its content is not what was hashed"
    return ""


def chain_end(concession: Concession) -> tuple[int, str]:
    """How many links there are, and the hash of the last."""
    rows = Evidence.objects.filter(concession=concession)
    last = rows.order_by("-sequence").first()
    return rows.count(), last.hash if last else FIRST_HASH
