"""What a driver may want to know of the last days: a session that ended, one that failed, a card that was linked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.accounts.driving import Preference
from portal.pages.driver.words import card_name
from portal.pages.words import end_reason
from portal.templatetags.measures import kwh, money
from stations.models import ChargingSession, TokenClaim

State = ChargingSession.State
LOOKS_BACK = timedelta(days=7)
MOST = 5
# What a driver did not mean: reasons of a StopTransaction (1.6) and ReasonEnumType (2.x).
FAILED = frozenset(
    {
        "DeAuthorized",
        "EmergencyStop",
        "GroundFault",
        "HardReset",
        "ImmediateReset",
        "OvercurrentFault",
        "PowerLoss",
        "PowerQuality",
        "Reboot",
        "SoftReset",
    }
)


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone`: as `sign` has it. `text` says what happened, or what to do; `url` leads there."""

    at: datetime
    tone: str
    title: str
    text: str
    url: str

    @property
    def label(self) -> str:
        """What kind of notice it is, in a word beside its sign."""
        return {"good": _("ended"), "warn": _("look"), "info": _("card")}[self.tone]


def preference_of(user: Any) -> Preference:
    """What was chosen, or what holds for who never chose: not saved."""
    return Preference.objects.filter(user=user.pk).first() or Preference(user_id=user.pk)


def notices_of(user: Any, *, now: datetime) -> list[Notice]:
    """What is new since the driver last said "read", of the kinds that the driver wants; the newest first."""
    chosen = preference_of(user)
    since = max(now - LOOKS_BACK, chosen.notices_read_at or now - LOOKS_BACK)
    found = [*_of_sessions(user, chosen, since), *(_of_cards(user, since) if chosen.tell_cards else ())]
    return sorted(found, key=lambda notice: notice.at, reverse=True)[:MOST]


@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    """All that the page showed; what came meanwhile stays."""
    user: Any = request.user
    now = timezone.now()
    shown_at = parse_datetime(request.POST.get("until", "")) or now
    if timezone.is_naive(shown_at):
        shown_at = now
    Preference.objects.update_or_create(user=user, defaults={"notices_read_at": min(shown_at, now)})
    return redirect("driver:sessions")


def _of_sessions(user: Any, chosen: Preference, since: datetime) -> Iterator[Notice]:
    if not (chosen.tell_ended or chosen.tell_failed):
        return
    over = ChargingSession.objects.of_driver(user).select_related("station__site")
    over = over.filter(state=State.ENDED, ended_at__gt=since) | over.filter(
        state=State.UNCLOSED, over_by__gt=since
    )
    for session in over.order_by("-started_at")[: 4 * MOST]:
        has_failed = session.state == State.UNCLOSED or session.end_reason in FAILED
        if chosen.tell_failed if has_failed else chosen.tell_ended:
            yield (_failed if has_failed else _ended)(session)


def _ended(session: ChargingSession) -> Notice:
    text = kwh(session.energy_wh)
    if session.cost_incl_tax is not None:
        text = f"{text}, {money(session.cost_incl_tax, session.cost_currency)}"
    title = _("Charged at %(place)s") % {"place": session.station.label}
    return _notice(session, "good", title, text)


def _failed(session: ChargingSession) -> Notice:
    title = _("Charging at %(place)s stopped too early") % {"place": session.station.label}
    text = end_reason(session.end_reason)
    if session.state == State.UNCLOSED:
        title = _("The end of your session at %(place)s was never told") % {"place": session.station.label}
        text = _("So its energy and cost are not known. Ask the operator, if you miss them.")
    return _notice(session, "warn", title, text)


def _notice(session: ChargingSession, tone: str, title: str, text: str) -> Notice:
    at = session.until or session.received_at
    return Notice(at, tone, title, text, reverse("driver:session", args=[session.pk]))


def _of_cards(user: Any, since: datetime) -> Iterator[Notice]:
    linked = TokenClaim.objects.filter(
        user=user.pk, state=TokenClaim.State.LINKED, settled_at__gt=since
    ).select_related("token__operator")
    for claim in linked[:MOST]:
        if claim.token is not None and claim.settled_at is not None:
            title = _("%(card)s is linked to your account") % {"card": card_name(claim.token)}
            text = _("Was this not you? Unlink it, and tell the operator.")
            yield Notice(claim.settled_at, "info", title, text, reverse("driver:cards"))
