"""Each request is a visit: what its person changes is kept (stations.audit), and it has an id to ask after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from stations.audit import visiting

# In the answer, so that the log of the proxy, which knows the address, can be laid beside the audit log.
HEADER = "X-Request-ID"


@sync_and_async_middleware
def visits(get_response: Any) -> Callable[[HttpRequest], Any]:
    """The middleware. It makes the id itself: one from outside could be that of another request."""
    if iscoroutinefunction(get_response):

        async def aside(request: HttpRequest) -> HttpResponseBase:
            with visiting(request) as request_id:
                response: HttpResponseBase = await get_response(request)
            response.headers[HEADER] = request_id
            return response

        return aside

    def direct(request: HttpRequest) -> HttpResponseBase:
        with visiting(request) as request_id:
            response: HttpResponseBase = get_response(request)
        response.headers[HEADER] = request_id
        return response

    return direct
