"""What a session costs: its charging periods from registers and readings, priced by the tariff of its start.

A running session has a cost so far; one that has ended keeps its cost, its lines and the tariff as it was. Readings
that come late change it until it is settled. What is not known has no cost, and says why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property, reduce
from itertools import pairwise
from operator import or_
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, TextChoices
from django.utils.translation import gettext_lazy as _

from stations.domain import tariff as rules
from stations.models import ChargingSession, MeterReading, Tariff

State = ChargingSession.State
# OCPI, 11.4.6: in the time of the place. All that this portal knows stands in the Netherlands.
ZONE = ZoneInfo("Europe/Amsterdam")
SETTLES_AFTER = timedelta(days=2)
LOOKS_BACK = timedelta(days=30)
LINE_V = 230
SESSIONS_A_QUERY = 50


class Unknown(TextChoices):
    """Why there is no amount."""

    NO_TARIFF = "no_tariff", _("The operator gave no price for this session.")
    BAD_TARIFF = "bad_tariff", _("The tariff of this session cannot be read.")
    NO_ENERGY = "no_energy", _("The energy of this session is not known.")
    NO_START = "no_start", _("When this session started is not known.")
    NO_END = "no_end", _("When this session ended is not known.")


@dataclass(frozen=True, slots=True)
class SessionCost:
    """`unknown` names why there are no amounts; `is_final`: the session has ended."""

    currency: str
    excl_tax: Decimal | None
    incl_tax: Decimal | None
    lines: tuple[rules.Line, ...] = ()
    unknown: str = ""
    limited_by: str = ""
    is_final: bool = False

    @property
    def tax(self) -> Decimal | None:
        return None if self.incl_tax is None or self.excl_tax is None else self.incl_tax - self.excl_tax

    @property
    def why_unknown(self) -> str:
        return str(Unknown(self.unknown).label) if self.unknown else ""

    @property
    def price_per_kwh(self) -> Decimal | None:
        """Where one price held for all of its energy."""
        prices = {line.unit_price for line in self.lines if line.dimension == rules.Dimension.ENERGY}
        return prices.pop() if len(prices) == 1 else None


def cost_of(session: ChargingSession, *, now: datetime) -> SessionCost:
    """What it cost as kept, or as it can be told now: so far, where it runs."""
    return costs_of([session], now=now)[session.pk]


def costs_of(
    sessions: Sequence[ChargingSession],
    *,
    now: datetime,
    so_far: Mapping[int, float | None] | None = None,
) -> dict[int, SessionCost]:
    """The cost of each by its key; they come with station and site. One query for tariffs, one for readings.

    `so_far`: the energy in Wh that running sessions took, where the caller knows it (None: nobody knows). At a price
    that does not change within a session it stands for the readings, of which there may be thousands.
    """
    taken = so_far or {}
    found = {session.pk: kept(session) for session in sessions if session.cost_at is not None}
    others = [session for session in sessions if session.pk not in found]
    tariffs = tariffs_of(others)
    readings = _readings_of(
        [each for each in others if _needs_readings(each, tariffs, is_known=each.pk in taken)], now
    )
    for session in others:
        registers = readings.get(session.pk)
        if registers is None:
            registers = _as_registers(session, taken.get(session.pk), now)
        found[session.pk] = _reckoned(session, tariffs.get(session.pk), registers, now)
    return found


def _as_registers(session: ChargingSession, taken_wh: float | None, now: datetime) -> list[_Register]:
    """What a running session took so far, as registers at its start and now."""
    start, begin = session.started_at, session.start_import_wh or 0.0
    if taken_wh is None or start is None or start >= now:
        return []
    return [_Register(start, begin, None), _Register(now, begin + taken_wh, None)]


def kept(session: ChargingSession) -> SessionCost:
    """As it was written down when the session had ended."""
    return SessionCost(
        currency=session.cost_currency,
        excl_tax=session.cost_excl_tax,
        incl_tax=session.cost_incl_tax,
        lines=tuple(_line_from(raw) for raw in session.cost_lines),
        unknown=session.cost_unknown,
        limited_by=(session.cost_tariff or {}).get("limited_by", ""),
        is_final=True,
    )


def write_down(session: ChargingSession, *, now: datetime) -> SessionCost | None:
    """Keep the cost of a session that has ended, by the tariff that it began under; None where it is settled.

    Safe to run twice, and again when a reading came late.
    """
    if session.state != State.ENDED or session.settled_at is not None:
        return None
    tariff = _agreed(session) or tariffs_of([session]).get(session.pk)
    readings = _readings_of([session], now).get(session.pk, ()) if tariff else ()
    cost = _reckoned(session, tariff, readings, now)
    said = {
        "cost_excl_tax": cost.excl_tax,
        "cost_incl_tax": cost.incl_tax,
        "cost_currency": cost.currency,
        "cost_unknown": cost.unknown,
        "cost_lines": [_line_as_json(line) for line in cost.lines],
        "cost_tariff": _snapshot(tariff, cost) if tariff else None,
        "cost_at": now,
    }
    ChargingSession.objects.filter(pk=session.pk, settled_at__isnull=True).update(**said)
    for name, value in said.items():
        setattr(session, name, value)
    return cost


def settle(*, now: datetime) -> int:
    """Reckon again what a late reading belongs to, and settle what ended long enough ago. Returns how many were."""
    late = MeterReading.objects.filter(
        station=OuterRef("station"),
        evse_number=OuterRef("evse_number"),
        sampled_at__gte=OuterRef("started_at"),
        sampled_at__lte=OuterRef("ended_at"),
        received_at__gt=OuterRef("cost_at"),
    )
    is_over = Q(ended_at__lte=now - SETTLES_AFTER)
    rows = ChargingSession.objects.filter(
        is_over | Q(cost_at__isnull=True) | Exists(late),
        state=State.ENDED,
        settled_at__isnull=True,
        ended_at__gte=now - LOOKS_BACK,
        ended_at__lte=now,
    )
    settled = 0
    for session in rows.select_related("station__site").iterator(chunk_size=200):
        write_down(session, now=now)
        if session.ended_at and session.ended_at <= now - SETTLES_AFTER:
            still = ChargingSession.objects.filter(pk=session.pk, settled_at__isnull=True)
            settled += still.update(settled_at=now)
    return settled


# ---------------------------------------------------------------- which tariff
@dataclass(frozen=True)
class Agreed:
    """What decides the price of a session: a tariff row's content, or what was kept of one."""

    name: str
    ocpi: Mapping[str, Any]
    credits_export: bool
    row: int | None

    @cached_property
    def terms(self) -> rules.Tariff:
        """Read once for all sessions that it is agreed for. Raises BadTariff."""
        return rules.parse(self.ocpi)


def tariffs_of(sessions: Iterable[ChargingSession]) -> dict[int, Agreed]:
    """By session: the tariff of its station, else the newest of its operator that held at its start."""
    sessions = list(sessions)
    operators = {session.station.site.operator_id for session in sessions}
    own = {session.station.tariff_id for session in sessions} - {None}
    if not operators:
        return {}
    rows = list(
        Tariff.objects.filter(Q(operator__in=operators) | Q(pk__in=own)).order_by("-valid_from", "-pk")
    )
    agreed: dict[int, Agreed] = {}
    found = {}
    for session in sessions:
        tariff = _tariff_for(session, rows)
        if tariff is None:
            continue
        if tariff.pk not in agreed:
            agreed[tariff.pk] = Agreed(tariff.name, tariff.as_ocpi(), tariff.credits_export, tariff.pk)
        found[session.pk] = agreed[tariff.pk]
    return found


def _tariff_for(session: ChargingSession, rows: Sequence[Tariff]) -> Tariff | None:
    at = session.started_at
    if at is None:
        return None
    holding = [
        row for row in rows if row.valid_from <= at and (row.valid_until is None or at < row.valid_until)
    ]
    station = session.station
    of_station = (row for row in holding if row.pk == station.tariff_id)
    of_operator = (row for row in holding if row.operator_id == station.site.operator_id)
    return next(of_station, None) or next(of_operator, None)


def _agreed(session: ChargingSession) -> Agreed | None:
    raw = session.cost_tariff
    if not raw:
        return None
    return Agreed(raw["name"], raw["ocpi"], raw["credits_export"], raw["row"])


def _snapshot(tariff: Agreed, cost: SessionCost) -> dict[str, Any]:
    return {
        "name": tariff.name,
        "ocpi": dict(tariff.ocpi),
        "credits_export": tariff.credits_export,
        "row": tariff.row,
        "limited_by": cost.limited_by,
    }


# ---------------------------------------------------------------- periods
@dataclass(frozen=True, slots=True)
class _Register:
    """Both registers at a moment, in Wh."""

    at: datetime
    import_wh: float
    export_wh: float | None


def _needs_readings(
    session: ChargingSession, tariffs: Mapping[int, Agreed], *, is_known: bool = False
) -> bool:
    """For a price that does not change within it begin and end are enough, of a running one what it took so far."""
    agreed = tariffs.get(session.pk)
    if agreed is None or session.started_at is None or session.state not in (State.ACTIVE, State.ENDED):
        return False
    if agreed.credits_export or (session.state == State.ACTIVE and not is_known):
        return True
    return any(
        element.get("restrictions")
        or any(part.get("type") in ("TIME", "PARKING_TIME") for part in element.get("price_components", ()))
        for element in agreed.ocpi["elements"]
    )


def _readings_of(sessions: Sequence[ChargingSession], now: datetime) -> dict[int, list[_Register]]:
    """The registers within each session, by time, in one query: what its EVSE sent while it ran."""
    if not sessions:
        return {}
    found: dict[int, list[_Register]] = {}
    for first in range(0, len(sessions), SESSIONS_A_QUERY):
        some = sessions[first : first + SESSIONS_A_QUERY]
        rows = list(
            MeterReading.objects.filter(
                reduce(or_, (_within(session, now) for session in some)), import_wh__isnull=False
            )
            .order_by("sampled_at")
            .values_list("station_id", "evse_number", "sampled_at", "import_wh", "export_wh")
        )
        by_place: dict[tuple[int, int], list[_Register]] = defaultdict(list)
        for station, evse, at, import_wh, export_wh in rows:
            by_place[station, evse].append(_Register(at, import_wh, export_wh))
        for session in some:
            start, until = session.started_at, session.ended_at or now
            own = by_place[session.station_id, session.evse_number or 0]
            found[session.pk] = [row for row in own if start and start <= row.at <= until]
    return found


def _within(session: ChargingSession, now: datetime) -> Q:
    return Q(
        station_id=session.station_id,
        evse_number=session.evse_number or 0,
        sampled_at__range=(session.started_at, session.ended_at or now),
    )


def _reckoned(
    session: ChargingSession, agreed: Agreed | None, readings: Sequence[_Register], now: datetime
) -> SessionCost:
    is_final = session.state == State.ENDED
    unknown = _unknown(session, agreed)
    if unknown or agreed is None:
        return SessionCost("", None, None, unknown=unknown, is_final=is_final)
    try:
        tariff = agreed.terms
    except rules.BadTariff:
        return SessionCost("", None, None, unknown=Unknown.BAD_TARIFF, is_final=is_final)
    registers = _registers(session, readings)
    if registers is None:
        if _needs_energy(tariff):
            return SessionCost(tariff.currency, None, None, unknown=Unknown.NO_ENERGY, is_final=is_final)
        registers = []
    periods = list(_periods(session, registers, credits_export=agreed.credits_export, now=now))
    cost = rules.price(tariff, periods, zone=ZONE)
    return SessionCost(
        cost.currency, cost.excl_tax, cost.incl_tax, cost.lines, limited_by=cost.limited_by, is_final=is_final
    )


def _unknown(session: ChargingSession, agreed: Agreed | None) -> str:
    if session.started_at is None:
        return Unknown.NO_START
    if session.state == State.UNCLOSED or (session.state == State.ENDED and session.ended_at is None):
        return Unknown.NO_END
    return "" if agreed else Unknown.NO_TARIFF


def _needs_energy(tariff: rules.Tariff) -> bool:
    """Whether the registers decide the price: per kWh, by power or current, and what is parked and not charged."""
    return (
        tariff.prices(rules.Dimension.ENERGY)
        or tariff.prices(rules.Dimension.TIME)
        or tariff.prices(rules.Dimension.PARKING_TIME)
        or tariff.uses("min_kwh", "max_kwh", "min_power_kw", "max_power_kw", "min_current_a", "max_current_a")
    )


def _registers(session: ChargingSession, readings: Sequence[_Register]) -> list[_Register] | None:
    """The register at the start, in between, and at the end; None where what was taken is not known.

    A register that falls in between (rule 8) is not mended: then the energy is not known, as on every page.
    """
    start = session.started_at
    begin = session.start_import_wh if session.start_import_wh is not None else _first(readings)
    if start is None or begin is None:
        return None
    found = [_Register(start, begin, session.start_export_wh), *(row for row in readings if row.at > start)]
    if session.state == State.ENDED and session.ended_at is not None:
        if session.end_import_wh is None:
            return None
        end = _Register(session.ended_at, session.end_import_wh, session.end_export_wh)
        # What the station says is the end counts; a sample beyond it is another clock's.
        found = [row for row in found if row.at < end.at and row.import_wh <= end.import_wh] + [end]
    elif len(found) == 1:
        return None  # nothing measured yet
    risen = [found[0]]
    for row in found[1:]:
        if row.import_wh < risen[-1].import_wh:
            if session.state != State.ENDED:
                return None
            continue
        risen.append(row)
    return risen


def _first(readings: Sequence[_Register]) -> float | None:
    return readings[0].import_wh if readings else None


def _periods(
    session: ChargingSession, registers: Sequence[_Register], *, credits_export: bool, now: datetime
) -> Iterator[rules.Period]:
    """From register to register; it charges where energy flowed. After the last one of a running session: not told."""
    start, end = session.started_at, session.ended_at or now
    if start is None:
        return
    if not registers:
        if end > start:
            yield rules.Period(start, end, is_charging=False)
        return
    for before, after in pairwise(registers):
        energy = _kwh(after.import_wh - before.import_wh)
        back = _kwh(_risen(before.export_wh, after.export_wh))
        span = after.at - before.at
        if span <= timedelta(0):
            span = timedelta(microseconds=1)
        hours = Decimal(span // timedelta(microseconds=1)) / 3_600_000_000
        power = (energy + back) / hours
        yield rules.Period(
            before.at,
            before.at + span,
            energy - back if credits_export else energy,
            is_charging=bool(energy or back),
            power_kw=power,
            current_a=power * 1000 / LINE_V,
        )


def _risen(before: float | None, after: float | None) -> float:
    return max(after - before, 0.0) if before is not None and after is not None else 0.0


def _kwh(energy_wh: float) -> Decimal:
    return Decimal(str(energy_wh)) / 1000


# ---------------------------------------------------------------- as kept
def _line_as_json(line: rules.Line) -> dict[str, str]:
    return {name: str(getattr(line, name)) for name in rules.Line.__slots__}


def _line_from(raw: Mapping[str, str]) -> rules.Line:
    amounts = {name: Decimal(value) for name, value in raw.items() if name not in ("dimension", "element")}
    # Rows from before the element was kept: its number is not known.
    element = int(raw.get("element", -1))
    return rules.Line(dimension=rules.Dimension(raw["dimension"]), element=element, **amounts)
