"""Requirement 207 and stations that refuse what comes too soon, in 1.6 without a word: no deviation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest

from portal.compliance.checks.periods_doubts import is_haste
from portal.compliance.checks.periods_readings import Step
from tests.compliance.fakes import FakeStation
from tests.compliance.test_habits import make
from tests.compliance.test_periods import TakesOnly, judged_again, probed
from tests.factories import NOW


@dataclass
class Unhurried(FakeStation):
    """Takes no profile within `rest_s` of the last that it took, and answers after `slow_s`."""

    rest_s: float = 10
    slow_s: float = 2
    taken_at: dt.datetime | None = None

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.clock.at += dt.timedelta(seconds=self.slow_s)
        return super().answer(action, payload)

    def _set(self, payload: dict[str, Any]) -> dict[str, Any]:
        now = self.clock.at
        if self.taken_at is not None and now - self.taken_at < dt.timedelta(seconds=self.rest_s):
            return {"status": "Rejected"}
        self.taken_at = now
        return super()._set(payload)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("rest_s", "slow_s"), [(5, 0.3), (8, 1), (12, 2), (20, 3), (30, 5), (45, 8), (60, 8)]
)
def test_a_station_that_takes_its_time_between_profiles_does_not_deviate(
    rest_s: float, slow_s: float
) -> None:
    """The refusals in between look like a maximum: smaller ones came later, and were taken."""
    probe = probed(make(Unhurried, version="1.6", rest_s=rest_s, slow_s=slow_s))
    assert probe.verdict != "deviation", probe.reason


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("most", [1, 10, 19])
def test_a_station_that_takes_fewer_still_does(most: int) -> None:
    probe = probed(make(TakesOnly, version="1.6", most=most))
    assert probe.verdict == "deviation"
    assert f"at most {most} periods" in probe.reason
    assert probe.evidence is not None
    assert judged_again(probe.evidence) == ("deviation", "207.refused_stated")


def installs(*answers: tuple[float, str]) -> list[Step]:
    return [
        Step("install", 0, NOW + dt.timedelta(seconds=at_s), 20, NOW, outcome=outcome)  # type: ignore[arg-type]
        for at_s, outcome in answers
    ]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(0, "refused")], True),
        ([(0, "accepted"), (2, "refused"), (4, "refused"), (9, "accepted"), (11, "refused")], True),
        ([(0, "accepted"), (2, "accepted"), (7, "refused")], False),
        ([(0, "accepted"), (5, "refused"), (7, "accepted"), (11, "accepted")], False),
    ],
)
def test_haste_is_told_from_a_maximum_by_the_time_since_the_last(
    answers: list[tuple[float, str]], *, expected: bool
) -> None:
    assert is_haste(installs(*answers)) is expected
