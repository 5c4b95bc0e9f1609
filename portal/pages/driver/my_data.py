"""What the portal knows of a driver: to see, to take along, and to have erased."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Count, F, Max, Min, Sum
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from portal.accounts import erasing
from portal.accounts.driving import Erasure
from portal.pages.csv_download import harmless
from portal.pages.driver.cards import cards_of
from portal.pages.driver.notices import preference_of
from portal.pages.driver.sessions import own_sessions
from portal.pages.energy import Energy
from portal.pages.file_responses import streamed
from stations.models import ChargingSession, MeterReading, TokenClaim

SESSIONS_AT_ONCE = 200
MEASURED = (
    "sampled_at", "context", "import_wh", "export_wh", "import_w", "export_w", "import_l1_a", "import_l2_a",
    "import_l3_a", "export_l1_a", "export_l2_a", "export_l3_a", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v",
    "offered_a", "offered_w", "soc_percent",
)  # fmt: skip


class EraseForm(forms.Form):
    sure = forms.BooleanField(label=gettext_lazy("Yes, erase my data"))


@require_safe
def my_data(request: HttpRequest) -> HttpResponse:
    return _page(request, EraseForm())


@require_POST
def ask_erasure(request: HttpRequest) -> HttpResponse:
    form = EraseForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    erasing.ask(user=request.user, now=timezone.now())
    messages.success(
        request, _("You asked us to erase your data. Until the day below you can take that back.")
    )
    return redirect("driver:data")


@require_POST
def take_back_erasure(request: HttpRequest) -> HttpResponse:
    if erasing.take_back(user=request.user, now=timezone.now()):
        messages.success(request, _("Nothing is erased. Everything stays as it was."))
    return redirect("driver:data")


@require_safe
def export_json(request: HttpRequest) -> StreamingHttpResponse:
    """All of it in one file, made while it is sent: who charges for years has hundreds of thousands of readings."""
    response = streamed(request, (piece.encode() for piece in _json(request)))
    response["Content-Type"] = "application/json"
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@require_safe
def export_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All that was measured in the own sessions, a row for each reading; times in UTC."""
    response = streamed(request, (piece.encode() for piece in _csv(request)))
    response["Content-Type"] = "text/csv; charset=utf-8"
    response["Content-Disposition"] = 'attachment; filename="my-readings.csv"'
    return response


def _page(request: HttpRequest, form: EraseForm, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    own = ChargingSession.objects.of_driver(request.user)
    total = own.aggregate(
        count=Count("pk"),
        first=Min("started_at"),
        last=Max("started_at"),
        energy=Sum(F("end_import_wh") - F("start_import_wh")),
    )
    context = {
        "person": request.user,
        "cards": cards_of(request.user, now=now),
        "total": total,
        "chosen": preference_of(request.user),
        "erasure": Erasure.objects.filter(user=request.user.pk, state=Erasure.State.ASKED).first(),
        "erase_form": form,
        "term_days": int(settings.ERASURE_AFTER_DAYS),
        "reading_days": int(settings.OCPP_READING_RETENTION_DAYS),
        "frame_days": int(settings.OCPP_FRAME_RETENTION_DAYS),
    }
    return render(request, "pages/driver/data.html", context, status=status)


# ---------------------------------------------------------------- the files
def _json(request: HttpRequest) -> Iterator[str]:
    """An object, piece by piece; its sessions come one by one, each with its readings."""
    yield "{"
    for name, value in _about(request.user).items():
        yield f"{_as_json(name)}: {_as_json(value)},\n"
    yield '"sessions": ['
    for number, session in enumerate(_sessions(request)):
        yield (",\n" if number else "\n") + _as_json(_session(session))
    yield "]}\n"


def _about(user: Any) -> dict[str, Any]:
    now = timezone.now()
    chosen = model_to_dict(preference_of(user), exclude=["id", "user"])
    claims = TokenClaim.objects.filter(user=user.pk).select_related("station")
    return {
        "made_at": now,
        "account": {
            "email": user.email,
            "name": user.name,
            "since": user.date_joined,
            "last_signed_in": user.last_login,
        },
        "preferences": chosen,
        "cards": [
            {
                "name": card.name,
                "operator": str(card.token.operator),
                "kind": card.token.kind,
                "yours_since": card.since,
                "blocked": card.token.blocked,
                "expires_at": card.token.expires_at,
                "number": _("kept sealed; it stands on the card"),
            }
            for card in cards_of(user, now=now)
        ],
        "links_of_cards": [
            {
                "way": claim.way,
                "state": claim.state,
                "at": claim.made_at,
                "station": claim.station.identity if claim.station else None,
            }
            for claim in claims
        ],
        "erasures": list(user.erasures.values("state", "asked_at", "due_at", "settled_at")),
        # Rows that hang on the account: keys and second factors among them, so how many, and not what they say.
        "beside_the_account": {
            rows.model._meta.label: rows.count()  # noqa: SLF001 - Django's own documented way
            for rows in erasing.belongings(user)
        },
    }


def _sessions(request: HttpRequest) -> Iterable[ChargingSession]:
    return own_sessions(request).order_by("started_at", "pk").iterator(chunk_size=SESSIONS_AT_ONCE)


def _session(session: ChargingSession) -> dict[str, Any]:
    energy = Energy(session.energy_wh, session.exported_wh)
    return {
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "place": session.station.label,
        "station": session.station.identity,
        "operator": str(session.station.site.operator),
        "socket": session.evse_number,
        "state": session.state,
        "end_reason": session.end_reason,
        "import_wh": energy.import_wh,
        "export_wh": energy.export_wh,
        "cost": session.cost_incl_tax,
        "cost_excl_tax": session.cost_excl_tax,
        "currency": session.cost_currency,
        "cost_lines": session.cost_lines,
        "tariff": (session.cost_tariff or {}).get("name"),
        "readings": list(_readings(session).values(*MEASURED)),
    }


def _readings(session: ChargingSession) -> Any:
    """What its EVSE measured while it ran, by time."""
    start, end = session.started_at or session.received_at, session.until or timezone.now()
    return MeterReading.objects.filter(
        station=session.station_id,
        evse_number=session.evse_number or 0,
        sampled_at__gte=start,
        sampled_at__lte=end,
    ).order_by("sampled_at")


def _csv(request: HttpRequest) -> Iterator[str]:
    yield _line(("station", "evse", "session_started_at", *MEASURED))
    for session in _sessions(request):
        place = (session.station.identity, session.evse_number, _iso(session.started_at))
        yield "".join(
            _line((*place, row[0].isoformat(), *row[1:])) for row in _readings(session).values_list(*MEASURED)
        )


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()


def _iso(moment: Any) -> str:
    return moment.isoformat() if moment else ""


def _as_json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
