"""Meter values of 1.6 and 2.x as rows of columns. Pure, and on the path that every sample takes: kept lean.

Totals and phases, import and export stand apart and are never derived from one another (rule 8 of the endpoint).
What has no column (another location than the outlet, a phase of an energy register, signed data) stays in the
message, which the first row of it keeps as sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from stations.ocpp.rpc import CallFailed

DEFAULT_MEASURAND = "Energy.Active.Import.Register"  # 1.6, 7.44; 2.0.1, SampledValueType
DEFAULT_CONTEXT = "Sample.Periodic"
DEFAULT_LOCATION = "Outlet"

MEASURED = (
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
    "voltage_l1_v",
    "voltage_l2_v",
    "voltage_l3_v",
    "offered_a",
    "offered_w",
    "soc_percent",
)
# What one sampled moment becomes: the columns of MeterReading, in the order of the rows made here.
COLUMNS = (
    "station_id",
    "evse_number",
    "transaction_id",
    "sampled_at",
    "received_at",
    "context",
    "message_id",
    "message",
    *MEASURED,
)
MESSAGE = COLUMNS.index("message")
FIRST_MEASURED = COLUMNS.index(MEASURED[0])

Row = list[Any]


def _places() -> dict[tuple[str, str | None], int]:
    """Where a measurand of a phase goes: index in the row."""
    place = {name: FIRST_MEASURED + index for index, name in enumerate(MEASURED)}
    places: dict[tuple[str, str | None], int] = {
        ("Energy.Active.Import.Register", None): place["import_wh"],
        ("Energy.Active.Export.Register", None): place["export_wh"],
        ("Power.Active.Import", None): place["import_w"],
        ("Power.Active.Export", None): place["export_w"],
        ("Current.Offered", None): place["offered_a"],
        ("Power.Offered", None): place["offered_w"],
        ("SoC", None): place["soc_percent"],
    }
    for phase in ("L1", "L2", "L3"):
        for spelling in (phase, f"{phase}-N"):
            places["Current.Import", spelling] = place[f"import_{phase.lower()}_a"]
            places["Current.Export", spelling] = place[f"export_{phase.lower()}_a"]
            places["Voltage", spelling] = place[f"voltage_{phase.lower()}_v"]
    return places


PLACES = _places()
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
# kWh and kW are as usual as Wh and W (1.6, 7.45); other units than these are those of the column.
SCALES = {"kWh": 1000.0, "kW": 1000.0, "kVA": 1000.0}


def rows_of(
    meter_values: Iterable[dict[str, Any]],
    *,
    station_id: int,
    evse_number: int,
    transaction_id: str,
    received_at: datetime,
    message_id: str = "",
    message: str = "",
) -> list[Row]:
    """One row for each sampled moment and context in `meter_values` (the wire's list of MeterValue).

    Raises CallFailed where a timestamp is none. A value that is not a number is left out: it stays in the message.
    """
    rows: dict[tuple[datetime, str], Row] = {}
    for meter_value in meter_values:
        at = parse_time(meter_value["timestamp"])
        for sample in meter_value["sampledValue"]:
            key = (at, sample.get("context", DEFAULT_CONTEXT))
            row = rows.get(key)
            if row is None:
                row = [station_id, evse_number, transaction_id, at, received_at, key[1], message_id, ""]
                row.extend([None] * len(MEASURED))
                rows[key] = row
            _place(row, sample)
    made = list(rows.values())
    if made:
        made[0][MESSAGE] = message
    return made


def _place(row: Row, sample: dict[str, Any]) -> None:
    measurand = sample.get("measurand", DEFAULT_MEASURAND)
    index = PLACES.get((measurand, sample.get("phase")))
    if index is None or sample.get("format") == "SignedData":
        return
    # The state of charge is the car's by nature, whatever location is named.
    if measurand != "SoC" and sample.get("location", DEFAULT_LOCATION) != DEFAULT_LOCATION:
        return
    unit = sample.get("unit")
    try:
        value = float(sample["value"])
        if "unitOfMeasure" in sample:  # 2.x; the multiplier is a power of ten (2.0.1, UnitOfMeasureType)
            measure = sample["unitOfMeasure"]
            unit = measure.get("unit")
            value *= 10.0 ** measure.get("multiplier", 0)
    except (ValueError, OverflowError):
        return
    if unit in SCALES:
        value *= SCALES[unit]
    if not isfinite(value):
        return
    row[index] = value


def parse_time(text: str) -> datetime:
    """A timestamp of the wire as aware UTC; without a zone it counts as UTC (OCPP asks for UTC). Raises CallFailed.

    A clock outside of any calendar is taken at the calendar's edge: its message counts all the same, and no page or
    time zone can show year 1 or 9999.
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CallFailed("PropertyConstraintViolation", f"not a time: {text[:40]!r}") from None
    return at if EARLIEST < at < LATEST else EARLIEST if at < LATEST else LATEST


def readable(meter_values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose time can be read: one that cannot must not hold up the transaction that it came with (rule 6)."""
    return [meter_value for meter_value in meter_values if _has_time(meter_value)]


def _has_time(meter_value: dict[str, Any]) -> bool:
    try:
        parse_time(meter_value["timestamp"])
    except CallFailed:
        return False
    return True
