"""Signing in through a provider of OpenID Connect: a real one, with its own process, database and keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as installed
from django.core import mail
from django.utils import timezone

from portal.accounts import invitations, openid_connect
from portal.accounts.models import User
from stations.models.access import Role
from tests.accounts.conftest import PASSWORD, Visitor
from tests.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, Provider, serving
from tests.factories import make_driver, make_operator, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("provider")]
NOOR, DOUBTFUL = "noor@example.test", "twijfel@example.test"
LOGIN = "/account/oidc/sso/login/"
CALLBACK = "http://testserver/account/oidc/sso/login/callback/"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    folder: Path = tmp_path_factory.mktemp("provider")
    with serving(folder, people={NOOR: True, DOUBTFUL: False}, callback=CALLBACK) as provider:
        yield provider


@pytest.fixture
def provider(running: Provider, settings: Any) -> Provider:
    point_at(running.url, settings)
    return running


def point_at(url: str, settings: Any, *, domains: tuple[str, ...] = ()) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = openid_connect.providers(
        issuer=url,
        name="De Gemeente",
        client_id=CLIENT_ID,
        secret=CLIENT_SECRET,
        verified_domains=list(domains),
    )


def goes_through(
    visitor: Visitor, provider: Provider, email: str, *, process: str = "login", **said: Any
) -> None:
    """From our page to the provider, where `email` is signed in, and back."""
    answer = visitor.client.post(f"{LOGIN}?process={process}", said)
    assert answer.status_code == 302
    assert answer["Location"].startswith(provider.url)
    assert "code_challenge=" in answer["Location"]
    visitor.opens(provider.answers(answer["Location"], email=email))


def invited(email: str) -> None:
    administrator = make_staff(role=Role.ADMINISTRATOR)
    now = timezone.now()
    invitation = invitations.invite(
        email=email, role=Role.PLANNER, party=make_operator(), invited_by=administrator, now=now
    )
    assert invitations.send(invitation, now=now)


def test_the_page_offers_it_and_an_account_is_linked_by_its_verified_address(
    visitor: Visitor, provider: Provider
) -> None:
    user = make_staff(role=Role.READER, email=NOOR, password=PASSWORD)
    visitor.opens("/account/login/")
    assert "Sign in with De Gemeente" in visitor.page
    goes_through(visitor, provider, NOOR)
    assert visitor.path == "/werkvoorraad/"
    assert SocialAccount.objects.get().user == user
    assert any("linked to yours" in message.subject for message in mail.outbox)
    # The second time the link is known.
    later = Visitor()
    goes_through(later, provider, NOOR)
    assert later.is_signed_in()
    assert User.objects.filter(email=NOOR).count() == 1


def test_who_is_invited_gets_an_account_and_the_role(visitor: Visitor, provider: Provider) -> None:
    invited(NOOR)
    goes_through(visitor, provider, NOOR)
    user = User.objects.get(email=NOOR)
    assert visitor.is_signed_in()
    assert user.memberships.get().role == Role.PLANNER
    assert user.name == "Noor de Wit"
    assert not user.has_usable_password()


def test_who_is_not_invited_gets_nothing(visitor: Visitor, provider: Provider) -> None:
    goes_through(visitor, provider, NOOR)
    assert "You need an invitation" in visitor.page
    assert not visitor.is_signed_in()
    assert not User.objects.exists()


def test_an_address_that_the_provider_did_not_verify_opens_nothing(
    visitor: Visitor, provider: Provider
) -> None:
    user = make_staff(role=Role.READER, email=DOUBTFUL, password=PASSWORD)
    goes_through(visitor, provider, DOUBTFUL)
    assert not visitor.is_signed_in()
    assert not SocialAccount.objects.exists()
    user.delete()
    invited(DOUBTFUL)
    goes_through(visitor, provider, DOUBTFUL)
    assert not User.objects.filter(email=DOUBTFUL).exists()


def test_a_domain_that_the_installation_vouches_for_counts_as_verified(
    visitor: Visitor, provider: Provider, settings: Any
) -> None:
    make_staff(role=Role.READER, email=DOUBTFUL, password=PASSWORD)
    point_at(provider.url, settings, domains=("elders.test",))
    goes_through(visitor, provider, DOUBTFUL)
    assert not visitor.is_signed_in()
    point_at(provider.url, settings, domains=("example.test",))
    goes_through(visitor, provider, DOUBTFUL)
    assert visitor.is_signed_in()


def test_an_address_that_somebody_only_wants_to_change_to_is_not_theirs(
    visitor: Visitor, provider: Provider
) -> None:
    attacker = make_driver(email="mallory@example.test", password=PASSWORD)
    theirs = Visitor()
    theirs.signs_in(attacker.email)
    theirs.sends("/account/email/", email=NOOR, action_add="yes")
    theirs.sends(theirs.path, password=PASSWORD)
    assert "Almost changed" in theirs.page
    goes_through(visitor, provider, NOOR)
    assert not visitor.is_signed_in()
    assert not SocialAccount.objects.exists()


def test_who_is_signed_in_links_only_the_own_address(visitor: Visitor, provider: Provider) -> None:
    make_driver(email="ander@example.test", password=PASSWORD)
    visitor.signs_in("ander@example.test")
    goes_through(visitor, provider, NOOR, process="connect")
    assert "another e-mail address than yours" in visitor.page
    assert not SocialAccount.objects.exists()


def test_a_link_is_undone_only_where_a_password_is_left(visitor: Visitor, provider: Provider) -> None:
    invited(NOOR)
    goes_through(visitor, provider, NOOR)
    pk = SocialAccount.objects.get().pk
    visitor.opens("/account/3rdparty/")
    assert "De Gemeente" in visitor.page
    visitor.sends("/account/3rdparty/", account=pk)
    assert "Choose a password first" in visitor.page
    assert SocialAccount.objects.exists()
    visitor.sends("/account/password/set/", password1="een heel andere zin", password2="een heel andere zin")
    visitor.sends("/account/3rdparty/", account=pk)
    if "/reauthenticate/" in visitor.path:
        visitor.sends(visitor.path, password="een heel andere zin")
        visitor.sends("/account/3rdparty/", account=pk)
    assert not SocialAccount.objects.exists()


def test_a_second_factor_is_still_asked_unless_the_provider_asks_for_one(
    visitor: Visitor, provider: Provider, settings: Any, forced: None
) -> None:
    make_staff(role=Role.READER, email=NOOR, password=PASSWORD)
    goes_through(visitor, provider, NOOR)
    assert visitor.path == "/account/2fa/"
    settings.OIDC_ASSURES_SECOND_FACTOR = True
    assert visitor.opens("/stations/").status_code == 200
    by_password = Visitor()
    make_staff(role=Role.READER, email="ander@example.test", password=PASSWORD)
    by_password.signs_in("ander@example.test")
    assert by_password.path == "/account/2fa/"


def test_nobody_is_led_away_after_the_provider(visitor: Visitor, provider: Provider) -> None:
    make_staff(role=Role.READER, email=NOOR, password=PASSWORD)
    goes_through(visitor, provider, NOOR, next="https://evil.example/")
    assert visitor.path == "/werkvoorraad/"


# ---------------------------------------------------------------- what goes wrong on the way
def test_who_stops_at_the_provider_comes_back_to_a_page(visitor: Visitor, provider: Provider) -> None:
    answer = visitor.client.post(LOGIN)
    visitor.opens(provider.answers(answer["Location"], email=NOOR, grants=False))
    assert "You stopped at the other side." in visitor.page


@pytest.mark.parametrize("query", ["", "?code=made-up", "?code=made-up&state=made-up"])
def test_an_answer_that_nobody_asked_for_opens_nothing(
    visitor: Visitor, provider: Provider, query: str
) -> None:
    visitor.opens(f"{LOGIN}callback/{query}")
    assert "Signing in did not work" in visitor.page
    assert not visitor.is_signed_in()


def test_an_answer_is_good_once_and_for_the_browser_that_asked(visitor: Visitor, provider: Provider) -> None:
    make_staff(role=Role.READER, email=NOOR, password=PASSWORD)
    answer = visitor.client.post(LOGIN)
    back = provider.answers(answer["Location"], email=NOOR)
    thief = Visitor()
    thief.opens(back)
    assert not thief.is_signed_in()
    visitor.opens(back)
    assert visitor.is_signed_in()
    visitor.sends("/account/logout/")
    visitor.opens(back)
    assert not visitor.is_signed_in()


def test_a_provider_that_is_away_is_no_fault_page(visitor: Visitor, settings: Any) -> None:
    point_at("http://127.0.0.1:1", settings)
    visitor.sends(LOGIN)
    assert visitor.answer.status_code == 502
    assert "Signing in did not work" in visitor.page


def test_without_a_provider_there_is_no_such_way(visitor: Visitor) -> None:
    visitor.opens("/account/login/")
    assert "/oidc/" not in visitor.page
    assert visitor.sends(LOGIN).status_code == 404
    visitor.client.force_login(make_driver())
    visitor.opens("/account/3rdparty/")
    assert "no other way to sign in" in visitor.page


def test_the_environment_names_the_provider_also_to_the_content_policy() -> None:
    asks = (
        "from portal.settings import CONTENT_SECURITY_POLICY, SOCIALACCOUNT_PROVIDERS\n"
        "print(SOCIALACCOUNT_PROVIDERS['openid_connect']['APPS'][0]['name'])\n"
        "print(*CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", asks],
        cwd=installed.BASE_DIR,
        env={**os.environ, "OIDC_ISSUER": "https://login.example/realm", "OIDC_NAME": "De Gemeente"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert told.splitlines() == ["De Gemeente", "'self' https://login.example"]
