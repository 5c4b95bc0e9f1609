"""From an e-mail address to somebody with a role; and every link that does not lead there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from portal.accounts.inviting import Invitation
from portal.accounts.models import User
from stations.models import Membership
from stations.models.access import Role
from tests.accounts.conftest import PASSWORD, Visitor, link_mailed_to
from tests.factories import (
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_staff,
    make_superuser,
)

pytestmark = pytest.mark.django_db
NEW = "nieuw@example.test"


class AwayBackend(BaseEmailBackend):
    """A mail server that does not answer."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


@pytest.fixture
def administrator() -> User:
    return make_staff(role=Role.ADMINISTRATOR, email="baas@example.test", name="De Baas")


@pytest.fixture
def boss(visitor: Visitor, administrator: User) -> Visitor:
    visitor.client.force_login(administrator)
    return visitor


def invite(boss: Visitor, *, role: str = "planner") -> str:
    """The path of the link that was mailed."""
    boss.sends("/mensen/uitnodigen/", email=NEW, role=role, party=_key("alpha"))
    return link_mailed_to(NEW)


def test_who_is_invited_makes_an_account_and_works(boss: Visitor, new_visitor: Callable[[], Visitor]) -> None:
    link = invite(boss)
    assert f"The invitation is sent to {NEW}." in boss.page
    somebody = new_visitor()
    somebody.opens(link)
    assert "Work for Alpha" in somebody.page
    assert "De Baas" in somebody.page
    somebody.sends(link, name="Noor", password=PASSWORD)
    user = User.objects.get(email=NEW)
    assert somebody.path == "/werkvoorraad/"
    assert (user.name, user.is_staff) == ("Noor", False)
    assert user.memberships.get().role == Role.PLANNER
    # Another day, by the password that was chosen.
    later = new_visitor()
    later.signs_in(NEW)
    assert later.is_signed_in()
    assert boss.opens("/mensen/uitnodigingen/").status_code == 200
    assert "accepted" in boss.page


def test_an_administrator_may_also_enter_the_administration(boss: Visitor) -> None:
    link = invite(boss, role="administrator")
    Visitor().sends(link, name="Noor", password=PASSWORD)
    assert User.objects.get(email=NEW).is_staff


def test_the_address_counts_whatever_its_capitals(boss: Visitor) -> None:
    link = invite(boss)
    boss.sends("/mensen/uitnodigen/", email="NIEUW@example.test", role="planner", party=_key("alpha"))
    assert boss.answer.status_code == 422
    assert "invited for that role already" in boss.page
    Visitor().sends(link, name="Noor", password=PASSWORD)
    boss.sends("/mensen/uitnodigen/", email="Nieuw@Example.test", role="planner", party=_key("alpha"))
    assert "has that role already" in boss.page


def _key(operator: str) -> str:
    return f"operator-{make_operator(operator).pk}"


# ---------------------------------------------------------------- who has an account
def test_who_has_an_account_signs_in_and_accepts(boss: Visitor) -> None:
    driver = make_driver(email=NEW, password=PASSWORD)
    link = invite(boss)
    somebody = Visitor()
    somebody.opens(link)
    assert "Sign in to accept" in somebody.page
    assert "Make your account" not in somebody.page
    somebody.signs_in(NEW, next=link)
    assert somebody.path == link
    somebody.sends(link)
    assert driver.memberships.get().role == Role.PLANNER
    assert "You now work for Alpha here." in somebody.page


def test_no_second_account_is_made_over_one_that_exists(boss: Visitor) -> None:
    driver = make_driver(email=NEW, password=PASSWORD)
    link = invite(boss)
    stranger = Visitor()
    stranger.sends(link, name="Noor", password="another fine password")
    assert stranger.answer.status_code == 422
    assert not stranger.is_signed_in()
    driver.refresh_from_db()
    assert driver.check_password(PASSWORD)
    assert not driver.memberships.exists()


def test_a_link_for_another_address_gives_nothing(boss: Visitor) -> None:
    link = invite(boss)
    other = make_driver()
    somebody = Visitor()
    somebody.client.force_login(other)
    somebody.opens(link)
    assert "this invitation is for somebody else" in somebody.page
    somebody.sends(link)
    assert somebody.answer.status_code == 403
    assert not other.memberships.exists()
    assert Invitation.objects.waiting().exists()


# ---------------------------------------------------------------- links that do not work
def test_a_used_link_opens_nothing(boss: Visitor) -> None:
    link = invite(boss)
    Visitor().sends(link, name="Noor", password=PASSWORD)
    late = Visitor()
    assert late.opens(link).status_code == 410
    assert "accepted already" in late.page
    assert late.sends(link, name="Mallory", password="another fine password").status_code == 410
    assert User.objects.get(email=NEW).check_password(PASSWORD)


def test_an_expired_link_opens_nothing_until_it_is_sent_again(boss: Visitor) -> None:
    link = invite(boss)
    Invitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    somebody = Visitor()
    assert somebody.opens(link).status_code == 410
    assert "too old" in somebody.page
    assert somebody.sends(link, name="Noor", password=PASSWORD).status_code == 410
    boss.opens("/mensen/uitnodigingen/")
    assert "expired" in boss.page
    boss.sends(f"/mensen/uitnodigingen/{Invitation.objects.get().pk}/opnieuw/")
    fresh = link_mailed_to(NEW)
    assert fresh != link
    assert somebody.opens(link).status_code == 410
    assert "newer e-mail" in somebody.page
    assert somebody.opens(fresh).status_code == 200


def test_a_withdrawn_link_opens_nothing(boss: Visitor) -> None:
    link = invite(boss)
    withdraw = f"/mensen/uitnodigingen/{Invitation.objects.get().pk}/intrekken/"
    boss.sends(withdraw)
    assert "no longer works" in boss.page
    somebody = Visitor()
    assert somebody.opens(link).status_code == 410
    assert "withdrawn" in somebody.page
    # A second click, in another tab, changes nothing and says so.
    boss.sends(withdraw)
    assert "in the meantime" in boss.page
    boss.sends(withdraw.replace("intrekken", "opnieuw"))
    assert "in the meantime" in boss.page
    # The same person can be asked anew.
    assert Visitor().opens(invite(boss)).status_code == 200


@pytest.mark.parametrize("spoil", [lambda token: token[:-1] + "x", lambda _: "nonsense", lambda _: "a:b:c"])
def test_a_link_that_was_changed_opens_nothing(boss: Visitor, spoil: Callable[[str], str]) -> None:
    token = invite(boss).rstrip("/").rpartition("/")[2]
    somebody = Visitor()
    assert somebody.opens(f"/account/uitnodiging/{spoil(token)}/").status_code == 410
    assert "not whole" in somebody.page


def test_looking_at_the_link_does_not_use_it_up(boss: Visitor) -> None:
    link = invite(boss)
    for _ in range(3):
        assert Visitor().opens(link).status_code == 200


def test_a_password_that_is_easy_to_guess_is_refused_and_nothing_is_lost(boss: Visitor) -> None:
    link = invite(boss)
    somebody = Visitor()
    somebody.sends(link, name="Noor", password="password1234")
    assert somebody.answer.status_code == 422
    assert "too common" in somebody.page
    assert 'value="Noor"' in somebody.page
    assert not User.objects.filter(email=NEW).exists()
    assert Invitation.objects.waiting().exists()


# ---------------------------------------------------------------- nobody above or beside the own party
@pytest.mark.parametrize("role", [Role.READER, Role.PLANNER, Role.OPERATOR])
def test_only_administrators_have_these_pages(visitor: Visitor, role: Role) -> None:
    visitor.client.force_login(make_staff(role=role))
    for path in ("/mensen/", "/mensen/uitnodigen/", "/mensen/uitnodigingen/"):
        assert visitor.opens(path).status_code == 404


def test_an_official_has_them_neither(visitor: Visitor) -> None:
    visitor.client.force_login(make_official())
    assert visitor.opens("/mensen/").status_code == 404


@pytest.mark.parametrize(
    ("party", "role"),
    [
        ("operator:beta", "reader"),
        ("municipality", "official"),
        ("operator:alpha", "official"),
        ("", "reader"),
    ],
)
def test_nobody_is_invited_for_another_party_or_a_role_it_has_not(
    boss: Visitor, party: str, role: str
) -> None:
    keys = {
        "operator:alpha": _key("alpha"),
        "operator:beta": _key("beta"),
        "municipality": f"municipality-{make_municipality().pk}",
    }
    boss.sends("/mensen/uitnodigen/", email=NEW, role=role, party=keys.get(party, ""))
    assert boss.answer.status_code == 422
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_a_superuser_invites_officials(visitor: Visitor) -> None:
    town = make_municipality()
    make_operator()
    visitor.client.force_login(make_superuser())
    visitor.sends("/mensen/uitnodigen/", email=NEW, role="reader", party=f"municipality-{town.pk}")
    assert "has no such role" in visitor.page
    visitor.sends("/mensen/uitnodigen/", email=NEW, role="official", party=f"municipality-{town.pk}")
    Visitor().sends(link_mailed_to(NEW), name="Noor", password=PASSWORD)
    assert Membership.objects.get(user__email=NEW).municipality == town


def test_what_another_party_does_is_not_there(boss: Visitor) -> None:
    invite(boss)
    colleague = make_staff(role=Role.READER, email="lezer@example.test")
    rival = Visitor()
    rival.client.force_login(make_staff(role=Role.ADMINISTRATOR, operator=make_operator("beta")))
    row = Invitation.objects.get()
    for path in ("/mensen/", "/mensen/uitnodigingen/"):
        rival.opens(path, party=_key("alpha"))
        assert NEW not in rival.page
        assert "lezer@example.test" not in rival.page
    for deed in ("opnieuw", "intrekken"):
        assert rival.sends(f"/mensen/uitnodigingen/{row.pk}/{deed}/").status_code == 404
    assert rival.sends(f"/mensen/{colleague.memberships.get().pk}/wegnemen/").status_code == 404
    assert colleague.memberships.exists()


# ---------------------------------------------------------------- the lists
def test_the_lists_are_searched_and_paged(boss: Visitor) -> None:
    for number in range(30):
        make_staff(role=Role.READER, email=f"lezer{number:02d}@example.test")
    boss.opens("/mensen/")
    assert "lezer00" in boss.page
    assert "lezer29" not in boss.page
    boss.opens("/mensen/", page=2)
    assert "lezer29" in boss.page
    boss.opens("/mensen/", q="lezer07", role="reader")
    assert "lezer07" in boss.page
    assert "lezer08" not in boss.page
    boss.opens("/mensen/", q="nobody")
    assert "Nobody fits this search" in boss.page
    boss.opens("/mensen/uitnodigingen/")
    assert "Nobody was invited yet" in boss.page


def test_a_role_is_taken_away_and_the_account_stays(boss: Visitor, administrator: User) -> None:
    colleague = make_staff(role=Role.ADMINISTRATOR, email="lezer@example.test", is_staff=True)
    take_away = f"/mensen/{colleague.memberships.get().pk}/wegnemen/"
    theirs = Visitor()
    theirs.client.force_login(colleague)
    assert theirs.opens("/mensen/").status_code == 200
    boss.opens(take_away)
    assert "is no longer Administrator at Alpha" in boss.page
    assert colleague.memberships.exists()
    boss.sends(take_away)
    assert not colleague.memberships.exists()
    assert theirs.opens("/mensen/").status_code == 404
    colleague.refresh_from_db()
    assert (colleague.is_active, colleague.is_staff) == (True, False)
    own = administrator.memberships.get()
    assert boss.sends(f"/mensen/{own.pk}/wegnemen/").status_code == 404


def test_who_administers_no_longer_lets_nobody_in(boss: Visitor) -> None:
    colleague = make_staff(role=Role.ADMINISTRATOR, email="weg@example.test")
    theirs = Visitor()
    theirs.client.force_login(colleague)
    link = invite(theirs)
    boss.sends(f"/mensen/{colleague.memberships.get().pk}/wegnemen/")
    somebody = Visitor()
    assert somebody.opens(link).status_code == 410
    assert "withdrawn" in somebody.page


# ---------------------------------------------------------------- mail
def test_a_mail_server_that_is_away_loses_nothing(boss: Visitor, settings: Any) -> None:
    works, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, f"{__name__}.AwayBackend"
    boss.sends("/mensen/uitnodigen/", email=NEW, role="reader", party=_key("alpha"))
    assert "could not be sent" in boss.page
    assert "not sent" in boss.page
    settings.EMAIL_BACKEND = works
    boss.sends(f"/mensen/uitnodigingen/{Invitation.objects.get().pk}/opnieuw/")
    assert Visitor().opens(link_mailed_to(NEW)).status_code == 200


def test_who_invites_very_often_is_slowed(boss: Visitor, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"invite": "2/h/user"}
    for number in range(2):
        boss.sends("/mensen/uitnodigen/", email=f"n{number}@example.test", role="reader", party=_key("alpha"))
    boss.sends("/mensen/uitnodigen/", email=NEW, role="reader", party=_key("alpha"))
    assert boss.answer.status_code == 429
    assert "Wait a moment" in boss.page
    assert not Invitation.objects.filter(email=NEW).exists()
