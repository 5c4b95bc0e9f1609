"""What a station's own configuration says about a requirement: substantiated at most, for nobody saw it work."""

from __future__ import annotations

from datetime import datetime

from portal.compliance import evidence
from portal.compliance.checks import CHECKS, Check
from portal.compliance.checks.findings import Finding
from portal.compliance.equipment import configuration_of
from portal.compliance.models import Evidence, Judgement, Requirement, Status
from portal.compliance.probes import requirement_for
from stations.models import Capabilities, Command, Station

# By these the capabilities were read; their frames are what the judgement rests on.
READS = ("GetConfiguration", "GetVariables", "GetBaseReport")
BETTER = frozenset({Status.PROVEN, Status.RESTORED, Status.DEVIATION})


def check_configuration(station: Station, *, now: datetime) -> list[Evidence]:
    """Judge each requirement that the capabilities, as read, say something of; what is made is new evidence only."""
    said = Capabilities.objects.filter(station=station).first()
    if said is None:
        return []
    made = (_check(check, station, said, now=now) for check in CHECKS.values())
    return [row for row in made if row is not None]


def _check(check: Check, station: Station, said: Capabilities, *, now: datetime) -> Evidence | None:
    """None where the statement adds nothing to what is known of this requirement."""
    requirement = requirement_for(station, check.code)
    if requirement is None or check.judge_stated is None:
        return None
    configuration = configuration_of(station)
    finding = check.judge_stated(configuration["capabilities"])
    if finding is None or not _adds(finding, station, requirement):
        return None
    frames = evidence.frames_of(station, _message_ids(station, said))
    if not frames:
        return None  # they are kept for a while only; without them it is nobody's word
    return evidence.append(
        evidence.Exhibit(
            requirement=requirement,
            concession=station.site.concession,
            operator=station.site.operator,
            station=station,
            method=Evidence.Method.CONFIGURATION,
            verdict=finding.verdict,
            code=finding.code,
            values=finding.values,
            figures=[figure.as_json() for figure in finding.figures],
            window=(said.read_at, said.read_at),
            engine=check.engine,
            frames=frames,
            configuration=configuration,
        ),
        now=now,
    )


def _adds(finding: Finding, station: Station, requirement: Requirement) -> bool:
    """Whether nothing better is known, and the station did not say the same before with this firmware."""
    concession = station.site.concession
    judged = Judgement.objects.filter(concession=concession, requirement=requirement, station=station).first()
    if judged and judged.status in BETTER:
        return False
    known = Evidence.objects.filter(
        concession=concession,
        requirement=requirement,
        station=station,
        method=Evidence.Method.CONFIGURATION,
    )
    last = known.order_by("-sequence").first()
    # A station that boots every night would fill the chain with the same sentence.
    said = (station.firmware, [figure.as_json() for figure in finding.figures])
    return last is None or (last.firmware, last.figures) != said


def _message_ids(station: Station, said: Capabilities) -> list[str]:
    """The last questions that the capabilities come from."""
    asked = Command.objects.filter(station=station, action__in=READS, answered_at__lte=said.read_at)
    return list(asked.order_by("-pk").values_list("message_id", flat=True)[:10])
