"""The pages of who supervises: the matrix and a requirement. Evidence and probes have views of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from portal.compliance import verdicts
from portal.compliance.decisions import CannotDecide
from portal.compliance.forms import PRIORITIES, NoteForm, VerdictForm
from portal.compliance.matrix import matrix as matrix_of
from portal.compliance.matrix_page import BY_TYPE, NO_PRIORITY, Choice, matrix_page, news, status_choices
from portal.compliance.models import ConcessionRequirement, Evidence, Requirement, Status
from portal.compliance.permissions import may_probe, supervises
from portal.compliance.probes import PROBES
from portal.compliance.requirement_list import OF_OPERATORS, OF_STATIONS, SubjectFilter
from portal.compliance.requirement_page import Subjects
from portal.compliance.type_matrix import type_matrix
from portal.tables.listing import Listing
from stations.models import Concession, Operator

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from portal.compliance.requirement_page import Subject

TIMELINE = 10


@require_safe
def concessions(request: HttpRequest) -> HttpResponse:
    rows = Concession.objects.visible_to(request.user).select_related("municipality")
    return render(request, "compliance/concessions.html", {"concessions": rows})


@require_safe
def matrix(request: HttpRequest, concession: str) -> HttpResponse:
    found = _concession(request, concession)
    operators = list(_operators(request, found))
    may_edit = supervises(request.user, found)
    choice = Choice.of(request.GET)
    if not may_edit:  # what matters most to the municipality is its own
        choice = replace(choice, priority="")
    visible = {operator.pk for operator in operators}
    now = timezone.now()
    if choice.is_by_type:
        of_whom = [one for one in operators if choice.operator in {"", one.slug}]
        counted = type_matrix(found, of_whom, now)
    else:
        counted = matrix_of(found, now)
    page = matrix_page(counted, choice, visible)
    context = {
        "concession": found,
        "page": page,
        "news": news(found, visible),
        "choice": choice,
        "operators": operators,
        "types": [("", _("All")), *Requirement.Obligation.choices],
        "horizons": [("", _("All")), *Requirement.Horizon.choices],
        "priority_choices": [
            ("", _("All")),
            *((str(one), str(one)) for one in PRIORITIES),
            (NO_PRIORITY, _("none")),
        ],
        "columns_per": [("", _("Operator")), (BY_TYPE, _("Station type"))],
        "statuses": status_choices(),
        "may_edit": may_edit,
        "priorities": PRIORITIES,
        "columns": page.width + 2 * may_edit,
        "may_probe": may_probe(request.user).filter(site__concession=found).exists(),
        "crumbs": _crumbs(found),
    }
    return render(request, "compliance/matrix.html", context)


@require_safe
def requirement(request: HttpRequest, concession: str, code: str) -> HttpResponseBase:
    return _requirement(request, concession, code)


def _requirement(
    request: HttpRequest, concession: str, code: str, verdict: VerdictForm | None = None
) -> HttpResponseBase:
    """`verdict`: what was sent and is not right."""
    found, now = _concession(request, concession), timezone.now()
    asked = _asked(found, code)
    subjects = Subjects(asked, _operators(request, found), now)
    form = SubjectFilter(request.GET, operators=subjects.operators, of_stations=subjects.of_stations)
    definition = OF_STATIONS if subjects.of_stations else OF_OPERATORS
    listing = Listing(definition, request, form.narrow(subjects), filters=form, lines=subjects.lines)
    if verdict is None and (answer := listing.answer()):
        return answer
    context = {
        "concession": found,
        "requirement": asked.requirement,
        "subjects": subjects,
        "listing": listing,
        "probeable": _probeable(request, list(listing.lines), code),
        "timeline": _timeline(request, found, asked.requirement),
        "crumbs": [*_crumbs(found), (f"{code} {asked.requirement.title}", "")],
        "verdict": verdict or _verdict(request, found, asked.requirement, now),
    }
    return render(request, "compliance/requirement.html", context, status=422 if verdict else 200)


def _verdict(
    request: HttpRequest, concession: Concession, asked: Requirement, now: datetime
) -> VerdictForm | None:
    """The form for what waits for a judgement; None where nothing does, or not by this reader."""
    if not supervises(request.user, concession):
        return None
    form = VerdictForm(waiting=verdicts.waiting(concession, asked, now), initial={"status": Status.DEVIATION})
    return form if form.waiting else None


@require_POST
def decide(request: HttpRequest, concession: str, code: str) -> HttpResponseBase:
    """One judgement, with one reason and term, on as many pieces of evidence as it is about."""
    found, now = _concession(request, concession), timezone.now()
    if not supervises(request.user, found):
        raise PermissionDenied(_("Only an official of the municipality judges evidence."))
    asked = _asked(found, code).requirement
    form = VerdictForm(request.POST, waiting=verdicts.waiting(found, asked, now))
    if not form.is_valid():
        return _requirement(request, concession, code, form)
    try:
        count = verdicts.decide_all(
            evidence=form.cleaned_data["evidence"],
            to_status=form.cleaned_data["status"],
            reason=form.cleaned_data["reason"],
            restore_by=form.cleaned_data["restore_by"],
            decided_by=request.user,
            now=now,
        )
    except CannotDecide as error:
        form.add_error(None, str(error))
        return _requirement(request, concession, code, form)
    told = ngettext(
        "Your judgement is recorded for %(n)d subject.",
        "Your judgement is recorded for %(n)d subjects.",
        count,
    )
    messages.success(request, told % {"n": count})
    return redirect("compliance:requirement", concession=found.slug, code=code)


@require_POST
def note(request: HttpRequest, concession: str, code: str) -> HttpResponse:
    """The municipality's own priority and comment on a requirement."""
    found = _concession(request, concession)
    asked = _asked(found, code)
    if not supervises(request.user, found):
        raise PermissionDenied(_("Only an official of the municipality keeps priorities and comments."))
    form = NoteForm(request.POST, instance=asked)
    if form.is_valid():
        form.save()
    if request.headers.get("HX-Request"):
        return render(request, "compliance/_noted.html", {"form": form})
    if form.is_valid():
        messages.success(request, _("Saved: %(code)s.") % {"code": code})
    else:
        messages.error(request, _("Not saved: a priority is 1, 2 or 3, a comment at most 2,000 characters."))
    return redirect("compliance:matrix", concession=found.slug)


def _concession(request: HttpRequest, slug: str) -> Concession:
    rows = Concession.objects.visible_to(request.user).select_related("municipality")
    found: Concession = get_object_or_404(rows, slug=slug)
    return found


def _asked(concession: Concession, code: str) -> ConcessionRequirement:
    rows = ConcessionRequirement.objects.select_related("requirement")
    found: ConcessionRequirement = get_object_or_404(rows, concession=concession, requirement__code=code)
    return found


def _operators(request: HttpRequest, concession: Concession) -> QuerySet[Operator]:
    """An operator does not see how its neighbours in the concession do."""
    rows: QuerySet[Operator] = Operator.objects.visible_to(request.user)
    return rows.filter(concessions=concession).order_by("name")


def _crumbs(concession: Concession) -> list[tuple[str, str]]:

    return [(concession.name, reverse("compliance:matrix", args=[concession.slug]))]


def _probeable(request: HttpRequest, shown: list[Subject], code: str) -> set[int]:
    """Keys of the stations among those shown that the reader may probe for requirement `code`."""
    keys = [subject.station.pk for subject in shown if subject.station]
    if code not in PROBES or not keys:
        return set()
    return set(may_probe(request.user).filter(pk__in=keys).values_list("pk", flat=True))


def _timeline(request: HttpRequest, concession: Concession, asked: Requirement) -> list[Evidence]:
    rows = Evidence.objects.visible_to(request.user).filter(concession=concession, requirement=asked)
    newest = rows.select_related("station", "operator").defer("frames", "steps", "figures", "configuration")
    return list(newest.order_by("-sequence")[:TIMELINE])
