"""A message in plain words: the fields that people ask for by names of their own, all others by theirs, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.templatetags.measures import clock_s, short_day

MOST_FIELDS = 400
DEEPEST = 12
_NAMES = {
    "additionalInfo": gettext_lazy("More information"),
    "attributeStatus": gettext_lazy("Outcome"),
    "chargePointModel": gettext_lazy("Model"),
    "chargePointSerialNumber": gettext_lazy("Serial number"),
    "chargePointVendor": gettext_lazy("Vendor"),
    "chargingProfile": gettext_lazy("Charging profile"),
    "chargingProfileId": gettext_lazy("Charging profile"),
    "chargingProfileKind": gettext_lazy("Kind of profile"),
    "chargingProfilePurpose": gettext_lazy("Purpose of the profile"),
    "chargingRateUnit": gettext_lazy("Unit of the limit"),
    "chargingSchedule": gettext_lazy("Charging schedule"),
    "chargingSchedulePeriod": gettext_lazy("Periods"),
    "chargingState": gettext_lazy("State of charging"),
    "configurationKey": gettext_lazy("Settings"),
    "connectorId": gettext_lazy("Connector"),
    "connectorStatus": gettext_lazy("Status of the connector"),
    "csChargingProfiles": gettext_lazy("Charging profile"),
    "currentTime": gettext_lazy("Time of the portal"),
    "duration": gettext_lazy("Duration (s)"),
    "errorCode": gettext_lazy("Error"),
    "eventType": gettext_lazy("What happened"),
    "evse": gettext_lazy("EVSE"),
    "evseId": gettext_lazy("EVSE"),
    "expiryDate": gettext_lazy("Valid until"),
    "firmwareVersion": gettext_lazy("Firmware"),
    "idTag": gettext_lazy("Card"),
    "idTagInfo": gettext_lazy("What the card may"),
    "idToken": gettext_lazy("Card"),
    "idTokenInfo": gettext_lazy("What the card may"),
    "info": gettext_lazy("Information"),
    "interval": gettext_lazy("Interval (s)"),
    "key": gettext_lazy("Setting"),
    "limit": gettext_lazy("Limit"),
    "location": gettext_lazy("Where"),
    "measurand": gettext_lazy("What was measured"),
    "meterStart": gettext_lazy("Meter at the start (Wh)"),
    "meterStop": gettext_lazy("Meter at the end (Wh)"),
    "meterValue": gettext_lazy("Meter values"),
    "model": gettext_lazy("Model"),
    "numberPhases": gettext_lazy("Phases"),
    "offline": gettext_lazy("Happened without a connection"),
    "phase": gettext_lazy("Phase"),
    "readonly": gettext_lazy("Cannot be changed"),
    "reason": gettext_lazy("Reason"),
    "remoteStartId": gettext_lazy("Number of the remote start"),
    "requestId": gettext_lazy("Number of the request"),
    "requestedMessage": gettext_lazy("Message asked for"),
    "reservationId": gettext_lazy("Reservation"),
    "retrieveDate": gettext_lazy("Fetch from"),
    "seqNo": gettext_lazy("Sequence number"),
    "serialNumber": gettext_lazy("Serial number"),
    "stackLevel": gettext_lazy("Stack level"),
    "startPeriod": gettext_lazy("From second"),
    "startSchedule": gettext_lazy("Start"),
    "status": gettext_lazy("Status"),
    "stoppedReason": gettext_lazy("Why it stopped"),
    "timestamp": gettext_lazy("Time"),
    "transactionData": gettext_lazy("Meter values"),
    "transactionId": gettext_lazy("Transaction"),
    "transactionInfo": gettext_lazy("Transaction"),
    "triggerReason": gettext_lazy("Why it is sent"),
    "type": gettext_lazy("Type"),
    "unit": gettext_lazy("Unit"),
    "validFrom": gettext_lazy("Valid from"),
    "validTo": gettext_lazy("Valid until"),
    "value": gettext_lazy("Value"),
    "vendorId": gettext_lazy("Vendor"),
    "vendorName": gettext_lazy("Vendor"),
}
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d")
_CALL, _RESULT, _ERROR = 2, 3, 4
_SEND, _RESULT_ERROR = 6, 5


@dataclass(frozen=True, slots=True)
class Field:
    """A line of a readable message; `value` is empty where lines of a deeper `depth` follow."""

    depth: int
    name: str
    value: str


def readable(text: str) -> list[Field] | None:
    """The fields of a frame, in its order; None where it is not a frame, and only its text can be shown."""
    try:
        frame = orjson.loads(text)
    except ValueError:
        return None
    if not isinstance(frame, list) or len(frame) < 3:
        return None
    kind = frame[0]
    if kind in (_ERROR, _RESULT_ERROR):
        named = zip((_("Error"), _("Description"), _("Details")), frame[2:], strict=False)
        fields = [field for name, value in named for field in _fields(name, value, 0)]
    elif kind in (_CALL, _SEND) and len(frame) > 3:
        fields = list(_inside(frame[3], 0))
    elif kind == _RESULT:
        fields = list(_inside(frame[2], 0))
    else:
        return None
    return fields[:MOST_FIELDS]


def _fields(name: str, value: Any, depth: int) -> Iterator[Field]:
    if isinstance(value, dict | list) and value:
        if depth >= DEEPEST:
            yield Field(depth, name, orjson.dumps(value).decode())
            return
        yield Field(depth, name, "")
        yield from _inside(value, depth + 1)
    elif value not in ("", None) and not isinstance(value, dict | list):
        yield Field(depth, name, _shown(value))


def _sampled(value: Any, depth: int) -> Iterator[Field]:
    """A measured value on one line: what, how much, and where."""
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            yield from _fields(_("Value"), item, depth)
            continue
        measure = item.get("unitOfMeasure")
        unit = measure.get("unit", "") if isinstance(measure, dict) else item.get("unit", "")
        about = [item.get(key) for key in ("phase", "location", "context", "format") if item.get(key)]
        words = " ".join(str(part) for part in (item.get("value"), unit) if part not in (None, ""))
        name = str(item.get("measurand") or "Energy.Active.Import.Register")  # the default (1.6, 7.31)
        yield Field(depth, name, ", ".join([words, *map(str, about)]))


def _inside(value: Any, depth: int) -> Iterator[Field]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "sampledValue":
                yield from _sampled(item, depth)
                continue
            yield from _fields(_named(key), item, depth)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _fields(str(number), item, depth)
    else:
        yield from _fields(_("Value"), value, depth)


def _named(key: str) -> str:
    known = _NAMES.get(key)
    if known is not None:
        return str(known)
    return _HUMP.sub(" ", key).capitalize()


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str) and _MOMENT.match(value):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        if at.tzinfo is not None:
            return f"{short_day(at)}, {clock_s(at)}"
    return str(value)
