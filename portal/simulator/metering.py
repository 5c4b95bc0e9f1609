"""The meter behind each socket: two registers that only rise, and what flows now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.simulator.defects import NONE, Defect

PERIODIC, CLOCK, BEGIN, END, TRIGGER = (
    "Sample.Periodic",
    "Sample.Clock",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading. Registers in Wh, amperes and volts for L1, L2, L3; `soc` in percent.

    Power and currents are below 0 while they flow out of the car. `apart`: they are told in measurands of their own
    then; else as import below 0.
    """

    at: datetime
    context: str
    import_wh: float
    export_wh: float
    power_w: float
    currents_a: tuple[float, float, float]
    voltages_v: tuple[float, float, float]
    offered_a: float
    soc: float | None = None
    apart: bool = True

    def values(self) -> list[tuple[str, str, str | None, str, float]]:
        """(measurand, unit, phase, location, value), in OCPP's own names, the same in 1.6 and 2.x."""
        rows: list[tuple[str, str, str | None, str, float]] = [
            ("Energy.Active.Import.Register", "Wh", None, "Outlet", round(self.import_wh, 1)),
            ("Energy.Active.Export.Register", "Wh", None, "Outlet", round(self.export_wh, 1)),
        ]
        ways = [("Import", 1), ("Export", -1)] if self.apart else [("Import", 1)]
        for way, sign in ways:
            rows.append((f"Power.Active.{way}", "W", None, "Outlet", self._flow(self.power_w * sign, 1)))
            rows += [
                (f"Current.{way}", "A", f"L{n}", "Outlet", self._flow(amperes * sign, 2))
                for n, amperes in enumerate(self.currents_a, start=1)
            ]
        rows += [
            ("Voltage", "V", f"L{n}-N", "Outlet", round(volts, 1))
            for n, volts in enumerate(self.voltages_v, start=1)
        ]
        rows.append(("Current.Offered", "A", None, "Outlet", round(self.offered_a, 1)))
        if self.soc is not None:
            rows.append(("SoC", "Percent", None, "EV", round(self.soc, 1)))
        return rows

    def _flow(self, value: float, digits: int) -> float:
        return round(value, digits) if value > 0 or not self.apart else 0.0


MEASURANDS = (
    "Energy.Active.Import.Register",
    "Energy.Active.Export.Register",
    "Power.Active.Import",
    "Power.Active.Export",
    "Current.Import",
    "Current.Export",
    "Voltage",
    "Current.Offered",
    "SoC",
)


def voltages(currents_a: tuple[float, float, float]) -> tuple[float, float, float]:
    """The grid sags a little under load and is never quite even."""
    rest_v = (229.8, 229.4, 229.6)
    one, two, three = (rest - 0.05 * amperes for rest, amperes in zip(rest_v, currents_a, strict=True))
    return one, two, three


def offered(defect: Defect) -> tuple[str, ...]:
    """The measurands a station says it has. A register that stands still is claimed all the same."""
    export_flow = {"Power.Active.Export", "Current.Export"}
    return tuple(name for name in MEASURANDS if not (defect.single_register and name in export_flow))


class Meter:
    """`taken_wh` went into cars and `given_wh` came out of them, ever; the registers are what the meter makes of it.

    `flow` integrates amperes per phase over time, below 0 out of the car.
    """

    def __init__(self, taken_wh: float = 0.0, given_wh: float = 0.0, *, defect: Defect = NONE) -> None:
        self.taken_wh = taken_wh
        self.given_wh = given_wh
        self.currents_a = (0.0, 0.0, 0.0)
        self._defect = defect

    @property
    def import_wh(self) -> float:
        return self.taken_wh - (self.given_wh if self._defect.netted_register else 0.0)

    @property
    def export_wh(self) -> float:
        one = self._defect.single_register or self._defect.netted_register
        return 0.0 if one else self.given_wh

    @property
    def power_w(self) -> float:
        return sum(a * v for a, v in zip(self.currents_a, voltages(self.currents_a), strict=True))

    def flow(self, amperes: float, phases: int, dt_s: float) -> float:
        """`amperes` on the first `phases` phases for `dt_s`; returns the energy in Wh. One register counts at most."""
        one, two, three = (amperes if phase < phases else 0.0 for phase in range(3))
        self.currents_a = (one, two, three)
        energy_wh = self.power_w * dt_s / 3600
        self.taken_wh += max(energy_wh, 0.0)
        self.given_wh += max(-energy_wh, 0.0)
        return energy_wh

    def sample(self, at: datetime, context: str, *, offered_a: float, soc: float | None) -> Sample:
        return Sample(
            at=at,
            context=context,
            import_wh=self.import_wh,
            export_wh=self.export_wh,
            power_w=self.power_w,
            currents_a=self.currents_a,
            voltages_v=voltages(self.currents_a),
            offered_a=offered_a,
            soc=None if soc is None else soc * 100,
            apart=not self._defect.single_register,
        )
