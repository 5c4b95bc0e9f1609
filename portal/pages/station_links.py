"""Where stations put their logs and fetch their firmware: no sign-in, only a signed link (stations.uploads).

PUT or POST of the file as it is, or of a form with a file in it; a name behind the link is the file's own. Answers
are plain text: who reads them is a station's log, or its maker's engineer.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from portal.pages.file_responses import file_response
from stations import uploads


@csrf_exempt
@login_not_required
@require_http_methods(["PUT", "POST"])
def receive(request: HttpRequest, pk: str, token: str, name: str | None = None) -> HttpResponse:
    """One file from a station."""
    now = timezone.now()
    try:
        ticket = uploads.ticket_of(int(pk), token, now=now)
        chunks, said = _file_of(request)
        uploads.take_in(ticket, chunks, name=name or said, now=now)
    except uploads.Refused as refused:
        return _plain(refused.text, refused.status)
    except (MultiPartParserError, RequestDataTooBig, TooManyFilesSent):
        return _plain("This form cannot be read.", 400)
    return _plain("Received.", 201)


@csrf_exempt
@login_not_required
def no_websocket(request: HttpRequest, identity: str) -> HttpResponse:
    """A browser, or a station whose proxy took the upgrade out, at the address of the endpoint."""
    answer = _plain(
        "This is the address of a charging station, over a WebSocket: connect with ws or wss, and with ocpp1.6, "
        "ocpp2.0.1 or ocpp2.1 in Sec-WebSocket-Protocol. A proxy in between has to pass Upgrade and Connection on.",
        426,
    )
    answer["Upgrade"] = "websocket"
    return answer


def _file_of(request: HttpRequest) -> tuple[Iterator[bytes], str]:
    """The bytes of the file, and its name where the request says it."""
    if request.content_type == "multipart/form-data":
        # Django reads forms of a POST only; a PUT may bring one as well.
        request.method = "POST"
        file = next(iter(request.FILES.values()), None)
        if not isinstance(file, UploadedFile):
            raise uploads.Refused(400, "There is no file in this form.")
        return iter(file.chunks(uploads.CHUNK_BYTES)), file.name or ""
    return iter(partial(request.read, uploads.CHUNK_BYTES), b""), ""


@login_not_required
@require_http_methods(["GET", "HEAD"])
def firmware(
    request: HttpRequest, pk: int, station_pk: int, token: str, name: str
) -> HttpResponse | StreamingHttpResponse:
    """Firmware for a station; it may go on where it broke off (Range)."""
    try:
        image = uploads.image_of(pk, station_pk, token)
    except uploads.Refused as refused:
        return _plain(refused.text, refused.status)
    path = uploads.place(image.file)
    if not path.is_file():
        return _plain("This firmware is no longer here.", 410)
    sent = partial(uploads.note_sent, pk, station_pk) if station_pk else None
    return file_response(request, path, name=image.name, sha256=image.sha256, sent=sent)


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8")
