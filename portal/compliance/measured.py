"""What a station measured in a session, and the frames by which it came: the material of an observation.

The rows of the readings say where to look. What becomes evidence is read from the frames themselves, so that it rests
on nothing but what came through the socket.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from portal.compliance.checks.registers_samples import Sample
from portal.compliance.evidence import timestamp
from stations.models import ChargingSession, Event, Frame, MeterReading, Station
from stations.ocpp.readings import COLUMNS, DEFAULT_CONTEXT, DEFAULT_LOCATION, DEFAULT_MEASURAND, rows_of
from stations.ocpp.rpc import CallFailed

# Samples of begin and end may lie a little beside what the transaction says.
BESIDE = timedelta(minutes=1)
# A session of a week at a sample each half minute; of a longer one its end is looked at.
MOST_ROWS = 20_000
# The messages that carry samples and stand in the frame log; MeterValues are kept beside their readings.
CARRIERS = ("TransactionEvent", "StopTransaction", "MeterValues")
REGISTERS = ("Energy.Active.Import.Register", "Energy.Active.Export.Register")
NAMES = (
    "sampled_at",
    "received_at",
    "transaction_id",
    "context",
    "import_wh",
    "export_wh",
    "import_w",
    "export_w",
    "import_l1_a",
    "import_l2_a",
    "import_l3_a",
    "export_l1_a",
    "export_l2_a",
    "export_l3_a",
    "soc_percent",
    "message_id",
)
PLACES = [COLUMNS.index(name) for name in NAMES]
Key = tuple[datetime, str]


def samples_of(session: ChargingSession, *, now: datetime) -> list[Sample]:
    """What the EVSE of the session measured while it lasted, oldest first."""
    begin = session.started_at or session.received_at
    rows = MeterReading.objects.filter(
        Q(evse_number=session.evse_number) | Q(transaction_id=session.transaction_id),
        station_id=session.station_id,
        sampled_at__range=(begin - BESIDE, (session.ended_at or now) + BESIDE),
    )
    newest = rows.order_by("-sampled_at").values_list(*NAMES)[:MOST_ROWS]
    return [_sample(row) for row in reversed(newest)]


def _sample(row: Sequence[Any]) -> Sample:
    at, received_at, transaction, context, *values, soc, message_id = row
    import_wh, export_wh, import_w, export_w, *amperes = values
    return Sample(
        at=at,
        received_at=received_at,
        transaction=transaction,
        context=context,
        import_wh=import_wh,
        export_wh=export_wh,
        import_w=import_w,
        export_w=export_w,
        import_a=(amperes[0], amperes[1], amperes[2]),
        export_a=(amperes[3], amperes[4], amperes[5]),
        soc=soc,
        message_id=message_id,
    )


# ---------------------------------------------------------------- the frames
def frames_of(station: Station, samples: Iterable[Sample]) -> list[dict[str, Any]]:
    """The frames in which these samples came, in the order of the socket, as evidence keeps them.

    By the moment they came: a message is written down together with its readings. Frames are kept for a while only.
    """
    moments = {sample.received_at for sample in samples}
    kept = MeterReading.objects.filter(station=station, received_at__in=moments).exclude(message="")
    found = [
        _frame(row.received_at, "MeterValues", row.message_id, row.message)
        for row in kept.order_by("received_at", "pk").only("received_at", "message_id", "message")
    ]
    logged = Frame.objects.filter(
        station=station,
        at__in=moments,
        direction=Frame.Direction.IN,
        kind=Frame.Kind.CALL,
        action__in=CARRIERS,
    )
    found += [_frame(row.at, row.action, row.message_id, row.text) for row in logged.order_by("at", "pk")]
    return sorted(found, key=lambda frame: str(frame["at"]))


def _frame(at: datetime, action: str, message_id: str, text: str) -> dict[str, Any]:
    return {
        "at": timestamp(at),
        "direction": Frame.Direction.IN.value,
        "action": action,
        "message_id": message_id,
        "text": text,
    }


def samples_in(frames: Iterable[Mapping[str, Any]], *, evse: int, transaction: str) -> dict[Key, Sample]:
    """What these frames say of one EVSE, by moment and context; what a second one adds is added. Pure."""
    found: dict[Key, list[Any]] = {}
    for frame in frames:
        for row in _rows(frame, evse, transaction):
            key = (row[PLACES[0]], row[PLACES[3]])
            said = found.setdefault(key, row)
            said[:] = [new if old is None else old for old, new in zip(said, row, strict=True)]
    return {key: _sample([row[place] for place in PLACES]) for key, row in found.items()}


def _rows(frame: Mapping[str, Any], evse: int, transaction: str) -> list[list[Any]]:
    try:
        _call, message_id, action, payload = json.loads(frame["text"])
        place, named, values = _carried(action, payload)
        if place not in {None, evse} or (place is None and named != transaction):
            return []
        return rows_of(
            [_unambiguous(value) for value in values],
            station_id=0,
            evse_number=evse,
            transaction_id=named,
            received_at=datetime.fromisoformat(frame["at"]),
            message_id=message_id,
        )
    except (ValueError, KeyError, TypeError, AttributeError, CallFailed):
        return []  # masked beyond reading: it tells nothing


def _carried(action: str, payload: Mapping[str, Any]) -> tuple[int | None, str, list[dict[str, Any]]]:
    """EVSE (None: the transaction's), transaction and meter values of a message of either version."""
    if action == "TransactionEvent":
        # The EVSE is told once in a transaction (2.0.1, E01.FR.16): the transaction tells which.
        return None, payload["transactionInfo"]["transactionId"], payload.get("meterValue", [])
    named = str(payload.get("transactionId", ""))
    if action == "StopTransaction":
        return None, named, payload.get("transactionData", [])
    return payload.get("connectorId", payload.get("evseId")), named, payload["meterValue"]


def _unambiguous(value: dict[str, Any]) -> dict[str, Any]:
    """Without a register that is told twice with different values: which one it is cannot be known."""
    told: dict[tuple[str, ...], set[str]] = {}
    for sample in value["sampledValue"]:
        told.setdefault(_name(sample), set()).add(json.dumps([sample["value"], *_unit(sample)]))
    kept = [s for s in value["sampledValue"] if _name(s)[0] not in REGISTERS or len(told[_name(s)]) == 1]
    return {**value, "sampledValue": kept}


def _name(sample: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        sample.get("measurand", DEFAULT_MEASURAND),
        sample.get("phase", ""),
        sample.get("location", DEFAULT_LOCATION),
        sample.get("context", DEFAULT_CONTEXT),
        sample.get("format", ""),
    )


def _unit(sample: Mapping[str, Any]) -> tuple[Any, ...]:
    measure = sample.get("unitOfMeasure") or {}
    return (sample.get("unit", measure.get("unit")), measure.get("multiplier", 0))


# ---------------------------------------------------------------- what the station ran then
def firmware_then(station: Station, samples: Sequence[Sample]) -> str:
    """What the station ran while these samples were taken; "" where that is not known.

    It is what it said at its last boot before them. A past that is told late may have been measured before or after
    an update: where a boot in between named another firmware, nobody knows. A station that was never seen before is
    taken to have run what it said first: no change is known.
    """
    start = min(sample.at for sample in samples)
    received = max(sample.received_at for sample in samples)
    boots = Event.objects.filter(station=station, kind="booted", at__lte=received).order_by("at", "pk")
    before, possible = None, set()
    for at, data in boots.values_list("at", "data"):
        if at <= start:
            before = data.get("firmware", "")
        else:
            possible.add(data.get("firmware", ""))
    if before is not None:
        possible.add(before)
    if not possible:
        return station.firmware
    return possible.pop() if len(possible) == 1 else ""


def neighbours_of(session: ChargingSession, *, now: datetime) -> Iterator[float | None]:
    """What the import registers of other EVSEs with a session at the same time showed in it; None where unknown."""
    begin, end = session.started_at or session.received_at, session.ended_at or now
    others = ChargingSession.objects.filter(station_id=session.station_id, started_at__lt=end)
    others = others.filter(Q(ended_at__isnull=True, state="active") | Q(ended_at__gt=begin))
    for other in others.exclude(pk=session.pk).exclude(evse_number=session.evse_number):
        readings = MeterReading.objects.filter(
            station_id=session.station_id,
            evse_number=other.evse_number,
            import_wh__isnull=False,
            sampled_at__range=(begin, end),
        )
        yield readings.order_by("sampled_at").values_list("import_wh", flat=True).first()
