"""What somebody at a browser reads where a request is turned away before, or without, a view of ours."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import translation
from django.views.defaults import page_not_found

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what is too large is told apart from what cannot be understood."""
    status = 413 if isinstance(exception, RequestDataTooBig) else 400
    if _is_of_a_program(request):
        return JsonResponse({"detail": "This request is too large, or cannot be understood."}, status=status)
    return render(request, f"{status}.html", status=status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404. A program reads JSON, also at an address that leads to no view."""
    if _is_of_a_program(request):
        return JsonResponse({"detail": "Not found."}, status=404)
    return page_not_found(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's handler500, once the log has what went wrong. The reference is that of the head X-Request-ID."""
    # There is none where it failed before it was a visit (portal.visits).
    reference = getattr(request, "reference", "")
    logger.error("What went wrong just now has the reference %s", reference or "-")
    if _is_of_a_program(request):
        said = {"detail": "Something went wrong on our side. It is in our log.", "reference": reference}
        return JsonResponse(said, status=500)
    # Without the request: no context processor may look at a user or a database that is not there.
    return HttpResponse(render_to_string("500.html", {"reference": reference}), status=500)


def _is_of_a_program(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def too_large(scope: dict[str, Any], *, most: int) -> str:
    """The page of a 413 in the reader's language, for who asks for pages; empty for a station or a program."""
    accepts = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    if b"text/html" not in accepts:
        return ""
    with translation.override(translation.get_language_from_request(ASGIRequest(scope, BytesIO()))):
        return render_to_string("413.html", {"most": most})
