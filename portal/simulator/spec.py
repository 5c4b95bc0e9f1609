"""How a simulated station is described, in Python and on the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from portal.simulator import defects
from portal.simulator.cars import Car

VERSIONS = ("1.6", "2.0.1", "2.1")


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session from before the station first reached the CSMS. Charges at `current_a` on `phases` from
    `started_at` until `energy_wh` is in, and stays plugged until `ended_at` (both aware). With `discharge_wh` the car
    rests for one to two sample intervals and then gives that back at `discharge_a`."""

    evse: int
    token: str
    started_at: datetime
    ended_at: datetime
    energy_wh: float
    current_a: float = 16.0
    phases: int = 3
    sample_interval_s: int = 900
    discharge_wh: float = 0.0
    discharge_a: float = 16.0


@dataclass(frozen=True, slots=True)
class StationSpec:
    """One station. `url` is the CSMS's base address; `connection` is "3x25": phases x amperes of the grid.
    `cars`: (evse, car) pairs, plugged in `car.after_s` after the first boot. `profile_store`: a file that keeps the
    charging profiles over restarts of the process; without it they live as long as the object. `memory`: a file for
    meters and open transactions, which are ended when the station starts after a cut. `import_wh`, `export_wh`: how
    the first meter stands at first; those of other sockets took in more. `external_limit_a`: a limit on
    the whole station, per phase, that is not the CSMS's. `secure_url`: the base address over TLS, for a station of 1.6
    that is told to raise its security profile; else the same address with wss."""

    identity: str
    url: str
    ocpp: str = "1.6"
    secure_url: str | None = None
    password: str | None = None
    sockets: int = 2
    connection: str = "3x25"
    socket_a: float = 32.0
    cars: tuple[tuple[int, Car], ...] = ()
    past: tuple[PastSession, ...] = ()
    defect: str | None = None
    meter_interval_s: int = 60
    vendor: str = "Laadbewijs"
    model: str = "Simulator"
    firmware: str = "1.0.0"
    serial: str | None = None
    import_wh: float = 0.0
    export_wh: float = 0.0
    external_limit_a: float | None = None
    boot_s: float = 2.0
    profile_store: Path | None = None
    memory: Path | None = None

    def __post_init__(self) -> None:
        if self.ocpp not in VERSIONS:
            raise ValueError(
                f"OCPP {self.ocpp} is not simulated; choose {', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}"
            )
        connection(self.connection)
        defects.named(self.defect)
        if not 1 <= self.sockets <= 16:
            raise ValueError("a station has 1 to 16 sockets")
        evses = {evse for evse, _ in self.cars} | {session.evse for session in self.past}
        if unknown := evses - set(range(1, self.sockets + 1)):
            raise ValueError(f"no socket {min(unknown)}: the station has {self.sockets}")


def connection(text: str) -> tuple[int, float]:
    """(phases, amperes) of "3x25"."""
    match = re.fullmatch(r"([13])x(\d{1,4}(?:\.\d+)?)", text)
    if match is None or float(match[2]) < 6:
        raise ValueError(f"{text!r} is no connection; write phases x amperes, such as 3x25 or 1x35")
    return int(match[1]), float(match[2])


CARS_SYNTAX = """\
cars, separated by commas, each SOCKET:POWERkW[:BATTERYkWh][:key=value]... :
  1:11kW:60kWh:token=ABC   at socket 1, 11 kW, 60 kWh, plugged in with token ABC
  2:7.4kW                  at socket 2, waits for a remote start (no token)
keys: token=TEXT, soc=0..100 (percent, default 30), phases=1..3 (default 1 up to 7.4 kW, else 3),
      after=SECONDS (arrives later), v2g=POWERkW (what it can give back), from=0..100 and to=0..100 (percent: gives
      back of its own accord from the one down to the other; to is 20 where not said)"""


def cars(text: str) -> tuple[tuple[int, Car], ...]:
    """The (socket, car) pairs of a --cars text; ValueError says which part is wrong."""
    return tuple(_car(part.strip()) for part in text.split(",") if part.strip())


def _car(text: str) -> tuple[int, Car]:
    socket, *fields = text.split(":")
    options = dict(field.split("=", 1) for field in fields if "=" in field)
    sizes = [field for field in fields if "=" not in field]
    try:
        power_kw = _size(sizes[0], "kW")
        battery_kwh = _size(sizes[1], "kWh") if len(sizes) > 1 else 60.0
        phases = int(options.pop("phases", 1 if power_kw <= 7.4 else 3))
        car = Car(
            battery_kwh=battery_kwh,
            soc=float(options.pop("soc", 30)) / 100,
            max_current_a=round(power_kw * 1000 / (230 * phases)),
            phases=phases,
            token=options.pop("token", None),
            after_s=float(options.pop("after", 0)),
            discharge_a=round(_size(options.pop("v2g", "0kW"), "kW") * 1000 / (230 * phases)),
            discharges_at=float(options.pop("from")) / 100 if "from" in options else None,
            discharges_to=float(options.pop("to", 20)) / 100,
        )
        if options or len(sizes) > 2:
            raise ValueError(f"unknown: {', '.join(options) or sizes[2]}")
        return int(socket), car
    except (ValueError, IndexError, ZeroDivisionError) as error:
        raise ValueError(f"car {text!r}: {error}\n{CARS_SYNTAX}") from None


def _size(text: str, unit: str) -> float:
    if not text.lower().endswith(unit.lower()):
        raise ValueError(f"{text!r} should end with {unit}")
    return float(text[: -len(unit)])
