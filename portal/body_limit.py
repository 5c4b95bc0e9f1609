"""How much a request may bring, before Django has kept any of it: it spools a body to disk whole, whatever its size.

In front of the application: 413 where a body is larger than its address takes, 507 where the disk takes no more.
The answer goes out at once, and what still comes is read and dropped for a while: a line that is closed with bytes
unread is reset, and a client that is still sending would see a broken line instead of the answer.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from django.conf import settings

from portal.pages.refusals import too_large

_FULL = (errno.ENOSPC, errno.EDQUOT)
# A form has boundaries and fields around its file.
_AROUND_BYTES = 1 << 20
# As nginx does (lingering_time, lingering_timeout): so long in all, and so long without a byte.
LINGER_S, SILENT_S = 30, 5


class BodyTooLarge(Exception):
    """More came than was allowed."""


class _Body:
    """The body of one request, as it comes in."""

    def __init__(self, receive: Any, most: int) -> None:
        self._receive, self._most = receive, most
        self._came, self._has_ended = 0, False

    async def next(self) -> Any:
        """Raises BodyTooLarge."""
        message = await self._receive()
        self._came += len(message.get("body", b""))
        self._has_ended = not message.get("more_body")
        if self._came > self._most:
            raise BodyTooLarge
        return message

    async def drop_the_rest(self) -> None:
        """Read on until the client has sent all or is gone, is silent, or has had its time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while not self._has_ended:
                    message = await asyncio.wait_for(self._receive(), SILENT_S)
                    self._has_ended = not message.get("more_body")


class BodyLimit:
    """An ASGI application around another; `told` hears the path of what was too large, and what its sender was told."""

    def __init__(self, application: Any, told: Callable[[str, str], Awaitable[None]]) -> None:
        self._application, self._told = application, told

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        most, started = _most(scope["path"]), False
        body = _Body(receive, most)

        async def noticed(message: dict[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        if _announced(scope) > most:
            return await self._refuse_size(scope, send, body)
        try:
            await self._application(scope, body.next, noticed)
        except BodyTooLarge:
            if not started:
                await self._refuse_size(scope, send, body)
        except OSError as error:
            if started or error.errno not in _FULL:
                raise
            await _refuse(send, body, 507, "There is no room for this now. Try again later.")

    async def _refuse_size(self, scope: dict[str, Any], send: Any, body: _Body) -> None:
        most = _most(scope["path"])
        text = f"This is too large: at most {most} bytes. Send a smaller file, or in parts."
        await self._told(scope["path"], text)
        await _refuse(send, body, 413, text, page=too_large(scope, most=most))


def _most(path: str) -> int:
    if path.startswith("/ontvangst/"):
        return int(settings.UPLOAD_MAX_BYTES) + _AROUND_BYTES
    if path.startswith("/firmware/"):
        return int(settings.FIRMWARE_MAX_BYTES) + _AROUND_BYTES
    return int(settings.REQUEST_MAX_BYTES)


def _announced(scope: dict[str, Any]) -> int:
    text = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Any, body: _Body, status: int, text: str, *, page: str = "") -> None:
    """The whole answer is out before the rest of the body is read; only then it ends."""
    said = (page or f"{text}\n").encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8" if page else b"text/plain; charset=utf-8"),
        (b"content-length", str(len(said)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said, "more_body": True})
    await body.drop_the_rest()
    await send({"type": "http.response.body", "body": b""})
