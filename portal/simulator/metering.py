"""The meter behind each socket: two registers that only rise, and what flows now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

PERIODIC, CLOCK, BEGIN, END, TRIGGER = (
    "Sample.Periodic",
    "Sample.Clock",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading. Registers in Wh, amperes and volts for L1, L2, L3; `soc` in percent."""

    at: datetime
    context: str
    import_wh: float
    export_wh: float
    power_w: float
    currents_a: tuple[float, float, float]
    voltages_v: tuple[float, float, float]
    offered_a: float
    soc: float | None = None

    def values(self) -> list[tuple[str, str, str | None, str, float]]:
        """(measurand, unit, phase, location, value), in OCPP's own names, the same in 1.6 and 2.x."""
        rows: list[tuple[str, str, str | None, str, float]] = [
            ("Energy.Active.Import.Register", "Wh", None, "Outlet", round(self.import_wh, 1)),
            ("Energy.Active.Export.Register", "Wh", None, "Outlet", round(self.export_wh, 1)),
            ("Power.Active.Import", "W", None, "Outlet", round(self.power_w, 1)),
        ]
        rows += [
            ("Current.Import", "A", f"L{n}", "Outlet", round(amperes, 2))
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


MEASURANDS = (
    "Energy.Active.Import.Register",
    "Energy.Active.Export.Register",
    "Power.Active.Import",
    "Current.Import",
    "Voltage",
    "Current.Offered",
    "SoC",
)


def voltages(currents_a: tuple[float, float, float]) -> tuple[float, float, float]:
    """The grid sags a little under load and is never quite even."""
    rest_v = (229.8, 229.4, 229.6)
    one, two, three = (rest - 0.05 * amperes for rest, amperes in zip(rest_v, currents_a, strict=True))
    return one, two, three


class Meter:
    """Registers in Wh; `flow` integrates amperes per phase over time."""

    def __init__(self, import_wh: float = 0.0, export_wh: float = 0.0) -> None:
        self.import_wh = import_wh
        self.export_wh = export_wh
        self.currents_a = (0.0, 0.0, 0.0)

    @property
    def power_w(self) -> float:
        return sum(a * v for a, v in zip(self.currents_a, voltages(self.currents_a), strict=True))

    def flow(self, amperes: float, phases: int, dt_s: float) -> float:
        """`amperes` on the first `phases` phases for `dt_s`; returns the energy in Wh."""
        one, two, three = (amperes if phase < phases else 0.0 for phase in range(3))
        self.currents_a = (one, two, three)
        energy_wh = self.power_w * dt_s / 3600
        self.import_wh += energy_wh
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
        )
