"""Who gets what at every address: each cell of access_table.py, asked of real rows, and no address left out."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.cookies import SimpleCookie
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin import site
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.utils import timezone

from portal.accounts import api_tokens, invitations
from portal.accounts.api_tokens import ApiToken
from portal.accounts.models import User
from portal.compliance.models import Probe, Requirement
from portal.notices.models import Notice
from portal.notices.webhooks import services as webhooks
from portal.notices.webhooks.telling import test_of as a_test_of
from smartcharging.models import DesiredProfile, Drift, ProfileReport, ReportedSchedule
from smartcharging.policies import DriftPolicy, SafeLimit
from smartcharging.services import LimitPeriod, set_profile
from stations import rollouts, uploads
from stations.models import (
    FirmwareImage,
    Frame,
    InstalledCertificate,
    Reservation,
    Station,
    StationCertificate,
    TokenGroup,
    VariableMonitor,
)
from stations.models.access import Role
from tests.compliance.fakes import append_evidence, make_online_station
from tests.device.rows import make_template
from tests.factories import (
    make_command,
    make_concession,
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_reading,
    make_session,
    make_staff,
    make_station,
    make_superuser,
    make_tariff,
    make_token,
)
from tests.pages import access_table as table
from tests.pages.visiting import want

pytestmark = pytest.mark.django_db

IDENTITY = "NL-EIGEN-0001"
SIGN_IN = ("/account/login/", "/beheer/login/")


# ---------------------------------------------------------------- the rows
@dataclass(frozen=True, slots=True)
class World:
    """One station with all that can hang on it, and everyone who may or may not see it."""

    client: Client
    cookies: dict[str, SimpleCookie]  # what the browser of each role brings along, once it is signed in
    station: Station
    names: dict[str, Any]  # what stands for {evidence}, {session}, ... in an address
    rows: dict[str, Any]  # one row of each model that the admin shows


@pytest.fixture
def world(settings: Any, tmp_path: Any) -> World:
    now = timezone.now()
    settings.UPLOAD_DIR = str(tmp_path)
    station = make_online_station(IDENTITY)
    driver = make_driver()
    token = make_token(user=driver)
    session = make_session(station, token=token, started_at=now)
    make_reading(station, transaction_id=session.transaction_id, sampled_at=now, import_wh=1200.0)
    command = make_command(station, "GetCompositeSchedule")
    Frame.objects.create(station=station, at=now, direction="in", kind="call", action="Heartbeat", text="[]")
    profile = _profile(station, now)
    proof = _evidence(station, now)
    probe = Probe.objects.create(
        station=station, requirement=proof.requirement, requested_at=now, state=Probe.State.DONE
    )
    drift = _drift(station, now)
    people = _people(driver)
    hashed = make_password("right-and-long-enough")
    for user in filter(None, people.values()):
        user.password = hashed
        user.save()
    names = {
        "concession": station.site.concession.slug,
        "code": proof.requirement.code,
        "evidence": proof.pk,
        "probe": probe.pk,
        "station": IDENTITY,
        "session": session.pk,
        "token": token.pk,
        "card": make_token("UNLINKED").pk,
        "profile": profile.pk,
        "command": command.pk,
        "drift": drift.pk,
        "lost": drift.desired_id,
        "reservation": _reservation(station, token, now).pk,
        "user": driver.pk,
        **_device_rows(station, now),
        **_people_rows(people, now),
        "certificate": _certificate(station, now).pk,
        "root": _root(station, now).pk,
        "ticket": _ticket(station, now),
        "image": _image(station, now),
        **_told_rows(people, station, now),
        "apitoken": api_tokens.make(user=driver, name="script", now=now, is_whole=True)[0].pk,
        "tariff": make_tariff().pk,
    }
    rows = _admin_rows(station, now=now, profile=profile, command=command, token=token, driver=driver)
    client = Client(headers={"accept-language": "en"})
    cookies = {role: _signed_in(client, user) for role, user in people.items()}
    return World(client=client, cookies=cookies, station=station, names=names, rows=rows)


def _signed_in(client: Client, user: User | None) -> SimpleCookie:
    client.cookies = SimpleCookie()
    if user:
        client.force_login(user)
    return client.cookies


def _people(driver: User) -> dict[str, User | None]:
    elsewhere = make_municipality("elders")
    rival = make_operator("beta")
    make_station(
        "NL-ANDER-0001", operator=rival, concession=make_concession(slug="elders", municipality=elsewhere)
    )
    staff: dict[str, Any] = {"is_staff": True}
    return {
        "anonymous": None,
        "official": make_official(**staff),
        "stranger": make_official(municipality=elsewhere, **staff),
        "reader": make_staff(role=Role.READER, **staff),
        "planner": make_staff(role=Role.PLANNER, **staff),
        "operator": make_staff(role=Role.OPERATOR, **staff),
        "manager": make_staff(role=Role.ADMINISTRATOR, **staff),
        "rival": make_staff(role=Role.ADMINISTRATOR, operator=rival, **staff),
        "driver": driver,
        "passer": make_driver(),
        "superuser": make_superuser(),
    }


def _people_rows(people: dict[str, User | None], now: dt.datetime) -> dict[str, Any]:
    """A colleague of those who work for the operator, and somebody who is invited."""
    manager = people["manager"]
    assert manager is not None
    operator = make_operator()
    invitation = invitations.invite(
        email="nieuw@example.test", role=Role.READER, party=operator, invited_by=manager, now=now
    )
    colleague = make_staff(operator=operator, role=Role.READER)
    factor = Authenticator.objects.create(user=colleague, type=Authenticator.Type.RECOVERY_CODES, data={})
    return {
        "membership": colleague.memberships.get().pk,
        "invitation": invitation.pk,
        "factor": factor.pk,
    }


def _told_rows(people: dict[str, User | None], station: Station, now: dt.datetime) -> dict[str, Any]:
    """What the manager was told, and a webhook of the operator that was tried."""
    said = {"station": IDENTITY, "label": IDENTITY, "since": now.isoformat()}
    manager: Any = people["manager"]
    notice = Notice.objects.create(
        user=manager,
        kind="station_silent",
        cause="x",
        at=now,
        made_at=now,
        station=station,
        operator=station.site.operator,
        data=said,
    )
    hook = {name: WEBHOOK[name] for name in ("name", "url", "events")}
    webhook, _secret = webhooks.make(operator=station.site.operator, **hook, now=now)
    delivery = a_test_of(webhook, now=now)
    return {"notice": notice.pk, "webhook": webhook.pk, "delivery": delivery.pk}


WEBHOOK: dict[str, Any] = {
    "operator": "alpha",
    "name": "Planning",
    "url": "https://hooks.example/laadbewijs",
    "events": ["deviation"],
}


def _profile(station: Station, now: dt.datetime) -> DesiredProfile:
    return set_profile(
        station=station,
        name="Basis",
        purpose="tx_default",
        kind="relative",
        unit="A",
        periods=[LimitPeriod(start_s=0, limit=10, phases=None)],
        stack_level=0,
        now=now,
    )


def _device_rows(station: Station, now: dt.datetime) -> dict[str, Any]:
    """A template with a roll-out of it; and since 1.6 has no monitors, a station of 2.1 with one."""
    template = make_template(("", "HeartbeatInterval", "60"), operator=station.site.operator)
    rollout = rollouts.start(template=template, stations=Station.objects.none(), requested_by=None, now=now)
    newer = make_station("NL-EIGEN-0021", version="2.1", site=station.site)
    monitor = VariableMonitor.objects.create(
        station=newer, component="EVSE#1", name="Power", kind="Delta", value=1, severity=5, read_at=now
    )
    DEVICE_BODIES["configuration-rollouts"]["template"] = template.pk
    return {
        "template": template.pk,
        "rollout": rollout.pk,
        "station2": newer.identity,
        "monitor": monitor.pk,
    }


DEVICE_BODIES: dict[str, dict[str, Any]] = {
    "monitors": {"component": "EVSE#1", "name": "Power", "kind": "Delta", "value": 1, "severity": 5},
    "monitoring": {"severity": 5},
    "configuration": {"wanted": [{"name": "HeartbeatInterval", "value": "60"}]},
    "configuration-templates": {"operator": "alpha", "name": "Nacht", "family": "1.6", "entries": []},
    "configuration-rollouts": {},
}


def _drift(station: Station, now: dt.datetime) -> Drift:
    """A limit that the station lost, and the list by which that was seen."""
    listed = make_command(station, "GetChargingProfiles")
    ProfileReport.objects.create(
        station=station, command=listed, request_id=1, asked_at=now, state=ProfileReport.State.COMPLETE
    )
    lost = want(station, "Lost", state="drifted", settled_at=now)
    return Drift.objects.create(desired=lost, found_at=now, occasion="reboot", reason_code="not_listed")


def _reservation(station: Station, token: Any, now: dt.datetime) -> Reservation:
    return Reservation.objects.create(
        station=station,
        evse_number=1,
        reservation_id=1,
        token=token,
        state="active",
        requested_at=now,
        expires_at=now + dt.timedelta(hours=1),
    )


def _ticket(station: Station, now: dt.datetime) -> int:
    ticket = uploads.ticket(station=station, kind="log", now=now)
    uploads.take_in(ticket.row, [b"log"], name="log", now=now)
    return ticket.request_id


def _image(station: Station, now: dt.datetime) -> int:
    operator = station.site.operator
    image = {"version": "2.0", "name": "fw.bin", "file": "firmware/none", "size": 1, "sha256": "0" * 64}
    return FirmwareImage.objects.create(operator=operator, uploaded_at=now, **image).pk


def _certificate(station: Station, now: dt.datetime) -> StationCertificate:
    return StationCertificate.objects.create(station=station, state="accepted", requested_at=now)


def _root(station: Station, now: dt.datetime) -> InstalledCertificate:
    return InstalledCertificate.objects.create(
        station=station,
        use="CentralSystemRootCertificate",
        state="installed",
        hash_algorithm="SHA256",
        issuer_name_hash="aa",
        issuer_key_hash="bb",
        serial_number="1",
        read_at=now,
    )


def _evidence(station: Station, now: dt.datetime) -> Any:
    return append_evidence(station, window=(now, now + dt.timedelta(seconds=12)), now=now)


def _admin_rows(
    station: Station, *, now: dt.datetime, profile: DesiredProfile, command: Any, token: Any, driver: User
) -> dict[str, Any]:
    reported = ReportedSchedule.objects.create(
        station=station, command=command, evse_number=0, read_at=now, state="read", unit="A"
    )
    return {
        "station": station,
        "site": station.site,
        "token": token,
        "tokengroup": TokenGroup.objects.create(operator=station.site.operator, name="Taxi"),
        "tariff": make_tariff(),
        "driftpolicy": DriftPolicy.objects.create(operator=station.site.operator),
        "safelimit": SafeLimit.objects.create(operator=station.site.operator),
        "municipality": station.site.concession.municipality,
        "operator": station.site.operator,
        "concession": station.site.concession,
        "desiredprofile": profile,
        "reportedschedule": reported,
        "user": driver,
        "emailaddress": EmailAddress.objects.create(user=driver, email=driver.email),
        "apitoken": ApiToken.objects.get(),
        "authenticator": Authenticator.objects.get(),
    }


# ---------------------------------------------------------------- the table
@dataclass(frozen=True, slots=True)
class Line:
    method: str
    address: str
    expected: tuple[str, ...]
    model: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


def lines_of(text: str) -> list[Line]:
    rows = [line.split() for line in text.strip().splitlines()[1:]]
    return [Line(method, address, tuple(cells)) for method, address, *cells in rows]


def admin_lines(group: str) -> Iterator[Line]:
    for model in table.ADMIN_MODELS[group]:
        for line in lines_of(table.ADMIN_TABLES[group]):
            yield replace(line, address=line.address.replace("{model}", MODELS[model]), model=model)


# Meta is how Django's own documentation reaches a model's name.
MODELS = {
    model._meta.model_name: f"{model._meta.app_label}/{model._meta.model_name}" for model in site._registry
}
TABLES = {
    "pages": lines_of(table.PAGES),
    "account": lines_of(table.ACCOUNT),
    "people": lines_of(table.PEOPLE),
    "api": lines_of(table.API),
    "admin": lines_of(table.ADMIN),
    **{f"admin: {group}": list(admin_lines(group)) for group in table.ADMIN_TABLES},
}
LINES = [line for lines in TABLES.values() for line in lines]


def body_of(line: Line, world: World) -> dict[str, Any]:
    """The least that each POST takes."""
    asked = Requirement.objects.get(code="206").pk
    bodies: dict[str, dict[str, Any]] = {
        "notitie": {"priority": "1", "comment": ""},
        "oordeel": {"status": "proven", "reason": "Seen."},
        "steekproef": {"station": world.station.pk, "requirement": asked},
        "taal": {"language": "en"},
        "loskoppelen": {"sure": "on"},
        "wissen": {"sure": "on"},
        "ongedaan": {"sure": "on"},
        "voorkeuren": {"charge_to_percent": "80"},
        "wachtwoord": {"sure": "on"},
        "intrekken": {"sure": "on"},
        "verwijderen": {"sure": "on"},
        "limiet": LIMIT,
        "{lost}": {"reason": "Later.", "until": f"{timezone.localdate():%d-%m-%Y}"},
        "commands": {"action": "Reset", "payload": {"type": "Soft"}},
        "profiles": PROFILE,
        "probes": {"station": IDENTITY, "requirement": "206"},
        "webhooks": WEBHOOK,
        **DEVICE_BODIES,
    }
    if line.method == "PUT":
        return DEVICE_BODIES["configuration-templates"] | WEBHOOK
    return bodies.get(line.address.strip("/").rpartition("/")[2], {})


LIMIT = {
    "name": "Avond",
    "place": "station",
    "unit": "A",
    "stack_level": "3",
    "when": "now",
    "hours": "4",
    "form-TOTAL_FORMS": "1",
    "form-INITIAL_FORMS": "0",
    "form-0-since": "00:00",
    "form-0-limit": "10",
}
PROFILE = {
    "station": IDENTITY,
    "name": "Avond",
    "purpose": "station_max",
    "kind": "recurring",
    "recurrency": "daily",
    "start_schedule": "2026-01-01T00:00:00Z",
    "unit": "A",
    "stack_level": 3,
    "valid_to": "2035-01-01T00:00:00Z",
    "periods": [{"start_s": 0, "limit": 10}],
}


def answer(line: Line, world: World, role: str) -> Any:
    # Signing in anew each time would take as long as the answers; one session of each role stands in the database.
    world.client.cookies = copy.deepcopy(world.cookies[role])  # an answer may change them
    row = world.rows.get(line.model)
    path = line.address.format(**world.names, row=row.pk if row else 1)
    more: dict[str, Any] = {"data": body_of(line, world)} if line.method in ("POST", "PUT") else {}
    if path.startswith("/api/"):
        more["content_type"] = "application/json"
    with transaction.atomic():  # whatever one role does, the next finds the rows as they were
        response = getattr(world.client, line.method.lower())(path, **more)
        transaction.set_rollback(True)
    return response


def cell(response: HttpResponse) -> str:
    if response.status_code != 302:
        return str(response.status_code)
    return "in" if response["Location"].startswith(SIGN_IN) else "->"


@pytest.mark.parametrize("name", TABLES)
def test_everyone_gets_what_the_table_says(world: World, name: str) -> None:
    wrong = []
    for line in TABLES[name]:
        for role, expected in zip(table.ROLES, line.expected, strict=True):
            response = answer(line, world, role)
            if (got := cell(response)) != expected:
                wrong.append(f"{line}: {role} gets {got}, not {expected}")
            elif role in table.STRANGERS and got == "200" and IDENTITY in response.getvalue().decode():
                wrong.append(f"{line}: {role} reads of a station that is none of theirs")
    assert not wrong, "\n".join(wrong)


# ---------------------------------------------------------------- nothing left out
def patterns(resolver: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for part in resolver.url_patterns:
        # As ResolverMatch.route joins them.
        route = prefix + (str(part.pattern).removeprefix("^") if prefix else str(part.pattern))
        if isinstance(part, URLResolver):
            yield from patterns(part, route)
        else:
            yield route, part


def asked() -> set[tuple[str, str]]:
    """(method, route) of all that the table asks, found by resolving its addresses."""
    sample: dict[str, Any] = dict.fromkeys(
        (
            "evidence",
            "probe",
            "session",
            "profile",
            "command",
            "drift",
            "reservation",
            "ticket",
            "image",
            "lost",
        ),
        1,
    )
    sample |= {"notice": 1, "webhook": 1, "delivery": 1, "apitoken": 1, "tariff": 1}
    sample |= {"token": 1, "card": 1, "membership": 1, "invitation": 1, "factor": 1}
    sample |= {"certificate": 1, "root": 1, "template": 1, "rollout": 1, "monitor": 1, "station2": "s"}
    sample |= {"concession": "c", "code": "206", "station": "s", "user": 1, "row": 1}
    return {(line.method, route_of(line.address.format(**sample))) for line in LINES}


def route_of(path: str) -> str:
    return resolve(path.partition("?")[0]).route


def test_every_address_is_in_the_table() -> None:
    known = {route for _, route in asked()}
    missing = [route for route, _ in patterns(get_resolver()) if route not in known]
    assert not missing, f"add them to access_table.py: {missing}"


def test_every_method_of_the_api_is_in_the_table() -> None:
    offered = {
        (method.upper(), route)
        for route, pattern in patterns(get_resolver())
        for method in getattr(pattern.callback, "actions", None) or ()
        if method != "head"
    }
    assert offered - asked() == set()


def test_what_changes_something_is_not_done_by_a_link(world: World) -> None:
    """A GET of an address that takes only a POST is refused, or asks first."""
    answered_with_a_page = {line.address for line in LINES if line.method == "GET"}
    client = Client()
    client.force_login(User.objects.get(is_superuser=True))
    for line in LINES:
        if line.method == "POST" and line.address not in answered_with_a_page:
            got = client.get(line.address.format(**world.names)).status_code
            assert got == (302 if line.address == "/taal/" else 405), line
