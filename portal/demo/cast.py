"""Who and what is in the demo, and the rows that exist before the first frame: master data, no evidence."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from portal.accounts.models import User
from portal.compliance import catalogue
from portal.compliance.models import ConcessionRequirement, Promise
from stations.credentials import digest_token
from stations.models import Concession, Membership, Municipality, Operator, Site, Station, Tariff, Token
from stations.models.access import Role
from stations.sealing import seal
from stations.services import add_station, rotate_secret

MUNICIPALITY = ("voorbeeldstad", "Voorbeeldstad")
OPERATORS = (("alpha", "Alpha Laden"), ("beta", "Beta Charge"))
CONCESSION = ("voorbeeldstad-2026", "Voorbeeldstad 2026")
PROMISED = ("205", "206", "207", "209", "211")
DRIVER_TOKEN = "NL-VBS-C00012345-7"  # noqa: S105 - a card number of nobody; what is kept of it is a keyed hash
PRICES = [
    {
        "price_components": [
            {"type": "ENERGY", "price": 0.42, "vat": 21, "step_size": 1},
            {"type": "FLAT", "price": 0.35, "vat": 21, "step_size": 1},
        ]
    }
]
# Cards of people who charge here now and then: enough of them that an official may be told how much is charged.
GUESTS = {
    slug: tuple(f"NL-VBS-C0009{number}{place}{place}0-{place}" for place in range(1, 7))
    for number, slug in enumerate(("alpha", "beta"), start=1)
}
OTHER_TOKENS = {"alpha": "NL-VBS-C00054321-1", "beta": "NL-VBS-C00067890-4"}


@dataclass(frozen=True, slots=True)
class StationRole:
    """One station of the demo: what it is, and what is expected to be found of it, by requirement.

    `drifts`: it loses its profiles when it starts anew, which is to be found and repaired.
    """

    identity: str
    name: str
    operator: str
    ocpp: str
    connection: tuple[int, int]
    defect: str | None = None
    deviation: str = ""
    drifts: bool = False

    @property
    def expected(self) -> dict[str, str]:
        """Each defect breaks its own requirement and no other."""
        return dict.fromkeys(JUDGED, "proven") | ({self.deviation: "deviation"} if self.deviation else {})


# Of a town that does not exist: postcode, latitude and longitude.
PLACES = {
    "ALF-0001": ("3590 AB", "52.091500", "5.118400"),
    "ALF-0002": ("3590 AD", "52.092600", "5.121100"),
    "ALF-0003": ("3591 CA", "52.098300", "5.128900"),
    "BET-0001": ("3590 BA", "52.089700", "5.110700"),
    "BET-0002": ("3592 XA", "52.083400", "5.104600"),
    "BET-0003": ("3591 CK", "52.101200", "5.135700"),
    "BET-0004": ("3591 DL", "52.096900", "5.138800"),
    "BET-0005": ("3592 XK", "52.080800", "5.112300"),
    "BET-0006": ("3590 AK", "52.093900", "5.115200"),
}
JUDGED = ("206", "207", "211")
STATIONS = (
    StationRole("ALF-0001", "Museumplein 12", "alpha", "1.6", (3, 25)),
    StationRole("ALF-0002", "Kerkstraat 3", "alpha", "2.0.1", (3, 35)),
    StationRole("ALF-0003", "Molenweg 8", "alpha", "2.1", (3, 63)),
    StationRole("BET-0001", "Stationsplein 4", "beta", "1.6", (3, 25), "no-stacking", "206"),
    StationRole("BET-0002", "Havenkade 21", "beta", "2.0.1", (3, 25), "no-stacking", "206"),
    StationRole("BET-0003", "Dorpsstraat 30", "beta", "1.6", (3, 25), "ten-periods", "207"),
    StationRole("BET-0004", "Singel 117", "beta", "2.0.1", (3, 35), "single-register", "211"),
    StationRole("BET-0005", "Parklaan 2", "beta", "1.6", (3, 25), "netted-register", "211"),
    StationRole(
        "BET-0006", "Brink 15", "beta", "2.1", (3, 35), defect="forgets-profiles-on-reboot", drifts=True
    ),
)
PEOPLE = (
    ("official", "official@demo.example", "Toezichthouder"),
    ("operator", "operator@demo.example", "Planner"),
    # Of the other operator, who has work waiting: the first one's stations have no defects.
    ("beta", "beta@demo.example", "Planner van Beta"),
    ("driver", "driver@demo.example", "E-rijder"),
    ("admin", "admin@demo.example", "Beheerder"),
)


class NotTheDemoError(Exception):
    """The database holds other than demo data; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Cast:
    """What the demo needs to start: the people's password, the station passwords of this run, and which are new."""

    password: str
    station_passwords: dict[str, str]
    newcomers: frozenset[str]


def check_is_demo() -> None:
    """Raises NotTheDemoError where parties exist that are not the demo's."""
    known = {MUNICIPALITY[0], *(slug for slug, _ in OPERATORS)}
    found = {
        *Municipality.objects.values_list("slug", flat=True),
        *Operator.objects.values_list("slug", flat=True),
    }
    if strange := sorted(found - known):
        raise NotTheDemoError(
            f"This database holds data that is not the demo's ({', '.join(strange[:3])}). "
            "Set DATABASE_URL to another database, or leave it out for var/demo.sqlite3."
        )


@transaction.atomic
def fill(now: datetime) -> Cast:
    """Make what is missing; safe to repeat. Station passwords are new in every run: they are kept as hashes only."""
    municipality, _ = Municipality.objects.get_or_create(
        slug=MUNICIPALITY[0], defaults={"name": MUNICIPALITY[1]}
    )
    operators = {
        slug: Operator.objects.get_or_create(slug=slug, defaults={"name": name})[0]
        for slug, name in OPERATORS
    }
    concession, _ = Concession.objects.get_or_create(
        slug=CONCESSION[0],
        defaults={"name": CONCESSION[1], "municipality": municipality, "starts_on": date(2026, 1, 1)},
    )
    concession.operators.set(operators.values())
    _ask_requirements(concession, now)
    _promise(concession, operators)
    password = _password()
    _people(password, municipality, operators)
    known = set(Station.objects.values_list("identity", flat=True))
    passwords = dict(_stations(concession, operators, now))
    _places()
    _cards_and_prices(operators, now)
    return Cast(password=password, station_passwords=passwords, newcomers=frozenset(passwords.keys() - known))


def _ask_requirements(concession: Concession, now: datetime) -> None:
    shipped = catalogue.SHIPPED.read_bytes()
    requirements = catalogue.import_requirements(content=shipped, name="200-212", version="1", now=now)
    catalogue.apply_to(concession=concession, requirement_set=requirements)


def _promise(concession: Concession, operators: dict[str, Operator]) -> None:
    """Both operators promised the wishes on their stations: not meeting one is a breach, so it shows in red."""
    for asked in ConcessionRequirement.objects.filter(concession=concession, requirement__code__in=PROMISED):
        for operator in operators.values():
            Promise.objects.get_or_create(asked=asked, operator=operator)


def _password() -> str:
    """One for all, made on this machine at the first start, kept beside its database."""
    path = settings.VAR_DIR / "demo-password.json"
    if not path.exists():
        settings.VAR_DIR.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(f"demo-{secrets.token_hex(4)}"))
    return str(json.loads(path.read_text()))


def _people(password: str, municipality: Municipality, operators: dict[str, Operator]) -> None:
    users = {}
    for role, email, name in PEOPLE:
        user = User.objects.filter(email=email).first() or User(email=email, name=name)
        if not user.check_password(password):
            user.set_password(password)
        user.is_staff = role in {"admin", "operator", "beta"}
        user.is_superuser = role == "admin"
        user.save()
        users[role] = user
    Membership.objects.get_or_create(user=users["official"], role=Role.OFFICIAL, municipality=municipality)
    for role, slug in (("operator", "alpha"), ("beta", "beta")):
        Membership.objects.get_or_create(user=users[role], role=Role.ADMINISTRATOR, operator=operators[slug])


def _stations(
    concession: Concession, operators: dict[str, Operator], now: datetime
) -> Iterator[tuple[str, str]]:
    for role in STATIONS:
        station = Station.objects.filter(identity=role.identity).first()
        if station is not None:
            yield role.identity, rotate_secret(station=station)
            continue
        phases, amperes = role.connection
        _, secret = add_station(
            identity=role.identity,
            name=role.name,
            operator=operators[role.operator],
            concession=concession,
            ocpp_version=role.ocpp,
            connection_phases=phases,
            connection_a=amperes,
            now=now,
        )
        yield role.identity, secret


def _places() -> None:
    """Where each stands; what somebody filled in since stays."""
    names = {role.identity: role.name for role in STATIONS}
    for identity, (postcode, latitude, longitude) in PLACES.items():
        Site.objects.filter(stations__identity=identity, latitude=None).update(
            address=f"{names[identity]}, {postcode} {MUNICIPALITY[1]}", latitude=latitude, longitude=longitude
        )


def _cards_and_prices(operators: dict[str, Operator], now: datetime) -> None:
    driver = User.objects.get(email="driver@demo.example")
    cards: list[tuple[str, str, User | None, str]] = [(DRIVER_TOKEN, "alpha", driver, "Laadpas")]
    cards += [(number, slug, None, f"Pas {slug}") for slug, number in OTHER_TOKENS.items()]
    cards += [
        (number, slug, None, f"Gast {place}")
        for slug, numbers in GUESTS.items()
        for place, number in enumerate(numbers, start=1)
    ]
    for number, slug, user, label in cards:
        said = {
            "operator": operators[slug],
            "user": user,
            "label": label,
            "sealed_number": seal(number),
            # What drives up to all of an operator's stations is a fleet's.
            "concurrent_allowed": user is None,
        }
        Token.objects.get_or_create(digest=digest_token(number), defaults=said)
    for operator in operators.values():
        Tariff.objects.get_or_create(
            operator=operator,
            name="Openbaar laden",
            defaults={"elements": PRICES, "valid_from": now.replace(month=1, day=1)},
        )
