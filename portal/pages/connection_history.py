"""What the page of a connection shows: days, answer times, silences, boots. Reads only; `now` is passed in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.pages.charts import Drawing, Label, Mark, Path, Shape, box, day_of, label, line
from portal.templatetags.measures import rounded, short_day
from stations.events import Kind
from stations.history import Percentiles, percentiles
from stations.models import Command, ConnectionSpan, Event, Frame, MeterReading, Station

DAYS = 30
MOST_SPANS = 5000
MOST_COMMANDS = 5000
MOST_FRAMES = 4000
MOST_SILENCES = 5
MOST_EVENTS = 30
OURS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time without a connection, or without a message within one; `end` None: still."""

    start: datetime
    end: datetime | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Day:
    """A local day; `share` None: nothing is known of it. A day that is not over counts up to now."""

    start: datetime
    share: float | None
    connections: int
    silence_s: float | None


@dataclass(frozen=True, slots=True)
class AnswerTime:
    action: str
    times: Percentiles


@dataclass(frozen=True, slots=True)
class Happened:
    """A boot, a change of version, or a frame that could not be read."""

    at: datetime
    kind: str
    data: dict[str, str]


@dataclass(frozen=True, slots=True)
class History:
    days: list[Day]
    share: float | None  # of all that is known
    spans: list[ConnectionSpan]
    offline: list[Stretch]
    quiet: list[Stretch]
    asked: list[AnswerTime]
    ours: list[AnswerTime]
    happened: list[Happened]
    bad_frames: int
    clock: ConnectionSpan | None


def history_of(station: Station, *, now: datetime) -> History:
    """Nine queries, whatever the station went through; each is bounded."""
    start = day_of(now - timedelta(days=DAYS - 1))[0]
    spans = spans_of(station, start, now)
    days = days_of(spans, start=start, now=now)
    known = [day for day in days if day.share is not None]
    happened = _happened(station, start)
    return History(
        days=days,
        share=sum(day.share or 0 for day in known) / len(known) if known else None,
        spans=spans,
        offline=_longest(_between(spans, now)),
        quiet=_longest(_quiet(station, now)),
        asked=_asked(station, start),
        ours=_ours(station, now),
        happened=[one for one in happened if one.kind != Kind.BAD_FRAME][:MOST_EVENTS],
        bad_frames=sum(one.kind == Kind.BAD_FRAME for one in happened),
        clock=next((span for span in spans if span.clock_seen_at is not None), None),
    )


def spans_of(station: Station, start: datetime, now: datetime) -> list[ConnectionSpan]:
    """Those that reach into the time from `start` on, the newest first, and the one before them, if it is kept."""
    rows = ConnectionSpan.objects.filter(station=station, connected_at__lte=now).order_by("-connected_at")
    found: list[ConnectionSpan] = []
    for span in rows[:MOST_SPANS]:
        found.append(span)
        if span.connected_at < start:
            break
    return found


# ---------------------------------------------------------------- days


def days_of(spans: Sequence[ConnectionSpan], *, start: datetime, now: datetime) -> list[Day]:
    """Each local day from `start` on, the newest first; known from the first connection on that is kept."""
    if not spans:
        return [Day(at, None, 0, None) for at, _end in _days(start, now)]
    known_from = spans[-1].connected_at
    merged = _merged(spans, now)
    days = []
    for opens, closes in _days(start, now):
        begin, end = max(opens, known_from), min(closes, now)
        if end <= begin:
            days.append(Day(opens, None, 0, None))
            continue
        held = [(max(a, begin), min(b, end)) for a, b in merged if a < end and b > begin]
        here_s = sum((b - a).total_seconds() for a, b in held)
        whole_s = (end - begin).total_seconds()
        count = sum(opens <= span.connected_at < closes for span in spans)
        days.append(Day(opens, min(1.0, here_s / whole_s), count, _longest_gap(held, begin, end)))
    return days


def _days(start: datetime, now: datetime) -> Iterable[tuple[datetime, datetime]]:
    days = []
    opens, closes = day_of(start)
    while opens <= now:
        days.append((opens, closes))
        opens, closes = day_of(closes)
    return reversed(days)


def _merged(spans: Sequence[ConnectionSpan], now: datetime) -> list[tuple[datetime, datetime]]:
    merged: list[tuple[datetime, datetime]] = []
    for span in reversed(spans):
        end = span.disconnected_at or now
        if merged and span.connected_at <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((span.connected_at, end))
    return merged


def _longest_gap(held: list[tuple[datetime, datetime]], begin: datetime, end: datetime) -> float:
    edges = [begin, *(moment for stretch in held for moment in stretch), end]
    return max((b - a).total_seconds() for a, b in zip(edges[::2], edges[1::2], strict=True))


# ---------------------------------------------------------------- silences


def _between(spans: Sequence[ConnectionSpan], now: datetime) -> list[Stretch]:
    merged = _merged(spans, now)
    gaps = [Stretch(a[1], b[0], (b[0] - a[1]).total_seconds()) for a, b in pairwise(merged)]
    if merged and spans[0].disconnected_at is not None:
        gaps.append(Stretch(merged[-1][1], None, (now - merged[-1][1]).total_seconds()))
    return gaps


def _quiet(station: Station, now: datetime) -> list[Stretch]:
    """Between two messages of the station in the last day."""
    since = now - OURS
    frames = Frame.objects.filter(station=station, at__gte=since, direction=Frame.Direction.IN)
    readings = MeterReading.objects.filter(station=station, received_at__gte=since).exclude(message="")
    heard = sorted(
        {
            *frames.order_by("-at").values_list("at", flat=True)[:MOST_FRAMES],
            *readings.order_by("-received_at").values_list("received_at", flat=True)[:MOST_FRAMES],
        }
    )
    gaps = [Stretch(a, b, (b - a).total_seconds()) for a, b in pairwise(heard)]
    return [*gaps, Stretch(heard[-1], None, (now - heard[-1]).total_seconds())] if heard else []


def _longest(stretches: list[Stretch]) -> list[Stretch]:
    return sorted(stretches, key=lambda one: -one.seconds)[:MOST_SILENCES]


# ---------------------------------------------------------------- answers


def _asked(station: Station, start: datetime) -> list[AnswerTime]:
    """How long the station took to answer our questions, by action."""
    rows = Command.objects.filter(station=station, sent_at__gte=start, answered_at__isnull=False)
    times: dict[str, list[float]] = defaultdict(list)
    for action, sent, answered in rows.order_by("-pk").values_list("action", "sent_at", "answered_at")[
        :MOST_COMMANDS
    ]:
        times[action].append(max(0.0, (answered - sent).total_seconds() * 1000))
    return _by_action(times)


def _ours(station: Station, now: datetime) -> list[AnswerTime]:
    """How long the station's questions of the last day waited for our answer, but for the commit."""
    rows = Frame.objects.filter(station=station, at__gte=now - OURS).exclude(kind=Frame.Kind.BROKEN)
    newest = rows.order_by("-at", "-pk").values_list("direction", "kind", "action", "message_id", "at")
    answered: dict[str, datetime] = {}
    times: dict[str, list[float]] = defaultdict(list)
    for direction, kind, action, message_id, at in newest[:MOST_FRAMES]:
        if direction == Frame.Direction.OUT and kind != Frame.Kind.CALL:
            answered[message_id] = at
        elif direction == Frame.Direction.IN and kind == Frame.Kind.CALL and message_id in answered:
            times[action].append(max(0.0, (answered.pop(message_id) - at).total_seconds() * 1000))
    return _by_action(times)


def _by_action(times: dict[str, list[float]]) -> list[AnswerTime]:
    return [
        AnswerTime(action, found)
        for action, taken in sorted(times.items())
        if (found := percentiles(taken)) is not None
    ]


# ---------------------------------------------------------------- what happened


def _happened(station: Station, start: datetime) -> list[Happened]:
    rows = Event.objects.filter(station=station, kind__in=("bad_frame", "booted", "ocpp_changed"))
    newest = rows.order_by("-pk").values_list("recorded_at", "kind", "data")[:MOST_FRAMES]
    return [Happened(at, kind, data) for at, kind, data in newest if at >= start]


# ---------------------------------------------------------------- the picture

LEFT, TOP, HIGH, FOOT = 46, 14, 120, 26


def day_drawing(days: Sequence[Day], shape: Shape) -> Drawing:
    """A column for each day, from left (oldest) to right; an empty frame is a day of which nothing is known."""
    width = 800 if shape == "wide" else 340
    step = (width - LEFT - 4) / max(1, len(days))
    marks: list[Mark] = []
    for share in (0, 50, 100):
        y = TOP + HIGH * (1 - share / 100)
        marks += [
            line("axis" if share == 0 else "grid", LEFT, y, width - 4, y),
            label("t-end", LEFT - 8, y + 4, f"{share}%"),
        ]
    for place, day in enumerate(reversed(days)):
        marks += _column(day, LEFT + place * step, step)
        every = 5 if shape == "wide" else 10
        if place % every == 0:
            marks.append(_date(day, LEFT + place * step + step / 2))
    return Drawing(f"days-{shape}", shape, width, TOP + HIGH + FOOT, summary_of(days), tuple(marks))


def _column(day: Day, x: float, step: float) -> list[Mark]:
    width = step * 0.72
    if day.share is None:
        return [box("lose", x, TOP + HIGH - 6, width, 6)]
    missing = HIGH * (1 - day.share)
    marks: list[Mark] = []
    if missing >= 0.5:
        marks.append(box("over-band", x, TOP, width, missing))
    if day.share > 0:
        marks.append(box("flow", x, TOP + missing, width, HIGH - missing))
    return marks


def _date(day: Day, x: float) -> Label | Path:
    local = timezone.localtime(day.start)
    return label("t-mid", x, TOP + HIGH + 18, f"{local.day}-{local.month}")


def summary_of(days: Sequence[Day]) -> str:
    """The finding in a sentence."""
    known = [day for day in days if day.share is not None]
    if not known:
        return _("Nothing is known yet of the connection of this station.")
    worst = min(known, key=lambda day: day.share or 0)
    mean = sum(day.share or 0 for day in known) / len(known)
    return _(
        "Reachable %(mean)s%% of the time that is known; the worst day was %(day)s with %(worst)s%%."
    ) % {
        "mean": rounded(mean * 100, 1),
        "day": short_day(worst.start),
        "worst": rounded((worst.share or 0) * 100, 1),
    }
