"""The stack of a day: what has a period when, which of it decides, and beneath it what the hardware gives.

One line per profile, the limit of the whole first and the highest level on top; then the connection and the sockets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.pages.charts import Drawing, Span
from portal.pages.limits import Limits, Piece, Source
from portal.pages.stack_chart import StackChart, StackRow, stack_drawings
from portal.templatetags.measures import NBSP, ampere, clock
from smartcharging.domain.explain import Hardware, Outcome
from smartcharging.models import DesiredProfile
from stations.models import Station

MINUTE = timedelta(minutes=1)
ORDER = (DesiredProfile.Purpose.STATION_MAX, DesiredProfile.Purpose.TX, DesiredProfile.Purpose.TX_DEFAULT)


@dataclass(frozen=True, slots=True)
class Part:
    """Where a line has a limit of its own, and whether that limit decides."""

    start: datetime
    end: datetime
    limit_a: float
    wins: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A profile, the connection or a socket. `level` is empty for hardware."""

    source: Source
    name: str
    kind: str
    level: str
    parts: tuple[Part, ...]

    @property
    def periods(self) -> list[tuple[datetime, datetime, float]]:
        """Its limits over time, whether or not they decide."""
        found: list[tuple[datetime, datetime, float]] = []
        for part in self.parts:
            if found and found[-1][1:] == (part.start, part.limit_a):
                found[-1] = (found[-1][0], part.end, part.limit_a)
            else:
                found.append((part.start, part.end, part.limit_a))
        return found

    def wins_at(self, moment: datetime) -> bool:
        return any(part.wins and part.start <= moment < part.end for part in self.parts)


@dataclass(frozen=True, slots=True)
class Held:
    """What is in force, and the profiles that decide it; empty where the hardware does."""

    start: datetime
    end: datetime
    limit_a: float
    names: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: when, how much, whether it decides or who does, and where "why" is answered."""

    times: str
    limit: str
    wins: bool
    by: str
    url: str


@dataclass(frozen=True, slots=True)
class Stack:
    """The lines of a window, and what is in force.

    `why_url`: the page that answers why, of the station; `evse`: of which socket is asked, 0: of the whole.
    """

    start: datetime
    end: datetime
    lines: tuple[Line, ...]
    effective: tuple[Held, ...]
    why_url: str
    evse: int

    @property
    def table(self) -> Iterator[tuple[Line, list[Row]]]:
        """The drawing in rows, line by line."""
        for line in self.lines:
            yield (
                line,
                [
                    self._row(part.start, part.end, part.limit_a, wins=part.wins, socket=line.source.evse)
                    for part in line.parts
                ],
            )

    @property
    def held(self) -> list[Row]:
        """Its lowest row."""
        return [self._row(each.start, each.end, each.limit_a, by=each.names) for each in self.effective]

    def _row(
        self,
        start: datetime,
        end: datetime,
        limit_a: float,
        *,
        wins: bool = False,
        by: str = "",
        socket: int = 0,
    ) -> Row:
        url = self._why(start, end, socket)
        return Row(f"{clock(start)}–{self._until(end)}", ampere(limit_a), wins, by, url)

    def _until(self, end: datetime) -> str:
        return "24:00" if end == self.end else clock(end)

    def _why(self, start: datetime, end: datetime, socket: int) -> str:
        """Asks of the first whole minute within: the question knows no seconds."""
        at = start.replace(second=0, microsecond=0)
        if at < start and at + MINUTE < end:
            at += MINUTE
        # Not by localtime(), which takes twice as long: a day has hundreds of these.
        local = at.astimezone(timezone.get_default_timezone())
        return f"{self.why_url}?socket={socket or self.evse}&day={local:%d-%m-%Y}&time={local:%H:%M}"

    def _span(self, start: datetime, end: datetime, limit_a: float, socket: int = 0) -> Span:
        text = ampere(limit_a)
        said = {"limit": text, "start": clock(start), "end": self._until(end)}
        return Span(
            start,
            end,
            text,
            text.split(NBSP, maxsplit=1)[0],
            self._why(start, end, socket),
            _("Why %(limit)s from %(start)s to %(end)s?") % said,
        )

    @property
    def profiles(self) -> list[Line]:
        return [line for line in self.lines if line.source.desired is not None]

    def drawings(self, *, id: str, title: str, now: datetime | None) -> tuple[Drawing, Drawing]:  # noqa: A002 - of the SVG
        rows = [
            StackRow(
                level=line.level,
                name=line.name,
                wins_now=now is not None and line.wins_at(now),
                in_force=[self._span(*period, line.source.evse) for period in line.periods],
                wins=[
                    self._span(part.start, part.end, part.limit_a, line.source.evse)
                    for part in line.parts
                    if part.wins
                ],
            )
            for line in self.lines
        ]
        return stack_drawings(
            StackChart(
                id=id,
                title=title,
                start=self.start,
                end=self.end,
                rows=rows,
                effective=[self._span(each.start, each.end, each.limit_a) for each in self.effective],
                effective_text=_("In force"),
                now=now,
            )
        )


def stack_of(station: Station, limits: Limits, *, start: datetime, end: datetime, evse: int = 0) -> Stack:
    """The stack from `start` until `end`; `station` comes with its EVSEs prefetched, `limits` are those of `evse`."""
    letters = {each.number: each.letter for each in station.evses.all()}
    pieces = [piece for piece in limits.pieces if piece.start < end and piece.end > start]
    told = [_told_by(piece) for piece in pieces]
    sources = dict.fromkeys(source for by_source in told for source in by_source)
    lines = [
        _line(
            source,
            list(_parts([each.get(source) for each in told], pieces, start, end)),
            letters,
        )
        for source in sources
    ]
    shown = [line for line in lines if _is_shown(line)]
    effective = [
        Held(max(item.start, start), min(item.end, end), item.limit_a, item.names)
        for item in limits.stretches
        if item.start < end and item.end > start
    ]
    why_url = reverse("stations:why", args=[station.identity])
    return Stack(start, end, tuple(sorted(shown, key=_place)), tuple(effective), why_url, evse)


def _parts(
    told: Iterable[tuple[float | None, bool] | None], pieces: Iterable[Piece], start: datetime, end: datetime
) -> Iterator[Part]:
    for said, group in groupby(zip(told, pieces, strict=True), key=itemgetter(0)):
        run = [piece for _, piece in group]
        if said is not None and said[0] is not None:
            begin, until = max(run[0].start, start), min(run[-1].end, end)
            yield Part(begin, until, said[0], said[1])


def _told_by(piece: Piece) -> dict[Source, tuple[float | None, bool]]:
    """What each source says in a piece, in A, and whether it decides.

    A default of the station counts on every EVSE, and decides where it does on one.
    """
    found: dict[Source, tuple[float | None, bool]] = {}
    for said in piece.said:
        source, wins = _whole(said.source), said.outcome is Outcome.WINS
        limit_a, won = found.get(source, (said.limit_a, False))
        found[source] = (limit_a, won or wins)
    return found


def _whole(source: Source) -> Source:
    """One line for a profile, wherever it counts."""
    desired = source.desired
    if desired is None or source.evse == desired.evse_number:
        return source
    return source._replace(evse=desired.evse_number)


def _line(source: Source, parts: list[Part], letters: Mapping[int, str]) -> Line:
    desired, letter = source.desired, letters.get(source.evse)
    if desired is not None:
        name = f"{desired.name}, {letter}" if letter else desired.name
        return Line(source, name, desired.get_purpose_display(), str(desired.stack_level), tuple(parts))
    if source.other:
        name = f"{source.other}, {letter}" if letter else source.other
        return Line(source, name, _("limit of others"), "", tuple(parts))
    if source.hardware is Hardware.CONNECTION:
        return Line(source, _("Connection"), _("hardware"), "", tuple(parts))
    return Line(
        source,
        _("Socket %(letter)s") % {"letter": letter or source.evse},
        _("hardware"),
        "",
        tuple(parts),
    )


def _is_shown(line: Line) -> bool:
    """A socket only where it decides somewhere: else it says no more than the connection."""
    return line.source.hardware is not Hardware.SOCKET or any(part.wins for part in line.parts)


def _place(line: Line) -> tuple[int, int, int]:
    desired = line.source.desired
    if desired is None:
        return len(ORDER) + (line.source.hardware is not None), 0, line.source.evse
    return ORDER.index(DesiredProfile.Purpose(desired.purpose)), -desired.stack_level, desired.evse_number
