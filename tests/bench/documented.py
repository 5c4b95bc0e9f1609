"""The documented example of the `ocpp` package, made from its documentation: validates, stores nothing."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.enums import Action
from websockets import Subprotocol


class ExampleStation(ChargePoint):
    @on(Action.meter_values)  # type: ignore[untyped-decorator]  # the package's own
    def on_meter_values(self, **values: Any) -> call_result.MeterValues:
        return call_result.MeterValues()


async def _connected(connection: Any) -> None:
    identity = connection.request.path.rsplit("/", 1)[-1]
    await ExampleStation(identity, connection).start()


async def main(port: int) -> None:
    async with websockets.serve(
        _connected, "127.0.0.1", port, subprotocols=[Subprotocol("ocpp1.6")]
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
