"""Where work comes from: for each kind the rows that ask for a hand, the newest few of them, in one query for all.

Each part takes at most so many rows, by an index or from a table that is small: a fleet costs what a street does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.expressions import Expression as ExpressionNode
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from portal.compliance.models import Judgement, Status, counted_as
from portal.pages.work.items import SOON, Kind, Row
from smartcharging.models import DesiredProfile
from stations.events import Kind as Happened
from stations.models import (
    ChargingSession,
    Command,
    ConfigurationRollout,
    ConnectionHealth,
    Connector,
    Event,
    InstalledCertificate,
    RolloutStation,
    Station,
    StationCertificate,
    TokenClaim,
)
from stations.models.access import OPERATOR_ROLES, Visitor, parties_of
from stations.presence import LEASE_S

SILENT_AFTER = timedelta(minutes=15)
LATELY = timedelta(days=7)
# Of roll-outs, sessions and cards: they are looked at less often.
A_WHILE = timedelta(days=14)
UNCERTAIN_AFTER = timedelta(minutes=15)
MOST_OF_A_KIND = 50
# 0 is danger, 1 a hardware failure, 2 a system failure (2.0.1 part 2, N07).
WORST_SEVERITIES = 2
# What nobody expects: that a station starts, restarts or sets its clock is critical to the standard, and daily.
ALARMS = (
    "TamperDetectionActivated",
    "MemoryExhaustion",
    "SecurityLogWasCleared",
    "InvalidMessages",
    "AttemptedReplayAttacks",
    "InvalidFirmwareSignature",
    "InvalidFirmwareSigningCertificate",
    "InvalidCsmsCertificate",
    "InvalidCentralSystemCertificate",
    "InvalidChargingStationCertificate",
    "InvalidChargePointCertificate",
    "InvalidTLSVersion",
    "InvalidTLSCipherSuite",
    "MaintenanceLoginAccepted",
    "MaintenanceLoginFailed",
)
NOTHING = Value("", output_field=TextField())
NEVER = Cast(Value(None), DateTimeField())
Expression = Combinable | str


Operators = tuple[int, ...] | None
"""Keys; None: all."""
_now: ContextVar[datetime] = ContextVar("now")


class Moment(ExpressionNode):
    """So long after the moment that is asked about, which is put in as the query is sent."""

    def __init__(self, later: timedelta = timedelta()) -> None:
        super().__init__(output_field=DateTimeField())
        self.later = later

    def __add__(self, other: Any) -> Any:
        return Moment(self.later + other)

    def __sub__(self, other: Any) -> Any:
        return Moment(self.later - other)

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return Value(_now.get() + self.later, DateTimeField()).as_sql(compiler, connection)


NOW = Moment()


@dataclass(frozen=True, slots=True)
class Part:
    """`rows` ask for a hand, the newest first. `station` and `operator` lead from one to both; without a `station` it
    is about none. The others are the columns of items.Row, as expressions."""

    rows: QuerySet[Any]
    operator: str
    since: Combinable
    station: str | None = "station__"
    other: Combinable = NEVER
    code: Expression = NOTHING
    text: Expression = NOTHING
    more: Expression = NOTHING

    def of(self, operators: Operators, text: str) -> Q:
        """Their rows, of stations with `text` in their name or place; by keys, so that the planner knows how many."""
        found = Q() if operators is None else Q(**{f"{self.operator}__in": operators})
        names = ("identity", "name", "site__name") if text and self.station is not None else ()
        return found & reduce(or_, (Q(**{f"{self.station}{name}__icontains": text}) for name in names), Q())

    def told(self, kind: str, among: Q, *, most: int) -> QuerySet[Any]:
        """The first `most` in uniform columns. SQLite takes no slice within a union, but one within a condition."""
        few = self.rows.filter(among).values("pk")[:most]
        has = self.station is not None
        found: QuerySet[Any] = self.rows.model.objects.filter(pk__in=few).order_by()
        return found.values_list(
            Value(kind, output_field=TextField()),
            F("pk"),
            F(self.operator),
            F(f"{self.station}pk") if has else Cast(Value(None), BigIntegerField()),
            _text(f"{self.station}identity") if has else NOTHING,
            _text(f"{self.station}name") if has else NOTHING,
            self.since,
            self.other,
            _text(self.code),
            _text(self.text),
            _text(self.more),
        )


class _Text(Func):
    """As text, empty where it is not known: the parts of a union have the same types. One expression, not the three
    that Django has for it: there are sixty of them, and they are half of what the page takes."""

    template = "COALESCE(CAST(%(expressions)s AS TEXT), '')"
    output_field = TextField()


class _Joined(Func):
    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = TextField()


def _text(expression: Expression) -> Combinable:
    return NOTHING if expression is NOTHING else _Text(expression)


def _joined(*expressions: Expression) -> Combinable:
    return _Joined(*(_text(each) for each in expressions))


def rows_of(
    user: Visitor,
    *,
    now: datetime,
    kind: str = "",
    text: str = "",
    row: int | None = None,
    most: int = MOST_OF_A_KIND,
) -> list[Row]:
    """What asks for a hand of `user`'s operators, at most `most` of each kind; of one kind, of stations with `text` in
    their name or place, or that one row alone, where these are given."""
    operators = None
    if not getattr(user, "is_superuser", False):
        operators = tuple(parties_of(user, roles=OPERATOR_ROLES, party="operator"))
    found = [part.all() for part in _kept.put_together(operators, kind, text, row, most)]
    if not found:
        return []
    first, *others = found
    asked_at = _now.set(now)
    try:
        return [Row(*columns) for columns in (first.union(*others, all=True) if others else first)]
    finally:
        _now.reset(asked_at)


def _put_together(
    operators: Operators, kind: str, text: str, row: int | None, most: int
) -> list[QuerySet[Any]]:
    found = []
    for name, part_at in PARTS.items():
        part = part_at(NOW)
        if kind in ("", name) and (part.station is not None or not text):
            among = part.of(operators, text)
            found.append(part.told(name, among if row is None else among & Q(pk=row), most=most))
    return found


class _Kept(threading.local):
    """The parts as they were put together before: that takes longer than the database does. Each thread has its own,
    for a query is changed while it is compiled."""

    def __init__(self) -> None:
        self.put_together = lru_cache(maxsize=32)(_put_together)


_kept = _Kept()


# ---------------------------------------------------------------- what asks for a hand
def _silent(now: Moment) -> Part:
    gone = Case(
        When(
            presence__connection__isnull=True,
            then=Coalesce("presence__disconnected_at", "presence__renewed_at"),
        ),
        default=F("presence__renewed_at"),
    )
    is_away = Q(presence__connection__isnull=True) | Q(
        presence__renewed_at__lte=now - timedelta(seconds=LEASE_S)
    )
    rows = Station.objects.annotate(gone=gone).filter(is_away)
    return Part(
        rows.filter(Q(gone__isnull=True) | Q(gone__lte=now - SILENT_AFTER)).order_by(
            F("gone").desc(nulls_last=True)
        ),
        operator="site__operator",
        station="",
        since=gone,
        other=F("presence__last_message_at"),
    )


def _fault(_now: Moment) -> Part:
    return Part(
        Connector.objects.filter(status="Faulted").order_by(F("status_at").desc(nulls_last=True)),
        operator="evse__station__site__operator",
        station="evse__station__",
        since=F("status_at"),
        code="status",
        text="error_code",
        more="evse__number",
    )


def _limit(now: Moment) -> Part:
    State = DesiredProfile.State  # noqa: N806
    is_left = Q(state=State.DRIFTED, settled_at__isnull=False) | Q(state=State.REFUSED)
    is_uncertain = Q(state=State.UNKNOWN, requested_at__lte=now - UNCERTAIN_AFTER)
    return Part(
        DesiredProfile.objects.current().filter(is_left | is_uncertain).order_by("-requested_at"),
        operator="station__site__operator",
        since=Coalesce("settled_at", "requested_at"),
        code="state",
        text="name",
        more=_joined("reason_code", Value("\n"), "reason_values"),
    )


def _rollout(now: Moment) -> Part:
    State = ConfigurationRollout.State  # noqa: N806
    failed = RolloutStation.objects.filter(rollout=OuterRef("pk"), state=RolloutStation.State.FAILED)
    rows = ConfigurationRollout.objects.filter(requested_at__gte=now - A_WHILE)
    count = failed.order_by().values("rollout").annotate(count=Count("pk")).values("count")
    return Part(
        rows.filter(Q(state=State.STOPPED) | Q(Exists(failed), state=State.DONE)).order_by("-pk"),
        operator="operator",
        station=None,
        since=Coalesce("ended_at", "requested_at"),
        code="state",
        text="template_name",
        more=Subquery(count),
    )


def _command(now: Moment) -> Part:
    """What people asked in vain, and did not ask again since."""
    State = Command.State  # noqa: N806
    again = Command.objects.filter(
        station=OuterRef("station"),
        action=OuterRef("action"),
        pk__gt=OuterRef("pk"),
        state__in=(State.ACCEPTED, *Command.OPEN),
    )
    rows = Command.objects.filter(
        ~Exists(again),
        state__in=(State.FAILED, State.UNKNOWN, State.EXPIRED),
        requested_by__isnull=False,
        requested_at__gte=now - LATELY,
    )
    return Part(
        rows.order_by("-requested_at"),
        operator="station__site__operator",
        since=F("requested_at"),
        code="state",
        text="action",
        more="error",
    )


def _compliance(now: Moment) -> Part:
    """Own deviations on what is required or was promised, and that no decision set aside."""
    rows = Judgement.objects.filter(status=Status.DEVIATION).with_owed().alias(counts_as=counted_as(now))
    return Part(
        rows.filter(counts_as=Status.DEVIATION, owed=True).order_by("-at"),
        operator="operator",
        since=F("at"),
        code="evidence_id",
        text=_joined("requirement__code", Value(" "), "requirement__title"),
        more=F("last_decision__restore_by"),
    )


def _security(now: Moment) -> Part:
    is_alarm = Q(kind=Happened.SECURITY, data__type__in=ALARMS)
    is_still = Q(data__cleared__isnull=True) | Q(data__cleared=False)
    is_bad = is_still & Q(kind=Happened.DEVICE_EVENT, data__severity__lte=WORST_SEVERITIES)
    return Part(
        Event.objects.filter(is_alarm | is_bad, recorded_at__gte=now - LATELY).order_by("-recorded_at"),
        operator="station__site__operator",
        since=F("at"),
        code=KT("data__type"),
        text=_joined(KT("data__component"), Value(" "), KT("data__variable")),
    )


def _certificate(now: Moment) -> Part:
    newer = StationCertificate.objects.filter(
        station=OuterRef("station"),
        kind=OuterRef("kind"),
        state=StationCertificate.State.ACCEPTED,
        not_after__gt=OuterRef("not_after"),
    )
    rows = StationCertificate.objects.filter(
        ~Exists(newer), state=StationCertificate.State.ACCEPTED, not_after__lte=now + SOON
    )
    return Part(
        rows.order_by("not_after"),
        operator="station__site__operator",
        since=F("not_before"),
        other=F("not_after"),
        text="subject",
    )


def _root(now: Moment) -> Part:
    rows = InstalledCertificate.objects.filter(
        state=InstalledCertificate.State.INSTALLED, not_after__lte=now + SOON
    )
    return Part(
        rows.order_by("not_after"),
        operator="station__site__operator",
        since=F("read_at"),
        other=F("not_after"),
        text="subject",
    )


def _register(now: Moment) -> Part:
    fell = ChargingSession.objects.filter(~Q(import_fall="") | ~Q(export_fall=""))
    return Part(
        fell.filter(started_at__gte=now - A_WHILE).order_by("-started_at"),
        operator="station__site__operator",
        since=Coalesce("ended_at", "started_at"),
        code="import_fall",
        text="export_fall",
    )


def _messages(now: Moment) -> Part:
    rows = ConnectionHealth.objects.filter(bad_frames__gt=0, measured_at__gte=now - timedelta(days=1))
    return Part(
        rows.order_by("-bad_frames"),
        operator="station__site__operator",
        since=F("measured_at"),
        code="bad_frames",
    )


def _card(now: Moment) -> Part:
    """Codes that nobody used, and cards that a driver showed to be his while they are another's."""
    State, Way = TokenClaim.State, TokenClaim.Way  # noqa: N806
    is_waiting = Q(way=Way.CODE, state=State.OPEN, made_at__lte=now - LATELY, expires_at__gt=now)
    is_taken = Q(state=State.REFUSED, refusal=TokenClaim.Refusal.TAKEN, settled_at__gte=now - A_WHILE)
    return Part(
        TokenClaim.objects.filter(is_waiting | is_taken, token__isnull=False).order_by("-pk"),
        operator="token__operator",
        station=None,
        since=Coalesce("settled_at", "made_at"),
        code="token_id",
        text="token__label",
        more="state",
    )


PARTS: Mapping[str, Callable[[Moment], Part]] = {
    Kind.SILENT: _silent,
    Kind.FAULT: _fault,
    Kind.LIMIT: _limit,
    Kind.ROLLOUT: _rollout,
    Kind.COMMAND: _command,
    Kind.COMPLIANCE: _compliance,
    Kind.SECURITY: _security,
    Kind.CERTIFICATE: _certificate,
    Kind.ROOT: _root,
    Kind.REGISTER: _register,
    Kind.MESSAGES: _messages,
    Kind.CARD: _card,
}
