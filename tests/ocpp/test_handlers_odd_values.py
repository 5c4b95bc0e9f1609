"""Whatever a schema lets through is answered: with a reply, or with an error that names what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stations.ocpp import bounds
from stations.ocpp.rpc import CallFailed
from stations.ocpp.validation import SchemaViolation
from tests.factories import make_station
from tests.ocpp.conversation import say
from tests.ocpp.sayings import SAYINGS

pytestmark = pytest.mark.django_db
ODD_NUMBERS = (-1, 0, 2**31, 2**63, 10**30, 1e300)
ODD_TEXTS = (
    "",
    "\x00",
    "𝄞" * 20,
    "'; --",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "x" * 255,
)


def with_odd_leaves(value: Any) -> Iterator[Any]:
    """Copies of `value`, each with one leaf replaced by something odd of the same kind."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from ({**value, key: odd} for odd in with_odd_leaves(item))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], odd, *value[index + 1 :]] for odd in with_odd_leaves(item))
    elif isinstance(value, str):
        yield from ODD_TEXTS
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from ODD_NUMBERS


# MeterValues and what is sent without an answer do not come to the handlers.
EVERY = [
    (version, action, saying.payload)
    for version, sayings in SAYINGS.items()
    for action, saying in sayings.items()
    if action not in {"MeterValues", "NotifyPeriodicEventStream"}
]
METER_VALUE = {
    "timestamp": "2026-07-01T12:00:00Z",
    "sampledValue": [{"value": 5, "unitOfMeasure": {"unit": "Wh", "multiplier": 0}}],
}
STOP = {
    "transactionId": 1,
    "meterStop": 0,
    "timestamp": "2026-07-01T12:00:00Z",
    "transactionData": [{"timestamp": "2026-07-01T12:00:00Z", "sampledValue": [{"value": "5"}]}],
}
WITH_READINGS = [
    ("1.6", "StopTransaction", STOP),
    *(
        (version, action, {**payload, "meterValue": [METER_VALUE], "evse": {"id": 1}})
        for version, action, payload in EVERY
        if action == "TransactionEvent"
    ),
]


@pytest.mark.parametrize(("version", "action", "payload"), [*EVERY, *WITH_READINGS])
def test_odd_values_are_answered_or_refused_by_name(
    version: str, action: str, payload: dict[str, Any]
) -> None:
    refused = []
    for odd in with_odd_leaves(payload):
        if bounds.impossible_number(odd):
            continue  # refused before it comes to a handler: tests/ocpp/test_socket_fuzz.py
        # A station of its own: what was taken in before would hide what is odd now.
        try:
            say(make_station(version=version, evses=0), action, odd)
        except SchemaViolation:
            continue
        except CallFailed as failed:
            refused.append((failed.code, bool(failed.description)))
    assert set(refused) <= {("PropertyConstraintViolation", True)}
