"""A TCP proxy on loopback that can be cut, or hold everything back, between a server and what it leans on."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from types import TracebackType


class Proxy:
    """Passes all bytes to `target` (host, port) until told otherwise. Runs in a thread of its own from the start."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self._loop = asyncio.new_event_loop()
        self._lines: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True).start()
        self.port: int = self._do(self._listen())

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def cut(self) -> None:
        """Every line is reset, and a new one too as soon as it comes."""
        self._do(self._cut())

    def hold(self) -> None:
        """Lines stay, and new ones are taken; but nothing comes through, as where a cable was pulled."""
        self._do(self._set_passing(False))

    def restore(self) -> None:
        """All as before; what was held back goes on."""
        self._do(self._set_passing(True))

    def stop(self) -> None:
        self.cut()
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    # ------------------------------------------------------------ in the thread

    def _do(self, work: object) -> int:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> int:
        self._passing = asyncio.Event()
        self._passing.set()
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _cut(self) -> None:
        self._is_cut = True
        for line in list(self._lines):
            line.transport.abort()

    async def _set_passing(self, passing: bool) -> None:
        self._is_cut = False
        if passing:
            self._passing.set()
        else:
            self._passing.clear()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        self._lines.add(writer)
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(*self.target)
            self._lines.add(back)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
            self._lines.discard(back)
        self._lines.discard(writer)
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._passing.wait()
                writer.write(data)
                await writer.drain()
        await self._passing.wait()
        writer.close()
