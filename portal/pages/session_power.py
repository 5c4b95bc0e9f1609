"""The power of a session, read as finely as its length asks for.

A session of some hours has thousands of readings and a chart of a few hundred pixels: what is over and long is read
from the quarter-hours. Only at its ends, where a quarter holds a part of another session, the readings are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.pages.metering import Highest, Sample, highest_of, samples_of, totals_of
from stations.domain.quarters import QUARTER, quarter_of
from stations.models import ChargingSession, MeterReading, QuarterHour

# Up to this long every reading is drawn; and while a session runs, for its last quarters are still to be made.
READ_FINELY = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class SessionPower:
    """What was measured, in order of time. With `in_quarters` a sample is a quarter's mean, but at both ends."""

    samples: list[Sample]
    highest: Highest | None
    in_quarters: bool


def power_of(session: ChargingSession, *, now: datetime) -> SessionPower:
    """Two or three queries. The caller knows that the session may be seen."""
    start, end = session.started_at or session.received_at, session.until or now
    is_over = session.state == ChargingSession.State.ENDED
    first, last = _next_quarter(start), quarter_of(end)
    quarters = _quarters(session, first, last) if is_over and end - start > READ_FINELY else []
    if not quarters or quarters[-1].starts_at != last - QUARTER:  # the last ones are still to be made
        samples = _samples(session, start, end)
        return SessionPower(samples, highest_of(totals_of(samples)), in_quarters=False)
    before = _samples(session, start, first - timedelta(microseconds=1))
    after = _samples(session, last, end)
    means = [
        Sample(row.evse_number, row.starts_at, row.mean_import_w or 0.0, row.mean_export_w or 0.0)
        for row in quarters
    ]
    tops = [Highest(row.max_import_w, row.starts_at) for row in quarters if row.max_import_w is not None]
    ends = highest_of(totals_of([*before, *after]))
    if ends is not None:
        tops.append(Highest(ends.power_w, quarter_of(ends.at)))
    highest = max(tops, key=lambda top: top.power_w, default=None)
    return SessionPower([*before, *means, *after], highest, in_quarters=True)


def _next_quarter(at: datetime) -> datetime:
    own = quarter_of(at)
    return own if at == own else own + QUARTER


def _quarters(session: ChargingSession, start: datetime, end: datetime) -> list[QuarterHour]:
    """The quarters that lie wholly within the session, as far as they tell a power."""
    rows = QuarterHour.objects.filter(
        station=session.station_id,
        evse_number=session.evse_number or 0,
        starts_at__gte=start,
        starts_at__lt=end,
    ).exclude(mean_import_w=None, mean_export_w=None)
    return list(rows.order_by("starts_at"))


def _samples(session: ChargingSession, start: datetime, end: datetime) -> list[Sample]:
    """The power samples of the session's EVSE, both moments included."""
    return samples_of(
        MeterReading.objects.filter(
            station=session.station_id,
            evse_number=session.evse_number or 0,
            sampled_at__gte=start,
            sampled_at__lte=end,
        )
    )
