"""What an operator's own system gets: signed, again for a day until it is taken, and never from within our network."""

from __future__ import annotations

import datetime as dt
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from portal.notices import telling
from portal.notices.models import Notice
from portal.notices.webhooks import delivering, guard, services
from portal.notices.webhooks.models import Delivery, Endpoint
from stations import events
from stations.models.access import Role
from tests.factories import make_operator, make_session, make_staff, make_station
from tests.notices.endpoint import listening
from tests.notices.test_telling import gone
from tests.pages.visiting import sees

pytestmark = pytest.mark.django_db

EVERYTHING = ["deviation", "station_silent", "session_started", "session_ended"]


@pytest.fixture(autouse=True)
def to_this_machine(settings: Any) -> None:
    settings.WEBHOOKS_TO_PRIVATE = True


def make(url: str, *, events: list[str] | None = None) -> tuple[Endpoint, str]:
    return services.make(
        operator=make_operator(), name="Planning", url=url, events=events or EVERYTHING, now=timezone.now()
    )


def silent(identity: str = "NL-STIL-1") -> None:
    gone(make_station(identity))
    telling.look(timezone.now())


def deliver() -> None:
    """The round, with every pause over."""
    Delivery.objects.filter(state="waiting").update(due_at=timezone.now() - dt.timedelta(seconds=1))
    for endpoint_id in set(Delivery.objects.due(timezone.now()).values_list("endpoint", flat=True)):
        delivering.deliver(endpoint_id)


def row() -> Delivery:
    return Delivery.objects.get()


# ---------------------------------------------------------------- what is sent
def test_what_happens_is_sent_signed_with_who_and_where() -> None:
    with listening() as endpoint:
        _, secret = make(endpoint.url)
        silent()
        deliver()
        deliver()
        (message,) = endpoint.taken
    assert message.path == "/hook?key=1"
    assert message.is_signed_with(secret)
    assert not message.is_signed_with("whsec_" + "A" * 43 + "=")
    assert abs(int(message.headers["webhook-timestamp"]) - time.time()) < 60
    assert message.said["type"] == "station_silent"
    assert message.said["data"]["id"] == message.headers["webhook-id"]
    assert message.said["data"]["subject"] == {"kind": "station", "id": "NL-STIL-1"}
    assert message.said["data"]["api"] == "http://localhost:8000/api/v1/stations/NL-STIL-1/"
    assert (row().state, row().answer_code, row().attempts) == ("sent", 204, 1)


def test_sessions_are_told_once_without_the_card() -> None:
    with listening() as endpoint:
        make(endpoint.url)
        station, now = make_station("NL-LAAD-1"), timezone.now()
        telling.look(now)
        session = make_session(station, token_digest="hidden")
        for kind in (events.Kind.SESSION_STARTED, events.Kind.SESSION_ENDED):
            said = {"session": session.pk, "evse": 1}
            events.record(station_id=station.pk, kind=kind, at=now, now=now, data=said)
        for _ in range(3):
            telling.look(timezone.now())
        deliver()
        assert [message.said["type"] for message in endpoint.taken] == ["session_started", "session_ended"]
        assert b"hidden" not in endpoint.taken[0].body
        assert endpoint.taken[0].said["data"]["api"].endswith(f"/api/v1/sessions/{session.pk}/")


def test_only_what_was_asked_for_is_sent_and_only_of_the_own_operator() -> None:
    with listening() as endpoint:
        make(endpoint.url, events=["deviation"])
        silent()
        deliver()
        assert endpoint.taken == []
    with listening() as endpoint:
        make(endpoint.url)
        gone(make_station("NL-HUN-1", operator=make_operator("beta")))
        telling.look(timezone.now())
        deliver()
        assert endpoint.taken == []


def test_both_secrets_sign_for_a_day_after_a_rotation() -> None:
    with listening() as endpoint:
        hook, before = make(endpoint.url)
        after = services.rotate(endpoint=hook, now=timezone.now())
        silent("NL-STIL-1")
        deliver()
        assert endpoint.taken[0].is_signed_with(before)
        assert endpoint.taken[0].is_signed_with(after)
        Endpoint.objects.update(old_until=timezone.now())
        silent("NL-STIL-2")
        deliver()
        assert not endpoint.taken[1].is_signed_with(before)
        assert endpoint.taken[1].is_signed_with(after)


# ---------------------------------------------------------------- what goes wrong
def test_a_refusal_is_tried_again_under_the_same_id_until_it_is_taken() -> None:
    with listening(500, 503, 200) as endpoint:
        make(endpoint.url)
        silent()
        deliver()
        assert (row().state, row().answer_code, row().problem) == ("waiting", 500, "refused")
        assert row().due_at > timezone.now() + dt.timedelta(seconds=4)
        deliver()
        assert row().due_at > timezone.now() + dt.timedelta(seconds=29)
        deliver()
        assert (row().state, row().answer_code, row().problem, row().attempts) == ("sent", 200, "", 3)
        assert len({message.headers["webhook-id"] for message in endpoint.taken}) == 1
        assert len({message.body for message in endpoint.taken}) == 1


@contextmanager
def silent_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The look-up of a name waits for a server that never answers. Yields the names that were asked for."""
    asked: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, monkeypatch.context() as patch:
        server.bind(("127.0.0.1", 0))
        lines: list[socket.socket] = []

        def waits(host: str, port: int, **_more: Any) -> Any:
            asked.append(host)
            line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            lines.append(line)
            line.connect(server.getsockname())
            line.send(host.encode())
            line.recv(512)
            raise OSError

        patch.setattr(socket, "getaddrinfo", waits)
        try:
            yield asked
        finally:
            for line in lines:  # whoever still waits goes
                server.sendto(b"", line.getsockname())


def test_a_name_that_is_not_looked_up_in_time_is_told_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "LOOKUP_S", 0.3)
    make("https://hook.example/in")
    silent()
    with silent_resolver(monkeypatch) as asked:
        start = time.monotonic()
        deliver()
        assert time.monotonic() - start < 3
    assert asked == ["hook.example"]
    assert (row().state, row().problem, row().answer_code, row().attempts) == ("waiting", "lookup", None, 1)
    assert row().due_at > timezone.now()
    page = sees(make_staff(role=Role.ADMINISTRATOR), f"/webhooks/{row().endpoint_id}/")
    assert "its name was not found in time" in page


def test_look_ups_that_hang_do_not_pile_up_and_leave_the_next_ones_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard, "LOOKUP_S", 0.05)
    with silent_resolver(monkeypatch) as asked:
        for _ in range(guard.MOST_LOOKUPS + 3):
            with pytest.raises(guard.Unreachable) as caught:
                guard.post("https://hook.example/in", body=b"", headers={})
            assert caught.value.problem == "lookup"
        assert len(asked) == guard.MOST_LOOKUPS
    with listening() as endpoint:
        monkeypatch.setattr(guard, "LOOKUP_S", 5.0)
        assert guard.post(endpoint.url, body=b"{}", headers={}).status == 204


@pytest.mark.parametrize("how", ["hang", "drip"])
def test_an_endpoint_that_does_not_come_to_an_end_is_left(monkeypatch: Any, how: str) -> None:
    monkeypatch.setattr(guard, "ANSWER_S", 1.0)
    with listening(how) as endpoint:
        make(endpoint.url)
        silent("NL-STIL-1")
        silent("NL-STIL-2")
        start = time.monotonic()
        deliver()
        assert time.monotonic() - start < 5
        assert len(endpoint.taken) == 1  # the second waits for another round
    first, second = Delivery.objects.order_by("pk")
    assert (first.state, first.problem) == ("waiting", "timeout")
    assert second.attempts == 0


def test_nobody_there_is_a_problem_with_a_name() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    make(f"http://127.0.0.1:{port}/")
    silent()
    deliver()
    assert (row().state, row().problem) == ("waiting", "connection")


def test_a_redirect_is_not_followed() -> None:
    with listening() as inside, listening(inside.url) as endpoint:
        make(endpoint.url)
        silent()
        deliver()
        assert inside.taken == []
        assert (row().answer_code, row().problem) == (302, "redirect")


def test_after_a_day_it_is_given_up_and_its_owner_told_and_a_test_turns_it_on_again() -> None:
    manager, operator = make_staff(role=Role.ADMINISTRATOR), make_staff()
    with listening(500) as endpoint:
        hook, _ = make(endpoint.url)
        silent()
        for _ in range(len(delivering.PAUSES) + 1):
            deliver()
        assert row().state == "failed"
        hook.refresh_from_db()
        assert hook.state == "failing"
        assert [n.kind for n in Notice.objects.of(operator)] == ["station_silent"]
        assert {n.kind for n in Notice.objects.of(manager)} == {"station_silent", "webhook_failing"}
        assert "The webhook “Planning” fails" in sees(manager, "/meldingen/")
        silent("NL-STIL-2")  # nothing new is kept for it
        assert Delivery.objects.count() == 1
        endpoint.answers = [204]
        client = Client()
        client.force_login(manager)
        client.post(f"/webhooks/{hook.pk}/proef/")
        deliver()
        hook.refresh_from_db()
        assert hook.state == "on"
        assert endpoint.taken[-1].said["type"] == "test"


def test_two_processes_do_not_both_send_one_message() -> None:
    make("http://127.0.0.1:9/")
    silent()
    one, other = row(), row()
    now = timezone.now()
    assert delivering.claim(one, now)
    assert not delivering.claim(other, now)


# ---------------------------------------------------------------- where it may go
@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.8:8443/x",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://[2002:7f00:1::]/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://user:word@example.org/",
        "https:///path",
        "https://example.org:0/",
        "https://example.org:99999/",
        "ftp://example.org/",
        "https://exa mple.org/",
        "gopher",
    ],
)
def test_addresses_that_nothing_is_sent_to(settings: Any, url: str) -> None:
    settings.WEBHOOKS_TO_PRIVATE = False
    manager = make_staff(role=Role.ADMINISTRATOR)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(manager)
    said = {"operator": make_operator().pk, "name": "x", "url": url, "events": ["deviation"]}
    assert client.post("/webhooks/nieuw/", said).status_code == 422
    assert Endpoint.objects.count() == 0
    with pytest.raises(guard.Unreachable):
        guard.post(url, body=b"{}", headers={})


def test_a_name_that_leads_to_this_machine_is_not_connected_to(settings: Any) -> None:
    """The name is fine; what it means shows only when it is resolved, which is when it is connected to."""
    settings.WEBHOOKS_TO_PRIVATE = False
    with listening() as inside:
        make(f"https://localhost:{inside.server.server_address[1]}/")
        silent()
        deliver()
        assert inside.taken == []
    assert row().problem == "private"


# ---------------------------------------------------------------- the pages
def test_an_administrator_adds_one_sees_its_secret_once_and_sends_again() -> None:
    manager = make_staff(role=Role.ADMINISTRATOR)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(manager)
    with listening(500, 200) as endpoint:
        said = {"operator": make_operator().pk, "name": "Planning", "url": endpoint.url}
        page = client.post("/webhooks/nieuw/", said | {"events": ["station_silent"]})
        hook = Endpoint.objects.get()
        assert b"whsec_" in page.content
        assert page["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
        assert "whsec_" not in sees(manager, f"/webhooks/{hook.pk}/")
        assert "whsec_" not in hook.sealed_secret
        silent()
        deliver()
        assert "it refused" in sees(manager, f"/webhooks/{hook.pk}/")
        Delivery.objects.update(state="failed")
        client.post(f"/webhooks/{hook.pk}/leveringen/{row().pk}/opnieuw/")
        deliver()
        assert row().state == "sent"
        assert "delivered" in sees(manager, f"/webhooks/{hook.pk}/")


def test_nothing_is_sent_to_one_that_is_off() -> None:
    with listening() as endpoint:
        hook, _ = make(endpoint.url)
        silent()
        services.change(endpoint=hook, name="x", url=endpoint.url, events=EVERYTHING, is_on=False)
        deliver()
        assert endpoint.taken == []
