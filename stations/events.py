"""The one path of events: record() is the only writer of Event, and after the commit there is one signal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.db import models, transaction
from django.dispatch import Signal

from stations.models import Event
from stations.nudges import nudge_pages

# Receivers get `event=Event`, once the row is durable, and `among`: all that were told with it, in their order.
# They enqueue; they never wait. Who has to ask the database asks it for all of `among`, at the first of them.
event_recorded = Signal()
_committed: ContextVar[list[Event] | None] = ContextVar("committed", default=None)


class Kind(models.TextChoices):
    """What can happen to a station. `data` of the event holds what is named behind it."""

    CONNECTED = "connected"  # ocpp_version
    DISCONNECTED = "disconnected"  # reason
    OCPP_CHANGED = "ocpp_changed"  # before, ocpp_version, withdrawn (commands of the version before)
    BOOTED = "booted"  # firmware, vendor, model, reason, firmware_changed
    STATUS = "status"  # evse, connector, status
    SESSION_STARTED = "session_started"  # session, evse
    SESSION_UPDATED = "session_updated"  # session, evse, charging_state (2.x)
    SESSION_ENDED = "session_ended"  # session, evse
    SESSION_UNCLOSED = "session_unclosed"  # session, evse, next (the session that began on its EVSE)
    ORPHAN_STOP = "orphan_stop"  # session
    CAPABILITIES_READ = "capabilities_read"
    COMMAND_ANSWERED = "command_answered"  # command, action, state
    COMMAND_LOST = "command_lost"  # command, action, state
    LIMIT_CHANGED = "limit_changed"  # desired
    # One part of a report (2.x); left_out: profiles of this part that were too large to keep.
    PROFILES_REPORTED = "profiles_reported"  # request_id, evse, source, is_last, profiles, left_out
    # evse 0 is the station; schedules as on the wire; is_grid_critical and is_local_generation: None is not said.
    EXTERNAL_LIMIT_SET = (
        "external_limit_set"  # evse, source, is_grid_critical, is_local_generation, schedules, left_out
    )
    EXTERNAL_LIMIT_CLEARED = "external_limit_cleared"  # evse, source
    PRIORITY_CHARGING = "priority_charging"  # transaction, activated (2.1)
    DYNAMIC_UPDATE_ASKED = "dynamic_update_asked"  # profile (2.1)
    BAD_FRAME = "bad_frame"  # code, description; left_out, where it stands for so many
    FLOODED = "flooded"  # frames_per_s (allowed), seconds (of more than that, on end); the socket was closed
    ANSWER_UNREAD = "answer_unread"  # action, code, description (2.1: CALLRESULTERROR)
    SECURITY = "security"  # type, info
    CONNECTION_REFUSED = "connection_refused"  # reason, address, count (within the hour)
    SECRET_ROTATED = "secret_rotated"  # noqa: S105  # rotation, state
    SECURITY_PROFILE = "security_profile"  # wanted, state
    CERTIFICATE = "certificate"  # certificate, kind, state, reason
    CERTIFICATE_INSTALLED = "certificate_installed"  # installed, use, state
    CERTIFICATE_EXPIRES = "certificate_expires"  # subject, not_after, use
    FIRMWARE = "firmware"  # status
    UPLOAD_STATUS = "upload_status"  # action, status, request
    CARD_LINKED = "card_linked"  # claim: a charge here showed who holds a card
    RESERVATION = "reservation"  # reservation (its row), evse, state
    RESERVATION_STATUS = "reservation_status"  # reservation, status
    # What stations.ocpp.noted reads of messages that move nothing here; a field that was not said is not there.
    EV_CERTIFICATE_ASKED = "ev_certificate_asked"  # step, schema
    CERTIFICATE_STATUS_ASKED = "certificate_status_asked"  # certificates
    CUSTOMER_INFORMATION = "customer_information"  # request, seq_no, is_last, characters
    DISPLAY_MESSAGES = "display_messages"  # request, is_last, messages
    EV_CHARGING_NEEDS = "ev_charging_needs"  # evse, transfer, energy_wh, min_a, max_a, max_w, departure, ...
    EV_CHARGING_SCHEDULE = "ev_charging_schedule"  # evse, unit, duration_s, periods, selected
    BATTERY_SWAP = "battery_swap"  # request, step, batteries
    EVENT_STREAM = "event_stream"  # stream, step (opened, data, closed), monitor, interval_s, pending, values
    DER_ALARM = "der_alarm"  # control, fault, ended, info
    DER_CONTROL = "der_control"  # control, started, superseded
    DER_CONTROLS_REPORTED = "der_controls_reported"  # request, is_last, controls
    SETTLEMENT = "settlement"  # transaction, status, amount, info
    WEB_PAYMENT_STARTED = "web_payment_started"  # evse, timeout_s
    VAT_NUMBER_ASKED = "vat_number_asked"  # evse
    # severity (0 the worst, None: not said), component, variable, value, trigger, type, cleared, monitor, cause, code,
    # info, transaction; left_out: so many of one message were not kept (2.x)
    DEVICE_EVENT = "device_event"
    NEUTRAL = "neutral"  # action, payload


class Happening(NamedTuple):
    """What is to be written down: `at` is the moment as the source says, `now` ours. See `record`."""

    station_id: int
    kind: str
    at: datetime
    now: datetime
    data: dict[str, Any]


def record(
    *, station_id: int, kind: str, at: datetime, now: datetime, data: dict[str, Any] | None = None
) -> Event:
    """Write down what happened; call it in the transaction of the change itself.

    `at` is the moment as the source says, `now` ours. `data` is small and holds no token and no secret.
    """
    return record_all([Happening(station_id, kind, at, now, data or {})])[0]


def record_all(happenings: Iterable[Happening]) -> list[Event]:
    """The same for what happened to many stations, in one statement and with one nudge."""
    recorded = Event.objects.bulk_create(
        Event(station_id=each.station_id, kind=each.kind, at=each.at, recorded_at=each.now, data=each.data)
        for each in happenings
    )
    if recorded:
        transaction.on_commit(partial(_tell_or_keep, recorded))
    return recorded


@contextmanager
def told_together() -> Iterator[None]:
    """Around a commit: all that was recorded in it is told as one, however many pieces of work it came from."""
    committed: list[Event] = []
    token = _committed.set(committed)
    try:
        yield
    finally:
        _committed.reset(token)
    _tell(committed)


def _tell_or_keep(recorded: list[Event]) -> None:
    committed = _committed.get()
    if committed is None:
        _tell(recorded)
    else:
        committed += recorded


def _tell(recorded: list[Event]) -> None:
    for event in recorded:
        event_recorded.send_robust(sender=Event, event=event, among=recorded)
    if recorded:
        nudge_pages({event.station_id for event in recorded})
