"""What the frame of every page shows: who you are, for which party, and where you can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from portal.accounts.roles import ROLE_NAMES, administers_people
from portal.notices.unread import MOST_UNREAD, unread_of
from portal.pages.logbook_rows import may_read
from stations.models import Concession, Membership
from stations.models.access import OPERATOR_ROLES, Role, memberships_of

if TYPE_CHECKING:
    from portal.accounts.models import User


@dataclass(frozen=True, slots=True)
class Place:
    """Where the menu leads; `current` when the page shown lies within it. `icon` is for the dock on a phone."""

    label: str
    url: str
    current: bool
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """`dock` is the menu of a driver on a phone; nobody else has one."""

    name: str = ""
    initials: str = ""
    party: str = ""
    role: str = ""
    nav: tuple[Place, ...] = ()
    dock: tuple[Place, ...] = ()
    unread: int = 0
    has_notices: bool = False

    @property
    def unread_words(self) -> str:
        """A count is bounded: beyond that it is "99+"."""
        return f"{MOST_UNREAD}+" if self.unread > MOST_UNREAD else str(self.unread)


def frame(request: HttpRequest) -> dict[str, Any]:
    """The context processor: `frame`, made only when a template asks for it."""
    return {"frame": SimpleLazyObject(lambda: frame_of(request))}


def frame_of(request: HttpRequest) -> Frame:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return Frame()
    memberships = memberships_of(user)
    nav = tuple(_places(request, user, memberships))
    is_driver = not memberships and not user.is_superuser
    return Frame(
        name=user.get_short_name(),
        initials=_initials(user.get_short_name()),
        party=", ".join(dict.fromkeys(str(m.municipality or m.operator) for m in memberships)),
        role=", ".join(dict.fromkeys(str(ROLE_NAMES[Role(m.role)]) for m in memberships)),
        nav=nav,
        dock=nav if is_driver else (),
        unread=unread_of(user),
        has_notices=request.path.startswith("/meldingen/"),
    )


def _places(request: HttpRequest, user: User, memberships: list[Membership]) -> Iterator[Place]:
    roles = {membership.role for membership in memberships}
    operates = user.is_superuser or bool(roles & set(OPERATOR_ROLES))
    supervises = user.is_superuser or Role.OFFICIAL in roles
    if supervises:
        yield _place(request, _("Overview"), reverse("official:overview"), ("/overzicht/",))
    if operates:
        yield _place(request, _("Work"), reverse("work"), ("/werkvoorraad/",))
    if user.is_superuser or roles:
        yield _place(
            request, _("Compliance"), compliance_home(user), ("/naleving/", "/bewijs/", "/steekproef/")
        )
    if supervises:
        # Who operates nothing comes to a station from here.
        within = ("/laadobjecten/",) if operates else ("/laadobjecten/", "/stations/", "/configuratie/")
        yield _place(request, _("Charging objects"), reverse("official:objects"), within)
        yield _place(request, _("Use"), reverse("official:usage"), ("/gebruik/",))
    if operates:
        yield _place(request, _("Stations"), reverse("stations:list"), ("/stations/", "/configuratie/"))
        yield _place(request, _("Sessions"), reverse("fleet_sessions"), ("/sessies/",))
        yield _place(request, _("Tariffs"), reverse("tariffs"), ("/tarieven/",))
        yield _place(request, _("Connections"), reverse("connections"), ("/verbindingen/", "/firmware/"))
        yield _place(request, _("Cards"), reverse("cards"), ("/passen/",))
    if not roles:
        yield from _driver_places(request)
    if administers_people(user):
        yield _place(request, _("People"), reverse("people:members"), ("/mensen/",))
        yield _place(request, _("Webhooks"), reverse("webhooks:list"), ("/webhooks/",))
    if may_read(user):
        yield _place(request, _("Audit log"), reverse("logbook"), ("/logboek/",))
    if user.is_staff:
        yield _place(request, _("Administration"), reverse("admin:index"), ("/beheer/",))


def _driver_places(request: HttpRequest) -> Iterator[Place]:
    yield _place(request, _("Charging now"), reverse("driver:now"), ("/mijn/laden/",), "bolt")
    yield _place(request, _("My sessions"), reverse("driver:sessions"), ("/mijn/sessies/",), "list")
    yield _place(request, _("My cards"), reverse("driver:cards"), ("/mijn/passen/",), "link")
    yield _place(
        request,
        _("Preferences"),
        reverse("driver:preferences"),
        ("/mijn/voorkeuren/", "/mijn/gegevens/"),
        "sliders",
    )


def _place(request: HttpRequest, label: str, url: str, within: tuple[str, ...], icon: str = "") -> Place:
    return Place(label, url, request.path.startswith(within), icon)


def compliance_home(user: User) -> str:
    """The matrix of the only concession that `user` sees, else the choice between them."""
    slugs = list(Concession.objects.visible_to(user).values_list("slug", flat=True)[:2])
    if len(slugs) == 1:
        return reverse("compliance:matrix", args=slugs)
    return reverse("compliance:concessions")


def _initials(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
