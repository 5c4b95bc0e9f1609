"""The page of one piece of evidence, what an official decides on it, the evidence as files and as a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from portal.compliance import decisions, dossier, evidence_chart, evidence_files, registers_page
from portal.compliance.evidence_list import OF_REQUIREMENT, SubjectEvidenceFilter, listed
from portal.compliance.forms import DecisionForm
from portal.compliance.models import ConcessionRequirement, Evidence, Judgement
from portal.compliance.permissions import supervises
from portal.compliance.reproduce import reproduce
from portal.pages.csv_download import csv_download
from portal.pages.icons import mark_of_verdict
from portal.tables.listing import Listing
from stations.models import Concession

if TYPE_CHECKING:
    from portal.compliance.dossier import FrameView

FRAMES_SHOWN = 12


@require_safe
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _evidence(request, pk))


def _page(
    request: HttpRequest, found: Evidence, form: DecisionForm | None = None, status: int = 200
) -> HttpResponse:
    read = dossier.dossier(found)
    number = request.GET.get("stap", "")
    frames = list(_titled(read.frames))
    shown = len(frames) if request.GET.get("berichten") == "alle" else FRAMES_SHOWN
    drawn = evidence_chart.comparison(read, int(number) if number.isdigit() else None)
    judgement = _judgement(found)
    may_decide = supervises(request.user, found.concession)
    context: dict[str, Any] = {
        "evidence": found,
        "dossier": read,
        # Whether the station was restored says nothing of the requirement: it stands among the facts.
        "figures": [figure for figure in read.figures if figure.rule and figure.key != "restored"],
        "mark": mark_of_verdict(found.verdict),
        "groups": evidence_chart.step_groups(read, drawn),
        "comparison": drawn,
        "measured": registers_page.measured(found),
        "frames": frames[:shown],
        "more_frames": len(frames[shown:]),
        "facts": read.facts,
        "form": (form or _form(judgement)) if may_decide else None,
        "is_newest": judgement is not None and judgement.evidence_id == found.pk,
        "judgement": judgement,
        # On request only: it computes what took a probe many questions.
        "again": reproduce(found) if "opnieuw" in request.GET else None,
        "crumbs": _crumbs(found),
    }
    return render(request, "compliance/evidence.html", context, status=status)


def _evidence(request: HttpRequest, pk: int) -> Evidence:
    rows = Evidence.objects.visible_to(request.user).select_related(
        "concession__municipality", "requirement", "operator", "station"
    )
    found: Evidence = get_object_or_404(rows, pk=pk)
    return found


def _judgement(found: Evidence) -> Judgement | None:
    return Judgement.objects.filter(
        concession=found.concession_id,
        requirement=found.requirement_id,
        operator=found.operator_id,
        station=found.station_id,
    ).first()


def _form(judgement: Judgement | None, data: Any = None) -> DecisionForm:
    return DecisionForm(data, initial={"status": judgement.status if judgement else ""})


@dataclass(frozen=True, slots=True)
class TitledFrame:
    frame: FrameView
    title: str


def _titled(frames: tuple[FrameView, ...]) -> list[TitledFrame]:
    """An answer carries no action on the wire: it gets that of its question."""
    asked: dict[str, str] = {}
    titled = []
    for frame in frames:
        action = frame.action or asked.get(frame.message_id, "")
        answer = frame.message_id in asked
        asked.setdefault(frame.message_id, action)
        title = _("%(action)s, answer") % {"action": action} if answer else action
        titled.append(TitledFrame(frame, title))
    return titled


def _crumbs(found: Evidence) -> list[tuple[str, str]]:
    slug, asked = found.concession.slug, found.requirement
    return [
        (found.concession.name, reverse("compliance:matrix", args=[slug])),
        (f"{asked.code} {asked.title}", reverse("compliance:requirement", args=[slug, asked.code])),
        (str(found.station or found.operator), ""),
    ]


@require_safe
def of_requirement(request: HttpRequest, concession: str, code: str) -> HttpResponseBase:
    """All evidence of a requirement in a concession, of what the reader may see."""
    found = get_object_or_404(Concession.objects.visible_to(request.user), slug=concession)
    asked = get_object_or_404(
        ConcessionRequirement.objects.select_related("requirement"),
        concession=found,
        requirement__code=code,
    ).requirement
    rows = listed(Evidence.objects.visible_to(request.user).filter(concession=found, requirement=asked))
    form = SubjectEvidenceFilter(request.GET)
    listing = Listing(OF_REQUIREMENT, request, form.narrow(rows), filters=form)
    context = {
        "requirement": asked,
        "listing": listing,
        "crumbs": [
            (found.name, reverse("compliance:matrix", args=[found.slug])),
            (f"{code} {asked.title}", reverse("compliance:requirement", args=[found.slug, code])),
            (_("Evidence"), ""),
        ],
    }
    return listing.answer() or render(request, "compliance/evidence_list.html", context)


@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    found = _evidence(request, pk)
    if not supervises(request.user, found.concession):
        raise PermissionDenied(_("Only an official of the municipality judges evidence."))
    judgement = _judgement(found)
    form = _form(judgement, request.POST)
    if judgement is None or not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        decisions.decide(
            judgement=judgement,
            to_status=form.cleaned_data["status"],
            reason=form.cleaned_data["reason"],
            restore_by=form.cleaned_data["restore_by"],
            evidence=found,
            decided_by=request.user,
            now=timezone.now(),
        )
    except decisions.CannotDecide as error:
        form.add_error(None, str(error))
        return _page(request, found, form, status=422)
    messages.success(request, _("Your judgement is recorded."))
    return redirect("compliance:evidence", pk=pk)


@require_safe
def evidence_csv(request: HttpRequest, pk: int) -> HttpResponse:
    found = _evidence(request, pk)
    return csv_download(evidence_files.csv_rows(dossier.dossier(found)), _file_name(found, "csv"))


@require_safe
def evidence_json(request: HttpRequest, pk: int) -> HttpResponse:
    found = _evidence(request, pk)
    layout = {"indent": 2, "ensure_ascii": False}
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(found, "json")}"'}
    return JsonResponse(evidence_files.as_json(found), json_dumps_params=layout, headers=headers)


def _file_name(found: Evidence, suffix: str) -> str:
    return f"bewijs-{found.concession.slug}-{found.sequence}.{suffix}"
