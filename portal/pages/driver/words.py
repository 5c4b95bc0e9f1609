"""Words that several of a driver's pages share."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from portal.templatetags.measures import duration
from stations.models import ChargingSession, Token


def card_name(token: Token) -> str:
    """As its operator named it; a number is never shown."""
    return token.label or _("Card of %(operator)s") % {"operator": token.operator}


def socket_of(session: ChargingSession) -> str:
    """The letter of its socket; `session` comes with its station's EVSEs."""
    letters = {evse.number: evse.letter for evse in session.station.evses.all()}
    return letters.get(session.evse_number or 0, "")


def length_of(session: ChargingSession, now: datetime) -> str:
    """How long it took, or takes so far; empty where its begin or its end was never told."""
    if session.started_at is None or session.state == ChargingSession.State.UNCLOSED:
        return ""
    return duration(((session.ended_at or now) - session.started_at).total_seconds())
