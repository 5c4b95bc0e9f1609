"""A station that holds charging profiles, and answers when the test lets it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from smartcharging import services
from smartcharging.models import DesiredProfile
from stations.models import Station
from tests.fakes.portal import Portal
from tests.fakes.station import FakeStation, Question

HARDWARE_A = 16.0


class LimitedStation:
    """Its profiles outlive its line. One profile of one period is all that it is ever given."""

    line: FakeStation

    def __init__(self, portal: Portal, identity: str, version: str) -> None:
        self.portal, self.identity, self.version = portal, identity, version
        self.profiles: dict[int, dict[str, Any]] = {}
        self.evses: dict[int, int] = {}
        self.asked: list[str] = []

    def connect(self) -> None:
        self.line = FakeStation(self.portal.port, self.identity, version=self.version)

    def question(self, action: str = "") -> Question:
        """The next CALL of the portal, heard but not answered. It must be this action."""
        question = self.line.question()
        self.asked.append(question.action)
        assert action in ("", question.action)
        return question

    def obey(self, question: Question) -> dict[str, Any]:
        """Do what is asked, without a word: the answer is for the caller to send, or to lose."""
        if question.action == "SetChargingProfile":
            one = self.version == "1.6"
            profile = question.payload["csChargingProfiles" if one else "chargingProfile"]
            number = profile["chargingProfileId" if one else "id"]
            self.profiles[number] = profile
            self.evses[number] = question.payload["connectorId" if one else "evseId"]
            return {"status": "Accepted"}
        if question.action == "GetChargingProfiles":
            return {"status": "Accepted" if self.profiles else "NoProfiles"}
        assert question.action == "GetCompositeSchedule", question
        return self._composite(question.payload)

    def answer(self, question: Question) -> None:
        self.line.answer(question, self.obey(question))
        if question.action == "GetChargingProfiles" and self.profiles:
            self.list_profiles(question)

    def list_profiles(self, question: Question) -> None:
        """The parts that follow the answer, one for each profile (K09)."""
        last = len(self.profiles)
        for number, profile in enumerate(self.profiles.values(), 1):
            part = {
                "requestId": question.payload["requestId"],
                "chargingLimitSource": "CSO",
                "evseId": self.evses[profile["id"]],
                "tbc": number < last,
                "chargingProfile": [profile],
            }
            self.line.call("ReportChargingProfiles", part)

    def answer_all_for(self, seconds: float) -> None:
        """Obey and answer whatever is asked within this time."""
        deadline = time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            if self.line.is_asked(within_s=left_s):
                self.answer(self.question())

    def _composite(self, asked: dict[str, Any]) -> dict[str, Any]:
        limit = HARDWARE_A
        for profile in self.profiles.values():
            schedule = profile["chargingSchedule"]
            schedule = schedule[0] if isinstance(schedule, list) else schedule
            limit = min(limit, schedule["chargingSchedulePeriod"][0]["limit"])
        start = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        schedule = {
            "chargingRateUnit": "A",
            "duration": asked["duration"],
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
        }
        if self.version == "1.6":
            return {
                "status": "Accepted",
                "connectorId": asked["connectorId"],
                "scheduleStart": start,
                "chargingSchedule": schedule,
            }
        return {
            "status": "Accepted",
            "schedule": {"evseId": asked["evseId"], "scheduleStart": start, **schedule},
        }


def want(station: Station) -> DesiredProfile:
    """10 A for three days, wished for in this process."""
    now = timezone.now()
    return services.set_profile(
        station=station,
        evse_number=1,
        name="Net",
        purpose="tx_default",
        kind="absolute",
        unit="A",
        periods=[services.LimitPeriod(0, 10.0)],
        stack_level=1,
        start_schedule=now - timedelta(hours=1),
        duration_s=3 * 86_400,
        valid_to=now + timedelta(days=3),
        now=now,
    )
