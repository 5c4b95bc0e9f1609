"""What a program and a person get where something goes wrong that nobody foresaw: a real one, of the database."""

from __future__ import annotations

import logging
import re

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from tests.api.conftest import Signed
from tests.api.test_profiles import API
from tests.factories import make_staff, make_station

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_drifts() -> None:
    """The table is gone: whoever asks for it fails in the midst of an answer."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE smartcharging_drift RENAME TO smartcharging_gone")


@pytest.fixture
def program(signed: Signed) -> APIClient:
    client = signed(make_staff())
    client.raise_request_exception = False
    return client


@pytest.mark.usefixtures("no_drifts")
def test_a_program_gets_json_with_the_reference_that_is_in_the_log(
    program: APIClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = program.get(f"{API}/drifts/")
    assert answer.status_code == 500
    assert answer.headers["Content-Type"] == "application/json"
    said = answer.json()
    assert said["detail"] == "Something went wrong on our side. It is in our log."
    assert re.fullmatch(r"[0-9a-f]{32}", said["reference"])
    assert said["reference"] == answer.headers["X-Request-ID"]
    assert said["reference"] in caplog.text
    assert "smartcharging_drift" in caplog.text, "what went wrong is in the log"
    assert "smartcharging_drift" not in answer.content.decode(), "and not in the answer"


@pytest.mark.usefixtures("no_drifts")
def test_a_person_gets_a_page_with_the_same_reference() -> None:
    make_station("S-1")
    client = Client(headers={"Accept-Language": "en"}, raise_request_exception=False)
    client.force_login(make_staff())
    answer = client.get("/stations/S-1/teruggelezen/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something went wrong on our side" in page
    assert page.count(answer.headers["X-Request-ID"]) == 1


@pytest.mark.parametrize("path", ["nothing/", "stations/S-1/nothing/", "drifts/nothing/", "../v2/stations/"])
def test_an_address_that_leads_nowhere_is_told_in_json(program: APIClient, path: str) -> None:
    answer = program.get(f"{API}/{path}", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
