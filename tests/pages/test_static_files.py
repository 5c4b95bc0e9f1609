"""Style sheets and scripts as a browser gets them from the server, which speaks ASGI."""

from __future__ import annotations

from django.test import Client

SCRIPT = "/static/portal/portal.js"


def test_a_file_comes_whole_as_asgi_wants_it() -> None:
    answer = Client().get(SCRIPT)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert int(answer.headers["Content-Length"]) == len(answer.content) > 100
    assert not answer.streaming


def test_a_part_of_it_and_its_head() -> None:
    part = Client(headers={"Range": "bytes=3-9"}).get(SCRIPT)
    assert (part.status_code, len(part.content)) == (206, 7)
    assert part.content == Client().get(SCRIPT).content[3:10]
    assert Client().head(SCRIPT).content == b""


def test_what_is_not_there_is_not_found() -> None:
    assert Client().get("/static/portal/nothing.js").status_code == 404
