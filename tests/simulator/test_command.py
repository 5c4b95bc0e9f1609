"""`manage.py simulate_station`: what a person types and what it says back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from portal.simulator.cars import Car
from portal.simulator.spec import cars
from tests.simulator.csms import Csms
from tests.simulator.desk import Desk

ROOT = Path(__file__).resolve().parents[2]


def test_cars_as_typed() -> None:
    assert cars("1:11kW:60kWh:token=ABC,2:7.4kW:soc=80:after=30") == (
        (1, Car(battery_kwh=60, max_current_a=16, phases=3, token="ABC")),
        (2, Car(battery_kwh=60, max_current_a=32, phases=1, soc=0.8, after_s=30)),
    )
    assert cars("1:3.7kW:phases=1")[0][1].max_current_a == 16
    assert cars("") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1", "SOCKET:POWERkW"),
        ("x:11kW", "invalid literal"),
        ("1:11", "should end with kW"),
        ("1:11kW:60", "should end with kWh"),
        ("1:11kW:colour=red", "unknown: colour"),
        ("1:11kW:soc=150", "soc between"),
        ("1:11kW:phases=0", "car '1:11kW:phases=0'"),
        ("1:1kW", "at least 6 A"),
    ],
)
def test_cars_that_are_none(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        cars(text)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ocpp": "1.5"}, "choose 1.6, 2.0.1 or 2.1"),
        ({"url": "http://localhost/ocpp"}, "ws://"),
        ({"connection": "25A"}, "such as 3x25"),
        ({"defect": "explodes"}, "no-stacking"),
        ({"cars": "3:11kW"}, "no socket 3"),
        ({"sockets": 0}, "1 to 16 sockets"),
    ],
)
def test_what_cannot_be_says_what_can(options: dict[str, object], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        call_command(
            "simulate_station", "ST-1", **({"url": "ws://localhost:1/ocpp", "ocpp": "1.6"} | options)
        )


async def started(csms: Csms, *more: str, ocpp: str) -> asyncio.subprocess.Process:
    command = ["manage.py", "simulate_station", "ST-1", "--url", csms.url, "--ocpp", ocpp, *more]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said(process: asyncio.subprocess.Process) -> str:
    try:
        out, err = await asyncio.wait_for(process.communicate(), 60)
    except TimeoutError:
        process.kill()  # nothing is left behind
        raise
    return (out + err).decode()


@pytest.mark.parametrize(
    ("version", "stop"), [("1.6", signal.SIGTERM), ("2.0.1", signal.SIGINT)], indirect=["version"]
)
async def test_it_runs_without_a_database_until_told_to_stop(
    csms: Csms, version: str, stop: signal.Signals
) -> None:
    process = await started(
        csms, "--password", "secret", "--cars", "1:11kW:token=ABC", "--defect", "no-stacking", ocpp=version
    )
    try:
        action = "StartTransaction" if version == "1.6" else "TransactionEvent"
        await csms.until(lambda: csms.seen(action), "a car")
    finally:
        process.send_signal(stop)
        text = await said(process)
    assert process.returncode == 0, text
    assert [reason for _, reason in Desk(csms, version).endings()] == ["PowerLoss"]
    assert "ST-1: stopped" in text
    assert "Traceback" not in text
    assert "secret" not in text


@pytest.mark.parametrize("version", ["1.6"], indirect=True)
async def test_a_wrong_password_is_named(csms: Csms, version: str) -> None:
    text = await said(await started(csms, "--password", "guess", ocpp=version))
    assert "CommandError: ST-1 was refused with HTTP 401" in text
    assert "--password" in text
    assert "guess" not in text
