"""In by e-mail address and password; a forgotten password; another address; where somebody is signed in."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client

from portal.accounts.models import User
from stations.models.access import Role
from tests.accounts.conftest import PASSWORD, Visitor, link_mailed_to
from tests.factories import make_driver, make_staff, make_superuser, make_token

pytestmark = pytest.mark.django_db
EMAIL = "noor@example.test"


class AwayBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError


@pytest.fixture
def noor() -> User:
    return make_staff(role=Role.READER, email=EMAIL, name="Noor", password=PASSWORD)


# ---------------------------------------------------------------- signing in
def test_somebody_signs_in_with_an_address_in_any_case(visitor: Visitor, noor: User) -> None:
    visitor.signs_in("Noor@Example.test")
    assert visitor.is_signed_in()
    assert visitor.path == "/werkvoorraad/"


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong"), ("nobody@example.test", PASSWORD)])
def test_what_is_wrong_is_not_told_apart(visitor: Visitor, noor: User, email: str, password: str) -> None:
    visitor.signs_in(email, password)
    assert "do not belong together" in visitor.page
    assert f'value="{email}"' in visitor.page
    assert not visitor.is_signed_in()


def test_a_closed_account_stays_closed(visitor: Visitor, noor: User) -> None:
    User.objects.filter(pk=noor.pk).update(is_active=False)
    visitor.signs_in(EMAIL)
    assert not visitor.is_signed_in()
    assert "This account is closed" in visitor.page


def test_guessing_at_one_account_is_stopped_also_from_elsewhere(noor: User) -> None:
    for number in range(5):
        guesser = Visitor(Client(headers={"Accept-Language": "en"}, REMOTE_ADDR=f"203.0.113.{number}"))
        guesser.signs_in(EMAIL, f"guess {number}")
        assert "do not belong together" in guesser.page
    right = Visitor(Client(headers={"Accept-Language": "en"}, REMOTE_ADDR="203.0.113.99"))
    right.signs_in(EMAIL)
    assert "Too many attempts" in right.page
    assert not right.is_signed_in()
    # And nobody else suffers from it.
    make_driver(email="ander@example.test", password=PASSWORD)
    other = Visitor()
    other.signs_in("ander@example.test")
    assert other.is_signed_in()


def test_guessing_at_many_accounts_from_one_address_is_slowed(visitor: Visitor) -> None:
    for number in range(30):
        visitor.signs_in(f"n{number}@example.test", "guess")
    visitor.signs_in("last@example.test", "guess")
    assert visitor.answer.status_code == 429
    assert "Wait a few minutes" in visitor.page


@pytest.mark.parametrize(
    "away",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
    ],
)
def test_nobody_is_led_away_after_signing_in(visitor: Visitor, noor: User, away: str) -> None:
    visitor.answer = visitor.client.post(
        "/account/login/", {"login": EMAIL, "password": PASSWORD, "next": away}
    )
    assert visitor.answer["Location"] == "/"
    visitor.answer = visitor.client.post("/account/logout/", {"next": away})
    assert visitor.answer["Location"] == "/account/login/"


def test_one_comes_back_to_what_was_asked_for(visitor: Visitor, noor: User) -> None:
    visitor.opens("/verbindingen/")
    assert visitor.path == "/account/login/?next=/verbindingen/"
    visitor.signs_in(EMAIL, next="/verbindingen/")
    assert visitor.path == "/verbindingen/"


def test_the_administration_has_no_door_of_its_own(visitor: Visitor) -> None:
    make_superuser(email=EMAIL, password=PASSWORD)
    visitor.opens("/beheer/")
    assert visitor.path.startswith("/account/login/?next=")
    visitor.client.post("/beheer/login/", {"username": EMAIL, "password": PASSWORD})
    assert not visitor.is_signed_in()


def test_nobody_signs_up(visitor: Visitor) -> None:
    visitor.opens("/account/signup/")
    assert "You need an invitation" in visitor.page
    visitor.sends("/account/signup/", email=EMAIL, password1=PASSWORD)
    assert not User.objects.exists()


# ---------------------------------------------------------------- without a role
def test_who_has_no_role_and_no_card_is_told_what_to_do(visitor: Visitor) -> None:
    driver = make_driver(email=EMAIL, password=PASSWORD)
    visitor.signs_in(EMAIL)
    assert visitor.path == "/account/"
    assert f"Ask your administrator for an invitation to {EMAIL}." in visitor.page
    assert "Link it to this account" in visitor.page
    make_token(user=driver)
    visitor.opens("/")
    assert visitor.path == "/mijn/laden/"


def test_the_account_says_what_one_may_do_and_how_one_is_called(visitor: Visitor, noor: User) -> None:
    visitor.client.force_login(noor)
    visitor.opens("/account/")
    assert "Sees everything of the operator, and changes nothing." in visitor.page
    visitor.sends("/account/", name="Noor de Wit")
    noor.refresh_from_db()
    assert noor.name == "Noor de Wit"
    visitor.sends("/account/", name="n" * 101)
    assert visitor.answer.status_code == 422
    assert "at most 100" in visitor.page


# ---------------------------------------------------------------- a forgotten password
def test_a_forgotten_password_is_chosen_anew_by_mail(visitor: Visitor, noor: User) -> None:
    elsewhere = Visitor()
    elsewhere.signs_in(EMAIL)
    visitor.sends("/account/password/reset/", email=EMAIL)
    assert "Look in your mailbox" in visitor.page
    link = link_mailed_to(EMAIL)
    visitor.opens(link)
    chosen = visitor.path
    visitor.sends(chosen, password1="een heel andere zin", password2="een heel andere zin")
    assert "Your password is changed" in visitor.page
    assert not visitor.is_signed_in()
    # Whoever was in with the old password is out.
    elsewhere.opens("/stations/")
    assert elsewhere.path.startswith("/account/login/")
    visitor.signs_in(EMAIL, PASSWORD)
    assert not visitor.is_signed_in()
    visitor.signs_in(EMAIL, "een heel andere zin")
    assert visitor.is_signed_in()
    # The link was good once.
    late = Visitor()
    late.opens(link)
    assert "This link no longer works" in late.page


def test_a_new_password_must_be_typed_the_same_and_be_hard_to_guess(visitor: Visitor, noor: User) -> None:
    visitor.sends("/account/password/reset/", email=EMAIL)
    visitor.opens(link_mailed_to(EMAIL))
    form = visitor.path
    visitor.sends(form, password1="een heel andere zin", password2="een andere zin")
    assert "You must type the same password each time." in visitor.page
    visitor.sends(form, password1="noor@example.test", password2="noor@example.test")
    assert "too similar" in visitor.page
    noor.refresh_from_db()
    assert noor.check_password(PASSWORD)


def test_whether_an_address_has_an_account_is_told_to_its_mailbox_alone(visitor: Visitor, noor: User) -> None:
    pages = []
    for email in (EMAIL, "nobody@example.test"):
        visitor.sends("/account/password/reset/", email=email)
        pages.append(re.sub(r'value="\w{64}"', "", visitor.page))  # the token of the form
    assert pages[0] == pages[1]
    body = str(mail.outbox[-1].body)
    assert "there is no account with this address" in body
    assert "/account/signup" not in body


def test_a_link_of_another_host_is_never_mailed(visitor: Visitor, noor: User) -> None:
    answer = visitor.client.post(
        "/account/password/reset/", {"email": EMAIL}, headers={"host": "evil.example"}
    )
    assert answer.status_code == 400
    assert not mail.outbox


def test_a_mail_server_that_is_away_is_no_fault_page(visitor: Visitor, noor: User, settings: Any) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.AwayBackend"
    visitor.sends("/account/password/reset/", email=EMAIL)
    assert visitor.answer.status_code == 200
    assert "The e-mail could not be sent" in visitor.page


def test_a_password_is_changed_and_its_owner_hears_of_it(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    change = "/account/password/change/"
    visitor.sends(
        change, oldpassword="wrong", password1="een heel andere zin", password2="een heel andere zin"
    )
    assert "Type the password that you have now." in visitor.page
    visitor.sends(
        change, oldpassword=PASSWORD, password1="een heel andere zin", password2="een heel andere zin"
    )
    assert "Your password is changed." in visitor.page
    assert visitor.is_signed_in()
    assert "Was it not you?" in str(mail.outbox[-1].body)


# ---------------------------------------------------------------- another address
def confirmed(visitor: Visitor) -> None:
    """Shows once more who it is."""
    assert visitor.path.startswith("/account/reauthenticate/")
    visitor.sends(visitor.path, password=PASSWORD)


def test_an_address_counts_when_its_mailbox_answered(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    visitor.sends("/account/email/", email="noor@elders.test", action_add="yes")
    confirmed(visitor)
    assert "Almost changed" in visitor.page
    noor.refresh_from_db()
    assert noor.email == EMAIL
    link = link_mailed_to("noor@elders.test")
    Visitor().opens(link)  # a mail program that looks
    noor.refresh_from_db()
    assert noor.email == EMAIL
    visitor.sends(link)
    noor.refresh_from_db()
    assert noor.email == "noor@elders.test"
    assert [each.email for each in EmailAddress.objects.filter(user=noor)] == ["noor@elders.test"]
    assert any(EMAIL in message.to for message in mail.outbox)
    later = Visitor()
    later.signs_in("noor@elders.test")
    assert later.is_signed_in()


def test_an_address_of_somebody_else_is_not_taken_over(visitor: Visitor, noor: User) -> None:
    make_driver(email="ander@example.test")
    visitor.signs_in(EMAIL)
    visitor.sends("/account/email/", email="ander@example.test", action_add="yes")
    assert "There is another account with this address." in visitor.page
    assert not any("ander@example.test" in message.to for message in mail.outbox)
    noor.refresh_from_db()
    assert noor.email == EMAIL


def test_a_confirmation_that_was_made_up_changes_nothing(visitor: Visitor, noor: User) -> None:
    visitor.client.force_login(noor)
    visitor.opens("/account/confirm-email/made-up/")
    assert "This link no longer works" in visitor.page


# ---------------------------------------------------------------- devices
def test_somebody_sees_and_ends_the_own_sessions(visitor: Visitor, noor: User) -> None:
    phone = Visitor(Client(headers={"Accept-Language": "en", "User-Agent": "Telefoon"}))
    tablet = Visitor(Client(headers={"Accept-Language": "en", "User-Agent": "Tablet"}))
    for each in (visitor, phone, tablet):
        each.signs_in(EMAIL)
    visitor.opens("/account/sessions/")
    assert "Telefoon" in visitor.page
    assert "This one" in visitor.page
    ends = [part.partition('"')[0] for part in visitor.page.split('action="')[1:] if "eindigen" in part[:60]]
    assert len(ends) == 2
    visitor.sends(ends[0])
    assert "You are signed out there." in visitor.page
    assert sorted(each.opens("/stations/").status_code for each in (phone, tablet)) == [200, 200]
    assert sorted(each.is_signed_in() for each in (phone, tablet)) == [False, True]
    visitor.sends("/account/sessions/")
    tablet.opens("/stations/")
    assert tablet.path == "/account/login/?next=/stations/"
    assert visitor.opens("/stations/").status_code == 200


def test_nobody_ends_the_sessions_of_another(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    pk = UserSession.objects.get(user=noor).pk
    stranger = Visitor()
    stranger.client.force_login(make_driver())
    assert stranger.sends(f"/account/sessions/{pk}/eindigen/").status_code == 404
    assert (
        visitor.sends(f"/account/sessions/{pk}/eindigen/").status_code == 404
    )  # nor the one it is asked from
    assert visitor.is_signed_in()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "Firefox, Linux"),
        ("curl/8.14", "curl/8.14"),
    ],
)
def test_a_device_is_named_so_that_it_is_recognised(noor: User, words: str, shown: str) -> None:
    somebody = Visitor(Client(headers={"Accept-Language": "en", "User-Agent": words}))
    somebody.signs_in(EMAIL)
    somebody.opens("/account/sessions/")
    assert f">{shown}<" in somebody.page
