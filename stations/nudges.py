"""Nudges: "look again", to whoever holds a socket or a page. The row is the truth; a nudge may be lost.

Two topics, both by station: `gateways` (a command waits) and `pages` (something to show has changed). Within this
process listeners are called directly, from whichever thread committed; they must not wait. Where there is a channel
layer that reaches other processes, one message goes to each process, never one to each station: per-station channels
overflow (2,000 at once lose 500).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any
from uuid import uuid4

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

Listener = Callable[[frozenset[int]], None]
Outlet = Callable[[dict[str, Any]], object]

GROUP = "processes"
_ORIGIN = uuid4().hex

logger = logging.getLogger(__name__)
_listeners: dict[str, list[Listener]] = {"gateways": [], "pages": []}


def listen_to_gateways(listener: Listener) -> Callable[[], None]:
    """Call `listener` with the station ids that have a command to send. Returns what ends it."""
    return _listen("gateways", listener)


def listen_to_pages(listener: Listener) -> Callable[[], None]:
    """Call `listener` with the station ids that changed. Returns what ends it."""
    return _listen("pages", listener)


def nudge_gateways(station_ids: Iterable[int]) -> None:
    """After the commit of this transaction: these stations have a command to send."""
    _after_commit("gateways", frozenset(station_ids))


def nudge_pages(station_ids: Iterable[int]) -> None:
    """After the commit of this transaction: what pages show of these stations has changed."""
    _after_commit("pages", frozenset(station_ids))


def deliver(topic: str, station_ids: frozenset[int]) -> None:
    """Tell the listeners of this process; not who is visiting: what they go on to do is nobody's (stations.audit)."""
    for listener in tuple(_listeners[topic]):
        try:
            Context().run(listener, station_ids)
        except Exception:  # a listener that breaks must not stop the writer or its neighbours
            logger.exception("A listener to %s failed", topic)


def _listen(topic: str, listener: Listener) -> Callable[[], None]:
    _listeners[topic].append(listener)
    return lambda: _listeners[topic].remove(listener)


def _after_commit(topic: str, station_ids: frozenset[int]) -> None:
    transaction.on_commit(lambda: _send(topic, station_ids))


def send_through(outlet: Outlet) -> None:
    """How this process reaches the others; a server hands it to its event loop, so that no writer waits for Redis."""
    global _outlet  # noqa: PLW0603 - one per process, set once at its start
    _outlet = outlet


def hear(message: dict[str, Any]) -> None:
    """Take in what another process sent; our own echo is not news."""
    if message["origin"] != _ORIGIN:
        deliver(message["topic"], frozenset(message["stations"]))


def _send(topic: str, station_ids: frozenset[int]) -> None:
    deliver(topic, station_ids)
    if not settings.REDIS_URL:
        return
    message = {"type": "nudge", "topic": topic, "stations": sorted(station_ids), "origin": _ORIGIN}
    try:
        _outlet(message)
    except Exception:  # Redis away: the row stands, and the gateways look by themselves
        logger.warning("A nudge to other processes was lost", exc_info=True)


def _send_and_wait(message: dict[str, Any]) -> None:
    async_to_sync(get_channel_layer().group_send)(GROUP, message)


_outlet: Outlet = _send_and_wait
