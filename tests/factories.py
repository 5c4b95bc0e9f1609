"""Plain functions that make what a test needs; every argument has a sensible default.

Parties are shared by slug: `make_station()` twice gives two stations of the same operator in one concession.
"""

from __future__ import annotations

import datetime as dt
import itertools
import uuid
from typing import Any

from portal.accounts import api_tokens
from portal.accounts.models import User
from stations.credentials import digest_token, hash_secret
from stations.models import (
    Capabilities,
    ChargingSession,
    Command,
    Concession,
    Connector,
    Evse,
    Membership,
    MeterReading,
    Municipality,
    Operator,
    Site,
    Station,
    Tariff,
    Token,
)
from stations.models.access import Role
from stations.sealing import seal

NOW = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
_numbers = itertools.count(1)


# ---------------------------------------------------------------- parties
def make_municipality(slug: str = "voorbeeldstad", **fields: Any) -> Municipality:
    return Municipality.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})[0]


def make_operator(slug: str = "alpha", **fields: Any) -> Operator:
    return Operator.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})[0]


def make_concession(
    *,
    slug: str = "concessie",
    municipality: Municipality | None = None,
    operators: tuple[Operator, ...] = (),
    **fields: Any,
) -> Concession:
    municipality = municipality or make_municipality()
    defaults = {
        "name": slug.title(),
        "municipality": municipality,
        "starts_on": dt.date(2025, 1, 1),
        **fields,
    }
    concession = Concession.objects.get_or_create(slug=slug, defaults=defaults)[0]
    concession.operators.add(*operators)
    return concession


# ---------------------------------------------------------------- people
def make_user(email: str = "", *, password: str | None = None, **fields: Any) -> User:
    """A user without any role: a driver. Without a password only `client.force_login` signs in."""
    return User.objects.create_user(email or f"user{next(_numbers)}@example.test", password, **fields)


def make_official(*, municipality: Municipality | None = None, **fields: Any) -> User:
    user = make_user(**fields)
    Membership.objects.create(user=user, role=Role.OFFICIAL, municipality=municipality or make_municipality())
    return user


def make_staff(*, operator: Operator | None = None, role: Role = Role.OPERATOR, **fields: Any) -> User:
    """Someone who works for an operator, with one of its roles (reader, planner, operator, administrator)."""
    user = make_user(**fields)
    Membership.objects.create(user=user, role=role, operator=operator or make_operator())
    return user


def make_driver(**fields: Any) -> User:
    return make_user(**fields)


def make_superuser(email: str = "", *, password: str | None = None, **fields: Any) -> User:
    return User.objects.create_superuser(email or f"admin{next(_numbers)}@example.test", password, **fields)


def make_api_key(user: User, **fields: Any) -> str:
    """What a program of `user` signs in with: for all that the user may, unless `scopes` or a party say less."""
    said = {"name": "script", "is_whole": "operator" not in fields and "municipality" not in fields, **fields}
    return api_tokens.make(user=user, now=dt.datetime.now(dt.UTC), **said)[1]


# ---------------------------------------------------------------- what is out there
def make_site(
    *,
    operator: Operator | None = None,
    concession: Concession | None = None,
    name: str = "Plein",
    **fields: Any,
) -> Site:
    operator = operator or make_operator()
    concession = concession or make_concession()
    concession.operators.add(operator)
    return Site.objects.get_or_create(name=name, operator=operator, concession=concession, defaults=fields)[0]


def make_station(
    identity: str = "",
    *,
    version: str = "1.6",
    operator: Operator | None = None,
    concession: Concession | None = None,
    site: Site | None = None,
    evses: int = 2,
    password: str | None = None,
    **fields: Any,
) -> Station:
    """A station of `version` with `evses` EVSEs of one connector each; `password` is stored as a generated one."""
    if password:
        fields["secret_hash"] = hash_secret(password.encode(), kind=Station.Secret.GENERATED)
    station = Station.objects.create(
        site=site or make_site(operator=operator, concession=concession),
        identity=identity or f"NL-TST-{next(_numbers):04d}",
        ocpp_version=version,
        **fields,
    )
    for number in range(1, evses + 1):
        Connector.objects.create(evse=Evse.objects.create(station=station, number=number))
    return station


def make_capabilities(station: Station, **fields: Any) -> Capabilities:
    """What a decent station says of itself: A and W, stack levels to 10, 24 periods, 3 phases."""
    said = {
        "read_at": NOW,
        "smart_charging": True,
        "max_stack_level": 10,
        "max_periods": 24,
        "max_profiles": 20,
        "rate_units": ["A", "W"],
        "phases": 3,
        "evse_count": station.evses.count(),
    }
    return Capabilities.objects.create(station=station, **{**said, **fields})


def make_token(
    id_token: str = "04A1B2C3D4E5F6",
    *,
    operator: Operator | None = None,
    user: User | None = None,
    **fields: Any,
) -> Token:
    return Token.objects.create(
        operator=operator or make_operator(),
        user=user,
        digest=digest_token(id_token),
        **{"sealed_number": seal(id_token), **fields},
    )


def make_tariff(*, operator: Operator | None = None, price_per_kwh: str = "0.3500", **fields: Any) -> Tariff:
    """A price per kWh, taxes included; give `elements` for any other tariff."""
    component = {"type": "ENERGY", "price": float(price_per_kwh), "step_size": 1}
    said = {
        "name": "Standard",
        "valid_from": dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        "elements": [{"price_components": [component]}],
    }
    return Tariff.objects.create(operator=operator or make_operator(), **{**said, **fields})


def make_session(
    station: Station | None = None, *, evse_number: int = 1, token: Token | None = None, **fields: Any
) -> ChargingSession:
    """A running session; give `ended_at`, `end_import_wh` and `state` for one that has ended."""
    said = {
        "transaction_id": f"{next(_numbers)}",
        "connector_number": evse_number,
        "started_at": NOW,
        "start_import_wh": 1_000.0,
        "received_at": NOW,
        "token_digest": token.digest if token else "",
    }
    return ChargingSession.objects.create(
        station=station or make_station(), evse_number=evse_number, token=token, **{**said, **fields}
    )


def make_reading(station: Station, *, evse_number: int = 1, **fields: Any) -> MeterReading:
    said: dict[str, Any] = {"sampled_at": NOW, "received_at": NOW, "context": "Sample.Periodic"}
    return MeterReading.objects.create(station=station, evse_number=evse_number, **{**said, **fields})


def make_command(station: Station, action: str = "GetConfiguration", **fields: Any) -> Command:
    """A command row as it is (say `state="accepted", response={...}`); nothing is sent."""
    said: dict[str, Any] = {
        "payload": {},
        "message_id": str(uuid.uuid4()),
        "requested_at": NOW,
        "expires_at": NOW + dt.timedelta(minutes=5),
    }
    return Command.objects.create(station=station, action=action, **{**said, **fields})
