"""The calls of the papers and of the description are typed as they stand there, and work."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from string import Template
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from portal.api_schema import DESCRIPTION
from stations.models.access import Role
from tests.factories import make_api_key, make_capabilities, make_staff, make_station

PAPER = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
LINES = [
    line.strip()
    for text in (PAPER, DESCRIPTION.replace("\\\n", ""))
    for line in re.findall(r"^    (curl .*(?:\\\n.*)*)$", text, re.MULTILINE)
]


@pytest.mark.django_db
@pytest.mark.parametrize("line", LINES)
def test_it_works(line: str) -> None:
    station = make_station("NL-VOORBEELD-1")
    make_capabilities(station)
    key = make_api_key(make_staff(role=Role.ADMINISTRATOR))
    values = {"TOKEN": key, "PORTAL": "http://testserver", "STATION": station.identity}
    words = shlex.split(Template(line).substitute(values))
    headers = {words[at + 1].partition(": ")[0]: words[at + 1].partition(": ")[2] for at in _all("-H", words)}
    body = [words[at + 1] for at in _all("-d", words)]
    url = urlsplit(next(word for word in words if word.startswith("http")))
    path = f"{url.path}?{url.query}"
    client, kind = APIClient(), headers.pop("Content-Type", "application/json")
    answer = (
        client.post(path, body[0], content_type=kind, headers=headers)
        if body
        else client.get(path, headers=headers)
    )
    assert answer.status_code in {200, 201, 202}, answer.content


def _all(word: str, words: list[str]) -> list[int]:
    return [at for at, each in enumerate(words) if each == word]


def test_there_are_examples() -> None:
    assert len(LINES) >= 10
