"""What a form or a call did not offer cannot be set by sending it too; and no file keeps a name or size of its own."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from stations.models import AuditEntry, FirmwareImage
from tests.factories import make_operator
from tests.pages.test_access import World
from tests.security.asking import BY_LINK, asked, lines, roles_that

pytestmark = pytest.mark.django_db

# Columns that no form offers together with the bodies of the table.
EXTRA: dict[str, Any] = {
    "id": 999_999,
    "pk": 999_999,
    "is_superuser": "on",
    "is_staff": "on",
    "secret_hash": "x",
    "sealed_number": "x",
    "digest": "x",
    "requested_by": 1,
    "requested_by_id": 1,
    "decided_by": 1,
    "origin": "x",
    "operator_id": 999_999,
    "municipality_id": 999_999,
    "profile_id": 999_999,
    "template_name": "x",
    "sha256": "x",
    "made_by": "x",
}


def log_of(line: Any, world: World, role: str, extra: dict[str, Any]) -> tuple[int, list[Any]]:
    """The answer, and what was changed by it; the number of a new row is another each time."""
    with asked(line, world, role, extra=extra) as answer:
        rows = AuditEntry.objects.order_by("pk").values_list("action", "model", "changes")
        return answer.status_code, [
            (action, model, {name: each for name, each in changes.items() if name not in VOLATILE})
            for action, model, changes in rows
        ]


# Moments and numbers that are new each time.
VOLATILE = {"withdrawn_at", "put_back_at", "expires_at", "old_until", "fingerprint", "secret_hash", "hashes"}


def test_what_is_sent_too_changes_nothing(world: World) -> None:
    wrong = []
    for line in lines(writing=True):
        if line.address.startswith((*BY_LINK, "/account/", "/beheer/l")) or line.method == "DELETE":
            continue
        for role in roles_that(line, "->", "200", "201", "202")[-1:]:
            plain, more = (log_of(line, world, role, extra) for extra in ({}, EXTRA))
            if more != plain and more[0] != 400:
                wrong.append(f"{line}: {plain} became {more}")
    assert wrong == []


def test_a_station_keeps_what_its_form_only_shows(world: World) -> None:
    station = world.station
    world.client.cookies = world.cookies["manager"]
    body = {
        "site": station.site.pk,
        "name": "New",
        "ocpp_version": station.ocpp_version,
        "connection_phases": 3,
        "connection_a": 25,
        "identity": "STOLEN",
        "vendor": "x",
        "firmware": "x",
        "free_vend": "no_token",
        "security_profile": 0,
        "evses-TOTAL_FORMS": 0,
        "evses-INITIAL_FORMS": 0,
    }
    path = f"/beheer/stations/station/{station.pk}/change/"
    assert world.client.post(path, body).status_code == 302
    [entry] = AuditEntry.objects.filter(model="stations.station")
    assert entry.changes == {"name": ["", "New"]}


def test_nobody_gives_a_row_to_another_party(world: World) -> None:
    rival = make_operator("beta")
    world.client.cookies = world.cookies["manager"]
    body = {"operator": rival.pk, "name": "Taxi", "group_id": "GTAXI"}
    assert world.client.post("/beheer/stations/tokengroup/add/", body).status_code == 200
    assert not rival.token_groups.exists()


# ---------------------------------------------------------------- files
@pytest.mark.parametrize("name", ["fw.exe", "fw.html", "fw.bin.php", "bin", "fw.svg"])
def test_a_file_of_another_kind_is_refused(world: World, name: str) -> None:
    assert send(world, name) == 422
    assert FirmwareImage.objects.count() == 1  # the one of the world


@pytest.mark.parametrize(
    "name", ["../../etc/fw.bin", "..\\..\\fw.bin", '"><script>.bin', "fw\r\nX-Evil: 1.bin"]
)
def test_a_file_gets_a_harmless_name(world: World, name: str) -> None:
    send(world, name)
    for image in FirmwareImage.objects.all():
        assert not set(image.name) & set("/\\<>\"'\r\n ")
        assert not image.name.startswith(".")
        assert image.file.startswith("firmware/")
        assert ".." not in image.file


def test_a_file_that_is_too_large_is_refused(world: World, settings: Any) -> None:
    settings.FIRMWARE_MAX_BYTES = 10
    assert send(world, "fw.bin", b"x" * 11) == 422


def send(world: World, name: str, content: bytes = b"image") -> int:
    world.client.cookies = world.cookies["manager"]
    operator = world.station.site.operator
    body = {"operator": operator.pk, "version": "9", "notes": "", "file": SimpleUploadedFile(name, content)}
    code: int = world.client.post("/firmware/", body).status_code
    return code
