"""What a station's own configuration says about a requirement: substantiated at most, for nobody saw it work."""

from __future__ import annotations

from datetime import datetime

from portal.compliance import evidence
from portal.compliance.checks import stacking
from portal.compliance.equipment import configuration_of
from portal.compliance.models import Evidence, Judgement, Status
from portal.compliance.probes import requirement_for
from stations.models import Capabilities, Command, Station

# By these the capabilities were read; their frames are what the judgement rests on.
READS = ("GetConfiguration", "GetVariables", "GetBaseReport")
BETTER = frozenset({Status.PROVEN, Status.RESTORED, Status.DEVIATION})


def check_configuration(station: Station, *, now: datetime) -> Evidence | None:
    """Judge requirement 206 by the capabilities as read; None where that adds nothing to what is known."""
    said = Capabilities.objects.filter(station=station).first()
    requirement = requirement_for(station, stacking.CODE)
    if said is None or requirement is None:
        return None
    finding = stacking.judge_configuration(
        max_stack_level=said.max_stack_level, max_profiles=said.max_profiles
    )
    concession = station.site.concession
    judged = Judgement.objects.filter(concession=concession, requirement=requirement, station=station).first()
    if finding is None or (judged and judged.status in BETTER):
        return None
    figures = [figure.as_json() for figure in finding.figures]
    known = Evidence.objects.filter(
        concession=concession,
        requirement=requirement,
        station=station,
        method=Evidence.Method.CONFIGURATION,
    )
    last = known.order_by("-sequence").first()
    if last and (last.firmware, last.figures) == (station.firmware, figures):
        return None  # a station that boots every night would fill the chain with the same sentence
    frames = evidence.frames_of(station, _message_ids(station, said))
    if not frames:
        return None  # they are kept for a while only; without them it is nobody's word
    return evidence.append(
        evidence.Exhibit(
            requirement=requirement,
            concession=concession,
            operator=station.site.operator,
            station=station,
            method=Evidence.Method.CONFIGURATION,
            verdict=finding.verdict,
            code=finding.code,
            values=finding.values,
            figures=figures,
            window=(said.read_at, said.read_at),
            engine=stacking.ENGINE,
            frames=frames,
            configuration=configuration_of(station),
        ),
        now=now,
    )


def _message_ids(station: Station, said: Capabilities) -> list[str]:
    """The last questions that the capabilities come from."""
    asked = Command.objects.filter(station=station, action__in=READS, answered_at__lte=said.read_at)
    return list(asked.order_by("-pk").values_list("message_id", flat=True)[:10])
