"""Telling a driver at the station what it costs: while it runs (2.0.1, I02) and at the end (I03).

What it costs, stations.costs says. Told is what a station that shows costs can show: with taxes, in its own currency.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.query import QuerySet

from stations import commands, costs, presence
from stations.costs import SessionCost
from stations.models import ChargingSession, Command, ConfigurationValue, Station
from stations.models.device import Attribute

ACTION = "CostUpdated"
ORIGIN = "costs"
CONTROLLER = "TariffCostCtrlr"
AT_MOST = 500  # sessions of one round, those that waited longest first

# By the names of the variables: `Enabled` of the instance Cost, and `Currency`.
SHOWS = Q(component=CONTROLLER, name="Enabled[Cost]", value__iexact="true", attribute=Attribute.ACTUAL)


def shows_cost(station: Station) -> bool:
    """Whether the station says that it shows a driver what it costs."""
    return station.ocpp_version != "1.6" and station.configuration.filter(SHOWS).exists()


def amount(station: Station, cost: SessionCost) -> Decimal | None:
    """What the station is to show; None where there is no amount, or it shows another currency (2.0.1, I02)."""
    if cost.incl_tax is None:
        return None
    own = station.configuration.filter(
        component=CONTROLLER, name="Currency", attribute=Attribute.ACTUAL, is_unknown=False
    ).first()
    is_other = own is not None and own.value.strip().upper() not in ("", cost.currency.upper())
    return None if is_other else cost.incl_tax


def tell_running(*, now: datetime) -> int:
    """Tell each station that shows costs what its sessions cost so far, where that changed. Returns how many."""
    if not settings.OCPP_RUNNING_COST_S:
        return 0
    sessions = list(_to_tell(now)[:AT_MOST])
    found = costs.costs_of(sessions, now=now)
    return sum(_tell(session, found[session.pk], now) for session in sessions)


def _to_tell(now: datetime) -> QuerySet[ChargingSession]:
    """Running at a connected station that shows costs, and not told of just now."""
    since = now - timedelta(seconds=settings.OCPP_RUNNING_COST_S)
    rows: QuerySet[ChargingSession] = ChargingSession.objects.filter(
        Q(cost_told_at__isnull=True) | Q(cost_told_at__lte=since),
        presence.online(now, "station__presence__"),
        Exists(ConfigurationValue.objects.filter(SHOWS, station=OuterRef("station"))),
        state=ChargingSession.State.ACTIVE,
        transaction_id__isnull=False,
    )
    rows = rows.exclude(station__ocpp_version="1.6").select_related("station__site")
    return rows.order_by(F("cost_told_at").asc(nulls_first=True), "pk")


def _tell(session: ChargingSession, cost: SessionCost, now: datetime) -> bool:
    told = amount(session.station, cost)
    if told is None or told == session.cost_told or _is_refused(session):
        return False
    with transaction.atomic():
        mine = ChargingSession.objects.filter(
            pk=session.pk, state=ChargingSession.State.ACTIVE, cost_told_at=session.cost_told_at
        )
        if not mine.update(cost_told=told, cost_told_at=now):
            return False  # another round told it, or it has just ended
        commands.request(
            station=session.station,
            action=ACTION,
            payload={"totalCost": float(told), "transactionId": session.transaction_id},
            origin=ORIGIN,
            now=now,
            # By then there is a newer amount.
            expires_in_s=settings.OCPP_RUNNING_COST_S,
        )
    return True


def _is_refused(session: ChargingSession) -> bool:
    """It said that it shows costs, and then knew no such message: each session tries once."""
    if session.cost_told_at is None:
        return False
    last = Command.objects.filter(station=session.station_id, action=ACTION, origin=ORIGIN).order_by("-pk")
    return last.values_list("state", flat=True).first() == Command.State.FAILED
