"""A file from disk as a download, in pieces and from any byte on: nothing of it is held in memory.

Django's FileResponse knows no Range, and served by ASGI it reads the whole file before the first byte leaves.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

PIECE_BYTES = 1 << 18
_RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$")

# Told how far into the file the bytes that left reach.
Sent = Callable[[int], None]


def file_response(
    request: HttpRequest, path: Path, *, name: str, sha256: str, sent: Sent | None = None
) -> HttpResponse | StreamingHttpResponse:
    """The file as an attachment. A range that is not one is ignored (RFC 9110, 14.2), one outside the file is 416."""
    size = path.stat().st_size
    start, end, is_part = _wanted(request, size, sha256)
    if start >= end:
        response: HttpResponse | StreamingHttpResponse = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
        return response
    if request.method == "HEAD":
        response = HttpResponse()
    else:
        pieces = _pieces(path, start, end, sent)
        response = streamed(request, pieces)
    if is_part:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    response["Content-Type"] = "application/octet-stream"
    response["Content-Length"] = str(end - start)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"  # noqa: FBT003
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{sha256}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _wanted(request: HttpRequest, size: int, sha256: str) -> tuple[int, int, bool]:
    """From which byte to before which, and whether that is a part. Several ranges at once get the whole file."""
    found = _RANGE.match(request.headers.get("Range", ""))
    if found is None or not (found[1] or found[2]):
        return 0, size, False
    if request.headers.get("If-Range", f'"{sha256}"') != f'"{sha256}"':
        return 0, size, False
    if not found[1]:
        return max(0, size - int(found[2])), size, True
    last = int(found[2]) if found[2] else size - 1
    if last < int(found[1]):
        return (0, size, False) if int(found[1]) < size else (size, size, True)
    return int(found[1]), min(size, last + 1), True


def _pieces(path: Path, start: int, end: int, sent: Sent | None) -> Iterator[bytes]:
    at = told = start
    with path.open("rb") as file:
        file.seek(start)
        while at < end and (piece := file.read(min(PIECE_BYTES, end - at))):
            yield piece
            at += len(piece)
            if sent is not None and (at >= end or at - told >= 16 * PIECE_BYTES):
                sent(at)
                told = at


def streamed(request: HttpRequest, pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """A response that is made while it is sent; under ASGI each piece is made aside, so that the loop goes on."""
    return StreamingHttpResponse(_aside(pieces) if isinstance(request, ASGIRequest) else pieces)


async def _aside(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    step = sync_to_async(lambda: next(pieces, None))
    while (piece := await step()) is not None:
        yield piece
