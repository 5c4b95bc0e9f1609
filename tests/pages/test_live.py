"""The live stream: it says that something changed, to who may know, once a second at most."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client
from django.utils import timezone

from portal import live
from portal.pages.hub import Hub, hub
from stations import nudges, rollouts
from stations.models import Station
from tests.device.rows import make_template
from tests.factories import (
    make_driver,
    make_official,
    make_operator,
    make_session,
    make_staff,
    make_station,
    make_token,
)
from tests.pages.visiting import sees

STATION = 987_654


async def collect(stream: AsyncIterator[str], *, events: int, within_s: float = 60) -> list[str]:
    """The first `events` "changed" events of the stream."""
    found: list[str] = []

    async def read() -> None:
        async for text in stream:
            if text.startswith("event: changed"):
                found.append(text)
                if len(found) == events:
                    return

    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(read(), within_s)
    return found


class TestStream:
    async def test_a_commit_in_another_thread_reaches_the_page(self) -> None:
        stream = live.stream([STATION], hub.mark())
        assert (await anext(stream)).startswith("retry:")
        waiting = asyncio.create_task(collect(stream, events=1))
        await asyncio.sleep(0.05)
        teller = threading.Thread(target=lambda: nudges.deliver("pages", frozenset({STATION})))
        teller.start()
        told = await waiting
        teller.join()
        assert told == [f"event: changed\nid: {hub.mark()}\ndata: changed\n\n"]
        await stream.aclose()

    async def test_many_changes_are_one_event_a_second(self) -> None:
        stream = live.stream([STATION], hub.mark())
        waiting = asyncio.create_task(collect(stream, events=2))
        await asyncio.sleep(0.05)
        for _ in range(100):
            nudges.deliver("pages", frozenset({STATION}))
            await asyncio.sleep(0)
        assert len(await waiting) == 2  # at once, and what came within the second after it
        assert await collect(stream, events=1, within_s=1.6) == []
        await stream.aclose()

    async def test_another_station_is_not_told(self) -> None:
        stream = live.stream([STATION], hub.mark())
        waiting = asyncio.create_task(collect(stream, events=1, within_s=0.3))
        await asyncio.sleep(0.05)
        nudges.deliver("pages", frozenset({STATION + 1}))
        assert await waiting == []
        await stream.aclose()

    async def test_a_page_that_missed_something_is_told_at_once(self) -> None:
        seen = hub.mark()
        nudges.deliver("pages", frozenset({STATION}))
        stream = live.stream([STATION], seen)
        assert len(await collect(stream, events=1)) == 1
        await stream.aclose()

    @pytest.mark.parametrize("mark", ["", "x", "-", "abcdef12-", "0badcafe-7"])
    async def test_an_id_of_another_server_or_of_none_is_told_once_and_no_more(self, mark: str) -> None:
        stream = live.stream([STATION], mark)
        assert len(await collect(stream, events=2, within_s=1.6)) == 1
        await stream.aclose()

    async def test_what_another_station_did_meanwhile_is_no_news(self) -> None:
        seen = hub.mark()
        nudges.deliver("pages", frozenset({STATION + 1}))
        stream = live.stream([STATION], seen)
        assert await collect(stream, events=1, within_s=0.3) == []
        await stream.aclose()

    async def test_one_stream_follows_several_stations(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live, "COALESCE_LIST_S", 0.05)
        before = hub.open_pages()
        stream = live.stream([STATION, STATION + 1, STATION + 2], hub.mark())
        waiting = asyncio.create_task(collect(stream, events=2))
        await asyncio.sleep(0.05)
        assert hub.open_pages() == before + 1
        nudges.deliver("pages", frozenset({STATION, STATION + 2}))
        await asyncio.sleep(0.2)
        nudges.deliver("pages", frozenset({STATION + 1}))
        assert len(await waiting) == 2
        await stream.aclose()
        assert hub.open_pages() == before

    async def test_an_id_of_an_earlier_run_of_the_server_is_never_up_to_date(self) -> None:
        earlier, later = Hub(), Hub()
        assert later.is_behind(earlier.mark(), [STATION])
        assert not later.is_behind(later.mark(), [STATION])

    async def test_idle_stream_shows_that_it_lives(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(live, "HEARTBEAT_S", 0.05)
        stream = live.stream([STATION], hub.mark())
        await anext(stream)
        assert await anext(stream) == ": still here\n\n"
        await stream.aclose()

    async def test_stream_ends_by_itself_and_leaves_nothing_behind(self) -> None:
        before = hub.open_pages()
        stream = live.stream([STATION], hub.mark(), lifetime_s=0.1)
        async for _ in stream:
            assert hub.open_pages() == before + 1
        assert hub.open_pages() == before

    async def test_page_that_leaves_is_forgotten(self) -> None:
        before = hub.open_pages()
        stream = live.stream([STATION], hub.mark())
        await anext(stream)
        await stream.aclose()
        assert hub.open_pages() == before


@pytest.mark.django_db(transaction=True)
class TestWhoMayListen:
    async def test_staff_and_official_get_a_stream(self) -> None:
        await sync_to_async(make_station)("S-1")
        for make in (make_staff, make_official):
            client = AsyncClient()
            await client.aforce_login(await sync_to_async(make)())
            response = await client.get("/live/?station=S-1")
            assert response.status_code == 200
            assert response["Content-Type"] == "text/event-stream"
            assert response["Cache-Control"] == "no-store"
            response.close()

    async def test_stranger_and_unknown_station_are_not_found(self) -> None:
        await sync_to_async(make_station)("S-1")
        client = AsyncClient()
        await client.aforce_login(
            await sync_to_async(make_staff)(operator=await sync_to_async(make_operator)("beta"))
        )
        await sync_to_async(make_station)("B-1", operator=await sync_to_async(make_operator)("beta"))
        for query in (
            *("station=S-1", "station=NONE", "", "station=B-1&station=S-1", "station=B-1&station=NONE"),
            *("session=1", "session=x", "session=", "rollout=1", "rollout=x", "rollout="),
            "&".join(f"station=B-{number}" for number in range(live.MOST_STATIONS + 1)),
        ):
            assert (await client.get(f"/live/?{query}")).status_code == 404

    async def test_driver_follows_the_own_session_only(self) -> None:
        driver, other = await sync_to_async(make_driver)(), await sync_to_async(make_driver)()
        card = await sync_to_async(make_token)(user=driver)
        session = await sync_to_async(make_session)(token=card)
        for user, status in ((driver, 200), (other, 404)):
            client = AsyncClient()
            await client.aforce_login(user)
            response = await client.get(f"/live/?session={session.pk}")
            assert response.status_code == status
            response.close()

    async def test_who_is_not_signed_in_goes_to_the_door(self) -> None:
        assert (await AsyncClient().get("/live/?station=S-1")).status_code == 302


@pytest.mark.django_db
def test_without_asgi_the_browser_is_told_to_poll() -> None:
    make_station("S-1")
    client = Client()
    client.force_login(make_staff())
    assert client.get("/live/?station=S-1").status_code == 204


def streams(page: str) -> list[dict[str, list[str]]]:
    """What each stream of a page asks for."""
    addresses = re.findall(r'sse-connect="([^"]+)"', page)
    return [parse_qs(urlsplit(unescape(address)).query) for address in addresses]


@pytest.mark.django_db
class TestOneStreamForAPage:
    def test_a_list_follows_the_stations_that_it_shows(self) -> None:
        for number in range(3):
            make_station(f"S-{number}")
        make_station("B-1", operator=make_operator("beta"))
        (only,) = streams(sees(make_staff(), "/stations/", sort="identity"))
        assert only["station"] == ["S-0", "S-1", "S-2"]
        assert not hub.is_behind(only["since"][0], [1, 2, 3])
        (narrowed,) = streams(sees(make_staff(), "/stations/", q="S-1"))
        assert narrowed["station"] == ["S-1"]

    def test_an_empty_list_follows_nothing(self) -> None:
        page = sees(make_staff(), "/stations/")
        assert streams(page) == []
        assert "data-live-pause" not in page

    def test_two_running_sessions_are_followed_together(self) -> None:
        driver, now = make_driver(), timezone.now()
        card = make_token(user=driver)
        running = [
            make_session(make_station(), token=card, started_at=now, received_at=now) for _number in range(2)
        ]
        (only,) = streams(sees(driver, "/mijn/laden/"))
        assert sorted(only["session"]) == sorted(str(session.pk) for session in running)

    def test_a_roll_out_is_followed_where_it_is_under_way_and_then_no_more(self) -> None:
        make_station("S-1")
        template = make_template(("", "HeartbeatInterval", "60"), operator=make_operator())
        row = rollouts.start(
            template=template, stations=Station.objects.all(), requested_by=None, now=timezone.now()
        )
        path, staff = f"/configuratie/rondes/{row.pk}/", make_staff()
        (only,) = streams(sees(staff, path))
        assert only["rollout"] == [str(row.pk)]
        assert live.rollout_stations(row) == list(Station.objects.values_list("pk", flat=True))
        client = Client(headers={"HX-Request": "true"})
        client.force_login(staff)
        assert client.get(path).status_code == 200
        assert rollouts.cancel(rollout=row, now=timezone.now())
        assert client.get(path).status_code == 286  # htmx: this is the last of it
        assert streams(sees(staff, path)) == []
        assert live.rollout_stations(row) == []
