"""What a simulated station tells, in the eyes of the judge of requirement 211, which shares no code with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from portal.compliance.checks import registers
from portal.compliance.checks.registers_look import Setting
from portal.compliance.checks.registers_samples import Sample
from portal.simulator.cars import Car
from portal.simulator.spec import PastSession
from tests.simulator.conftest import Connect
from tests.simulator.csms import Csms, Payload
from tests.simulator.desk import Desk

DAY = datetime(2026, 3, 1, 8, tzinfo=UTC)
V2G = Car(battery_kwh=10, soc=0.6, discharge_a=16, discharges_at=0.61, discharges_to=0.3)
PAST = (
    PastSession(1, "A", DAY, DAY + timedelta(hours=6), 20_000, discharge_wh=14_000),
    PastSession(2, "B", DAY, DAY + timedelta(hours=6), 20_000),
)


def sample(evse: int, payload: Payload, value: Payload) -> Sample:
    """One meter value as the judge sees it."""
    told: dict[tuple[str, str | None], float] = {
        (row["measurand"], row.get("phase")): float(row["value"]) for row in value["sampledValue"]
    }
    transaction = payload.get("transactionInfo", {}).get("transactionId") or payload.get("transactionId")

    def triple(name: str) -> Any:
        return tuple(told.get((name, f"L{n}")) for n in (1, 2, 3))

    return Sample(
        at=datetime.fromisoformat(value["timestamp"]),
        received_at=DAY,
        transaction=f"{evse}/{transaction}",
        context=value["sampledValue"][0]["context"],
        import_wh=told.get(("Energy.Active.Import.Register", None)),
        export_wh=told.get(("Energy.Active.Export.Register", None)),
        import_w=told.get(("Power.Active.Import", None)),
        export_w=told.get(("Power.Active.Export", None)),
        import_a=triple("Current.Import"),
        export_a=triple("Current.Export"),
        soc=told.get(("SoC", None)),
    )


def samples(csms: Csms, evse: int) -> list[Sample]:
    """Those of a socket, in the order told."""
    found = []
    for call in csms.calls:
        payload = call.payload
        told = payload.get("connectorId") or payload.get("evse", {}).get("id") or payload.get("evseId")
        if told == evse and call.action in {"MeterValues", "TransactionEvent"}:
            found += [sample(evse, payload, v) for v in payload.get("meterValue", ()) if v["sampledValue"]]
    return found


def judged(csms: Csms, *, is_over: bool) -> tuple[str, str]:
    neighbours = tuple({sample.import_wh for sample in samples(csms, 2)})
    setting = Setting(1, max_power_w=17_250, is_over=is_over, claimed=True, neighbours=neighbours)
    finding = registers.judge(setting, samples(csms, 1))
    return finding.verdict, finding.code


VERDICTS = [
    (None, ("proven", "211.proven")),
    ("no-stacking", ("proven", "211.proven")),
    ("ten-periods", ("proven", "211.proven")),
    ("forgets-profiles-on-reboot", ("proven", "211.proven")),
    ("single-register", ("deviation", "211.no_export_rise")),
    ("netted-register", ("deviation", "211.netted")),
]


@pytest.mark.parametrize(("defect", "verdict"), VERDICTS)
async def test_a_past_in_which_a_car_gave_back(
    csms: Csms, connect: Connect, desk: Desk, defect: str | None, verdict: tuple[str, str]
) -> None:
    await connect(past=PAST, defect=defect, import_wh=2_000_000)
    await csms.until(lambda: len(desk.endings()) == 2, "both endings")
    assert judged(csms, is_over=True) == verdict


@pytest.mark.parametrize(
    ("defect", "verdict"),
    [
        (None, ("proven", "211.proven")),
        ("netted-register", ("deviation", "211.netted")),
        ("single-register", ("undecided", "211.too_little")),  # so short a time decides nothing
    ],
)
async def test_a_car_that_gives_back_now(
    csms: Csms, connect: Connect, desk: Desk, defect: str | None, verdict: tuple[str, str]
) -> None:
    station = await connect(meter_interval_s=10, defect=defect, import_wh=2_000_000)
    await station.plug_in(1, V2G, "A")

    def out() -> int:
        return sum(1 for sample in samples(csms, 1) if sample.flow == "out")

    await csms.until(lambda: out() >= 6, "six readings")
    await station.unplug(1)
    await csms.until(desk.endings, "the end")
    assert judged(csms, is_over=True) == verdict


async def test_charging_alone_decides_nothing(csms: Csms, connect: Connect, desk: Desk) -> None:
    await connect(past=PAST[1:], defect="single-register")
    await csms.until(desk.endings, "the end")
    assert judged(csms, is_over=True) == ("undecided", "211.no_discharge")
