"""Judging requirement 211 as data arrives: each session when it ends, and one that runs while power flows out.

The judge sees what was measured and when, never when it is asked: a past that a station tells late is judged like
any other session. A station that discharges every day adds nothing to its proof, and so nothing to the chain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet

from portal.compliance import evidence, measured
from portal.compliance.checks import registers, registers_look, registers_samples
from portal.compliance.checks.findings import Finding
from portal.compliance.checks.registers_choice import choices
from portal.compliance.checks.registers_look import Setting
from portal.compliance.checks.registers_samples import Sample
from portal.compliance.checks.registers_stated import EXPORT, key_of
from portal.compliance.equipment import configuration_of, differs
from portal.compliance.models import Evidence, Requirement, Watermark
from portal.compliance.probes import requirement_for
from stations.models import Capabilities, ChargingSession, MeterReading, Station

logger = logging.getLogger(__name__)

LINE_V = 230.0
# A proof is renewed when this part of its validity is over.
NEARLY_OVER = 0.75
UNDECIDED = Evidence.Verdict.UNDECIDED

# A sample in which power flows out, whichever way the station says it.
FLOWS_OUT = Q(export_w__gt=0) | Q(import_w__lt=0)
for _phase in ("l1", "l2", "l3"):
    FLOWS_OUT |= Q(**{f"export_{_phase}_a__gt": 0}) | Q(**{f"import_{_phase}_a__lt": 0})


@dataclass(frozen=True, slots=True)
class Observed:
    """What one session shows of requirement 211, with the samples and frames that it rests on."""

    session: ChargingSession
    requirement: Requirement
    setting: Setting
    finding: Finding
    samples: tuple[Sample, ...]
    frames: tuple[dict[str, Any], ...]
    firmware: str

    @property
    def station(self) -> Station:
        return self.session.station

    @property
    def window(self) -> tuple[datetime, datetime]:
        return self.samples[0].at, self.samples[-1].at


def observe(session: ChargingSession, *, now: datetime) -> Evidence | None:
    """Judge one session; None where it says nothing, or nothing new. Safe to run twice."""
    requirement = requirement_for(session.station, registers.CODE)
    if requirement is None or not session.evse_number:
        return None
    if session.state == ChargingSession.State.ACTIVE and _is_settled(session, requirement, now):
        return None
    seen = _look(session, requirement, now=now)
    if seen is None:
        return None
    with transaction.atomic():
        # One at a time for each station: the end of a session and the round may come together.
        Station.objects.select_for_update().get(pk=seen.station.pk)
        return evidence.append(_exhibit(seen, now), now=now) if _adds(seen, now) else None


# ---------------------------------------------------------------- looking
def _look(session: ChargingSession, requirement: Requirement, *, now: datetime) -> Observed | None:
    samples = measured.samples_of(session, now=now)
    if not samples:
        return None
    setting = _setting(session, samples, now=now)
    finding = registers.judge(setting, samples)
    if finding.code == registers.NOTHING:
        return None
    if finding.verdict == UNDECIDED and not setting.is_over:
        return None  # a discharge that has just begun shows too little; its end says what there is to say
    for choice in choices(setting, samples):
        kept, frames = _heard(session, choice)
        if not kept:
            continue  # its frames are no longer kept
        again = registers.judge(setting, kept)
        if (again.verdict, again.code) == (finding.verdict, finding.code):
            then = measured.firmware_then(session.station, kept)
            return Observed(session, requirement, setting, again, tuple(kept), tuple(frames), then)
    logger.warning("Session %s: %s, but the frames that are kept do not show it", session.pk, finding.code)
    return None


def _setting(session: ChargingSession, samples: Sequence[Sample], *, now: datetime) -> Setting:
    station = session.station
    said = Capabilities.objects.filter(station=station).first()
    claimed = said is not None and EXPORT in said.measurands and said.read_at <= samples[0].at
    return Setting(
        evse=session.evse_number or 0,
        max_power_w=station.connection_phases * station.connection_a * LINE_V,
        is_over=session.state == ChargingSession.State.ENDED,
        claimed=claimed,
        key=key_of(station.ocpp_version),
        neighbours=tuple(measured.neighbours_of(session, now=now)),
    )


def _heard(session: ChargingSession, choice: Sequence[Sample]) -> tuple[list[Sample], list[dict[str, Any]]]:
    """The chosen samples as their frames say them, and these frames."""
    frames = measured.frames_of(session.station, choice)
    told = measured.samples_in(
        frames, evse=session.evse_number or 0, transaction=session.transaction_id or ""
    )
    kept = [told[key] for sample in choice if (key := (sample.at, sample.context)) in told]
    ids = {(sample.message_id, sample.received_at) for sample in kept}
    heard = [frame for frame in frames if (frame["message_id"], datetime.fromisoformat(frame["at"])) in ids]
    return kept, heard


# ---------------------------------------------------------------- what is new
def _known(station: Station, requirement: Requirement, evse: int) -> QuerySet[Evidence]:
    return Evidence.objects.filter(
        concession=station.site.concession_id,
        requirement=requirement,
        station=station,
        method=Evidence.Method.OBSERVATION,
        configuration__observation__evse=evse,
    )


def _newest(rows: QuerySet[Evidence]) -> Evidence | None:
    """The last that decided anything, in the order in which it was measured."""
    found: Evidence | None = rows.exclude(verdict=UNDECIDED).order_by("-window_end", "-sequence").first()
    return found


def _is_settled(session: ChargingSession, requirement: Requirement, now: datetime) -> bool:
    """This EVSE is proven as it is now: while a session runs there is nothing to add."""
    last = _newest(_known(session.station, requirement, session.evse_number or 0))
    if last is None or last.verdict != Evidence.Verdict.PROVEN:
        return False
    return _still_holds(last, session.station, session.station.firmware, now)


def _still_holds(last: Evidence, station: Station, firmware: str, at: datetime) -> bool:
    aged = last.window_end + timedelta(days=NEARLY_OVER * settings.EVIDENCE_VALID_DAYS) < at
    changed = differs(last.configuration, configuration_of(station), code=registers.CODE)
    return last.firmware == firmware and not changed and not aged


def _adds(seen: Observed, now: datetime) -> bool:
    """Whether it says more than what is known of this EVSE: another verdict, other equipment, or newer proof."""
    known = _known(seen.station, seen.requirement, seen.setting.evse)
    if seen.finding.verdict == UNDECIDED:
        last, said = _newest(known), known.order_by("-sequence").first()
        same = said is not None and said.configuration["finding"]["code"] == seen.finding.code
        return (last is None or last.firmware != seen.firmware) and not same
    end = min(seen.window[1], now)
    if known.filter(window_end=end, verdict=seen.finding.verdict).exists():
        return False  # the same session again
    later = _newest(known.filter(window_end__gt=end))
    if later is not None and later.verdict == seen.finding.verdict:
        return False  # a past that says what is known
    last = _newest(known.filter(window_end__lte=end))
    same = last is not None and last.verdict == seen.finding.verdict
    return last is None or not same or not _still_holds(last, seen.station, seen.firmware, end)


def _exhibit(seen: Observed, now: datetime) -> evidence.Exhibit:
    station, finding = seen.station, seen.finding
    # A station's clock that runs ahead dates nothing in the future: it would stand as the newest for ever.
    start, end = (min(moment, now) for moment in seen.window)
    return evidence.Exhibit(
        requirement=seen.requirement,
        concession=station.site.concession,
        operator=station.site.operator,
        station=station,
        method=Evidence.Method.OBSERVATION,
        verdict=finding.verdict,
        code=finding.code,
        values=finding.values,
        figures=[figure.as_json() for figure in finding.figures],
        window=(start, end),
        engine=registers.ENGINE,
        steps=[
            {"name": "sample", "holds": None, **registers_samples.to_json(sample)} for sample in seen.samples
        ],
        frames=seen.frames,
        configuration={
            "observation": registers_look.setting_to_json(seen.setting),
            **configuration_of(station),
        },
        firmware=seen.firmware,
    )


# ---------------------------------------------------------------- the round
def sessions_that_discharge() -> list[int]:
    """Sessions of which samples came, since the last two rounds, in which power flows out.

    One query over the keys of the new rows, whatever the number of stations: nothing is asked where nothing came.
    """
    first = _move_watermark()
    told = MeterReading.objects.filter(FLOWS_OUT, pk__gt=first).order_by()
    places = set(told.values_list("station_id", "evse_number", "transaction_id").distinct())
    return sorted(set(_sessions_at(places))) if places else []


def _move_watermark() -> int:
    """The key after which this round looks."""
    newest = MeterReading.objects.aggregate(Max("pk"))["pk__max"] or 0
    with transaction.atomic():
        mark, is_new = Watermark.objects.select_for_update().get_or_create(
            name="observing", defaults={"before": newest, "until": newest}
        )
        first: int = mark.before
        if not is_new:
            Watermark.objects.filter(pk=mark.pk).update(before=mark.until, until=newest)
    return first


def _sessions_at(places: set[tuple[int, int, str]]) -> Iterator[int]:
    """By their transaction; a sample that names none belongs to the session that runs on its EVSE."""
    stations = {station for station, _evse, _transaction in places}
    by_transaction = {(station, name) for station, _evse, name in places if name}
    by_evse = {(station, evse) for station, evse, name in places if not name}
    named = ChargingSession.objects.filter(
        station__in=stations, transaction_id__in={name for _station, name in by_transaction}
    )
    for pk, station, name in named.values_list("pk", "station_id", "transaction_id"):
        if (station, name) in by_transaction:
            yield pk
    running = ChargingSession.objects.filter(
        station__in={station for station, _ in by_evse}, state=ChargingSession.State.ACTIVE
    )
    for pk, station, evse in running.values_list("pk", "station_id", "evse_number"):
        if (station, evse) in by_evse:
            yield pk
