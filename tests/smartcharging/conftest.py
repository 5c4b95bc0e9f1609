"""A station that is connected and has said what it can take, in both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from smartcharging import services
from smartcharging.models import DesiredProfile
from tests.smartcharging.fake_station import FakeStation


@pytest.fixture(params=["1.6", "2.0.1", "2.1"])
def station(request: pytest.FixtureRequest, db: None) -> FakeStation:
    fake = FakeStation(request.param, capabilities={})
    fake.connects()
    return fake


def wants(fake: FakeStation, *limits: float, **options: Any) -> DesiredProfile:
    """The operator wants these limits, an hour each; a limit of the whole station unless told otherwise."""
    said: dict[str, Any] = {
        "name": "Netbewust",
        "purpose": "station_max",
        "kind": "absolute",
        "unit": "A",
        "stack_level": 1,
        "start_schedule": fake.now,
        "duration_s": 3600 * len(limits),
        "periods": [services.LimitPeriod(start_s=3600 * at, limit=limit) for at, limit in enumerate(limits)],
    }
    return services.set_profile(station=fake.row, now=fake.now, **{**said, **options})
