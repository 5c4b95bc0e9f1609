"""The second step of signing in: set up, asked for, lost; and what is closed without it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core import mail
from django.urls import get_resolver

from portal.accounts import second_factor
from portal.accounts.models import User
from stations.models.access import Role
from tests.accounts.conftest import PASSWORD, Visitor
from tests.accounts.security_key import SecurityKey
from tests.factories import make_api_key, make_driver, make_official, make_staff, make_station, make_superuser

pytestmark = pytest.mark.django_db
EMAIL = "noor@example.test"
SETUP = "/account/2fa/totp/activate/"


@pytest.fixture
def noor() -> User:
    return make_staff(role=Role.OPERATOR, email=EMAIL, password=PASSWORD)


def opens_after_password(visitor: Visitor, path: str) -> None:
    """What matters asks for the password once more."""
    visitor.opens(path)
    if "/reauthenticate/" in getattr(visitor, "path", ""):
        visitor.sends(visitor.path, password=PASSWORD)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Puts the clock of the codes so many seconds on."""

    def move(seconds: float) -> None:
        clock = SimpleNamespace(time=lambda: time.time() + seconds)
        monkeypatch.setattr("allauth.mfa.totp.internal.auth.time", clock)

    return move


def code_of(secret: str, *, later_s: float = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time() + later_s) // 30)))


def sets_up_app(visitor: Visitor) -> str:
    """The secret that the app now has."""
    opens_after_password(visitor, SETUP)
    secret = re.search(r'id="secret">(\w+)<', visitor.page)
    assert secret, visitor.page
    visitor.sends(SETUP, code=code_of(secret[1]))
    assert "Recovery codes" in visitor.page
    return secret[1]


# ---------------------------------------------------------------- forced
ROLES: dict[str, Callable[[], User]] = {
    "official": make_official,
    "reader": lambda: make_staff(role=Role.READER),
    "administrator": lambda: make_staff(role=Role.ADMINISTRATOR),
    "superuser": make_superuser,
}
CLOSED = [
    "/",
    "/stations/",
    "/naleving/",
    "/account/",
    "/account/password/change/",
    "/account/sessions/",
    "/mensen/",
    "/beheer/",
]


@pytest.mark.usefixtures("forced")
@pytest.mark.parametrize("role", ROLES)
def test_with_a_role_and_a_password_alone_nothing_opens(visitor: Visitor, role: str) -> None:
    make_station("NL-EIGEN-0001")
    visitor.client.force_login(ROLES[role]())
    for path in [*CLOSED, "/stations/NL-EIGEN-0001/", "/live/?station=NL-EIGEN-0001"]:
        answer = visitor.client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/account/2fa/"), path
    refused = visitor.client.get("/api/v1/stations/")
    assert refused.status_code == 403
    assert "second step" in refused.json()["detail"]
    changed = visitor.client.post("/stations/NL-EIGEN-0001/limiet/", {})
    assert changed["Location"] == "/account/2fa/"
    assert visitor.opens("/account/2fa/").status_code == 200
    assert "a password alone is not enough" in visitor.page
    for path in ("/account/logout/", "/privacy/", "/toegankelijkheid/", SETUP, "/account/2fa/webauthn/add/"):
        assert visitor.opens(path).status_code == 200, path
    visitor.sends("/account/logout/")
    assert not visitor.is_signed_in()


@pytest.mark.usefixtures("forced")
def test_a_driver_and_a_program_are_not_asked(visitor: Visitor, noor: User) -> None:
    visitor.client.force_login(make_driver())
    assert visitor.opens("/mijn/sessies/").status_code == 200
    program = Visitor()
    key = make_api_key(noor)
    answer = program.client.get("/api/v1/stations/", headers={"authorization": f"Token {key}"})
    assert answer.status_code == 200


@pytest.mark.usefixtures("forced")
def test_everything_opens_with_the_app(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    assert visitor.path == "/account/2fa/"
    sets_up_app(visitor)
    assert visitor.opens("/stations/").status_code == 200
    # Recovery codes alone are no second factor.
    Authenticator.objects.filter(type="totp").delete()
    visitor.opens("/stations/")
    assert visitor.path == "/account/2fa/"


@pytest.mark.django_db(transaction=True)
def test_its_owner_hears_that_an_app_was_added(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    sets_up_app(visitor)
    told = mail.outbox[-1]
    assert (told.subject, told.to) == ("Laadbewijs: An app is added to your account", [EMAIL])
    assert "from IP address 127.0.0.1" in str(told.body)


def test_where_it_is_only_offered_nothing_is_closed(visitor: Visitor, noor: User) -> None:
    visitor.client.force_login(noor)
    assert visitor.opens("/stations/").status_code == 200
    visitor.opens("/account/2fa/")
    assert "a password alone is not enough" not in visitor.page
    assert "Set up an app" in visitor.page


@pytest.mark.usefixtures("forced")
def test_every_address_that_stays_open_exists() -> None:
    """A name that changed would close the way out."""
    names = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert names >= second_factor.STILL_OPEN


# ---------------------------------------------------------------- the app
def test_the_code_is_asked_after_the_password(
    visitor: Visitor, noor: User, at: Callable[[float], None]
) -> None:
    visitor.signs_in(EMAIL)
    secret = sets_up_app(visitor)
    somebody = Visitor()
    somebody.signs_in(EMAIL, next="/verbindingen/")
    assert somebody.path == "/account/2fa/authenticate/"
    assert not somebody.is_signed_in()
    somebody.opens("/stations/")
    assert somebody.path == "/account/2fa/authenticate/"
    at(60)
    somebody.sends("/account/2fa/authenticate/", code=code_of(secret, later_s=60))
    assert somebody.is_signed_in()
    assert somebody.path == "/verbindingen/"


def test_a_code_opens_once(visitor: Visitor, noor: User, at: Callable[[float], None]) -> None:
    visitor.signs_in(EMAIL)
    secret = sets_up_app(visitor)
    at(60)
    code = code_of(secret, later_s=60)
    first, second = Visitor(), Visitor()
    for each in (first, second):
        each.signs_in(EMAIL)
        each.sends("/account/2fa/authenticate/", code=code)
    assert first.is_signed_in()
    assert not second.is_signed_in()
    assert "was used already" in second.page


@pytest.mark.parametrize("code", ["000000", "", "abc", "9" * 500])
def test_a_wrong_code_opens_nothing(visitor: Visitor, noor: User, code: str) -> None:
    visitor.signs_in(EMAIL)
    sets_up_app(visitor)
    somebody = Visitor()
    somebody.signs_in(EMAIL)
    somebody.sends("/account/2fa/authenticate/", code=code)
    assert not somebody.is_signed_in()
    assert "laad-error" in somebody.page


def test_an_old_code_opens_nothing(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    secret = sets_up_app(visitor)
    somebody = Visitor()
    somebody.signs_in(EMAIL)
    somebody.sends("/account/2fa/authenticate/", code=code_of(secret, later_s=-120))
    assert not somebody.is_signed_in()


def test_guessing_codes_is_stopped(visitor: Visitor, noor: User, at: Callable[[float], None]) -> None:
    visitor.signs_in(EMAIL)
    secret = sets_up_app(visitor)
    guesser = Visitor()
    guesser.signs_in(EMAIL)
    for number in range(6):
        guesser.sends("/account/2fa/authenticate/", code=f"{number:06d}")
    at(60)
    guesser.sends("/account/2fa/authenticate/", code=code_of(secret, later_s=60))
    assert not guesser.is_signed_in()
    assert "Too many" in guesser.page


def test_a_wrong_code_sets_nothing_up(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    opens_after_password(visitor, SETUP)
    secret = re.search(r'id="secret">(\w+)<', visitor.page)
    visitor.sends(SETUP, code="000000")
    assert "This code is not right" in visitor.page
    assert secret
    assert secret[1] in visitor.page  # the picture that was scanned stays good
    assert not Authenticator.objects.exists()


def test_setting_up_and_removing_ask_for_the_password_once_more(visitor: Visitor, noor: User) -> None:
    visitor.client.force_login(noor)
    visitor.opens(SETUP)
    assert visitor.path.startswith("/account/reauthenticate/")
    visitor.sends(visitor.path, password="wrong")
    assert "This password is not right." in visitor.page
    sets_up_app(visitor)
    visitor.opens("/account/2fa/totp/deactivate/")
    assert "Remove the app?" in visitor.page
    visitor.sends("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    assert any("removed" in message.subject for message in mail.outbox)


def test_what_opens_an_account_is_sealed_in_its_row(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    secret = sets_up_app(visitor)
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in kept
    assert "gAAAA" in kept


# ---------------------------------------------------------------- recovery codes
def recovery_codes(visitor: Visitor) -> list[str]:
    opens_after_password(visitor, "/account/2fa/recovery-codes/")
    return re.findall(r"<li>(\d{8})</li>", visitor.page)


def test_a_recovery_code_opens_once(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    sets_up_app(visitor)
    code, *_rest = codes = recovery_codes(visitor)
    assert len(codes) == 10
    first, second = Visitor(), Visitor()
    for each in (first, second):
        each.signs_in(EMAIL)
        each.sends("/account/2fa/authenticate/", code=code)
    assert first.is_signed_in()
    assert not second.is_signed_in()
    first.opens("/account/2fa/")
    assert "9 codes left" in first.page


def test_new_recovery_codes_replace_the_old_and_come_as_a_file(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    sets_up_app(visitor)
    before = recovery_codes(visitor)
    visitor.sends("/account/2fa/recovery-codes/generate/")
    after = recovery_codes(visitor)
    assert not set(before) & set(after)
    file = visitor.client.get("/account/2fa/recovery-codes/download/")
    assert "attachment" in file["Content-Disposition"]
    assert after[0] in file.content.decode()
    somebody = Visitor()
    somebody.signs_in(EMAIL)
    somebody.sends("/account/2fa/authenticate/", code=before[0])
    assert not somebody.is_signed_in()


def test_who_lost_everything_is_helped_by_a_superuser(visitor: Visitor, noor: User) -> None:
    visitor.signs_in(EMAIL)
    sets_up_app(visitor)
    helper = Visitor()
    helper.client.force_login(make_superuser())
    row = Authenticator.objects.get(type="totp")
    page = helper.opens(f"/beheer/mfa/authenticator/{row.pk}/change/").content.decode()
    assert "gAAAA" not in page
    helper.sends(f"/beheer/mfa/authenticator/{row.pk}/delete/", post="yes")
    somebody = Visitor()
    somebody.signs_in(EMAIL)
    assert somebody.is_signed_in()


# ---------------------------------------------------------------- passkeys
def adds_key(visitor: Visitor, key: SecurityKey, *, passwordless: bool) -> None:
    add = "/account/2fa/webauthn/add/"
    opens_after_password(visitor, add)
    options = script_data(visitor)["creation_options"]
    said: dict[str, Any] = {"passwordless": "on"} if passwordless else {}
    visitor.sends(add, name="Mijn sleutel", credential=json.dumps(key.makes(options)), **said)


def script_data(visitor: Visitor) -> Any:
    found = re.search(
        r'<script id="js_data" type="application/json">(.*?)</script>', visitor.answer.content.decode()
    )
    assert found, visitor.page
    return json.loads(found[1])


@pytest.fixture
def localhost(visitor: Visitor, settings: Any) -> Visitor:
    """Passkeys belong to a name; an IP address has none."""
    visitor.client.defaults["HTTP_HOST"] = "localhost:8000"
    return visitor


def browser() -> Visitor:
    fresh = Visitor()
    fresh.client.defaults["HTTP_HOST"] = "localhost:8000"
    return fresh


@pytest.mark.usefixtures("forced")
def test_a_passkey_opens_without_a_password(localhost: Visitor, noor: User) -> None:
    key = SecurityKey()
    localhost.signs_in(EMAIL)
    adds_key(localhost, key, passwordless=True)
    assert localhost.opens("/stations/").status_code == 200
    localhost.opens("/account/2fa/webauthn/")
    assert "Without a password" in localhost.page
    somebody = browser()
    options = somebody.client.get(
        "/account/2fa/webauthn/login/", headers={"accept": "application/json"}
    ).json()
    somebody.sends(
        "/account/2fa/webauthn/login/", credential=json.dumps(key.signs(options["request_options"]))
    )
    assert somebody.is_signed_in()
    assert somebody.opens("/stations/").status_code == 200


def test_a_security_key_opens_after_the_password(localhost: Visitor, noor: User) -> None:
    key = SecurityKey()
    localhost.signs_in(EMAIL)
    adds_key(localhost, key, passwordless=False)
    somebody = browser()
    somebody.signs_in(EMAIL)
    assert somebody.path == "/account/2fa/authenticate/"
    options = script_data(somebody)["request_options"]
    somebody.sends("/account/2fa/authenticate/", credential=json.dumps(key.signs(options)))
    assert somebody.is_signed_in()


def test_the_key_of_somebody_else_opens_nothing(localhost: Visitor, noor: User) -> None:
    localhost.signs_in(EMAIL)
    adds_key(localhost, SecurityKey(), passwordless=False)
    somebody = browser()
    somebody.signs_in(EMAIL)
    options = script_data(somebody)["request_options"]
    somebody.sends("/account/2fa/authenticate/", credential=json.dumps(SecurityKey().signs(options)))
    assert not somebody.is_signed_in()
    assert "does not belong to your account" in somebody.page


def test_a_signature_that_is_not_the_keys_own_opens_nothing(localhost: Visitor, noor: User) -> None:
    key, forger = SecurityKey(), SecurityKey()
    localhost.signs_in(EMAIL)
    adds_key(localhost, key, passwordless=False)
    forger.id = key.id
    somebody = browser()
    somebody.signs_in(EMAIL)
    options = script_data(somebody)["request_options"]
    somebody.sends("/account/2fa/authenticate/", credential=json.dumps(forger.signs(options)))
    assert not somebody.is_signed_in()
    assert "does not belong to your account" in somebody.page


def test_an_answer_to_an_earlier_question_opens_nothing(localhost: Visitor, noor: User) -> None:
    key = SecurityKey()
    localhost.signs_in(EMAIL)
    adds_key(localhost, key, passwordless=False)
    first, second = browser(), browser()
    first.signs_in(EMAIL)
    heard = json.dumps(key.signs(script_data(first)["request_options"]))
    second.signs_in(EMAIL)
    second.sends("/account/2fa/authenticate/", credential=heard)
    assert not second.is_signed_in()


def test_a_key_is_renamed_and_removed(localhost: Visitor, noor: User) -> None:
    localhost.signs_in(EMAIL)
    adds_key(localhost, SecurityKey(), passwordless=False)
    pk = Authenticator.objects.get(type="webauthn").pk
    localhost.sends(f"/account/2fa/webauthn/keys/{pk}/edit/", name="Aan mijn bos")
    assert "Aan mijn bos" in localhost.page
    stranger = browser()
    other = make_driver(email="ander@example.test", password=PASSWORD)
    stranger.signs_in(other.email)
    opens_after_password(stranger, f"/account/2fa/webauthn/keys/{pk}/remove/")
    assert stranger.answer.status_code == 404
    localhost.sends(f"/account/2fa/webauthn/keys/{pk}/remove/")
    assert not Authenticator.objects.filter(type="webauthn").exists()


MADE_UP = {"id": "x", "rawId": "x", "type": "public-key", "response": {"clientDataJSON": "x"}}


@pytest.mark.parametrize("credential", ["", "nonsense", "{}", "[]", '{"id": 1}', json.dumps(MADE_UP)])
def test_what_no_key_would_say_is_refused(localhost: Visitor, noor: User, credential: str) -> None:
    localhost.signs_in(EMAIL)
    opens_after_password(localhost, "/account/2fa/webauthn/add/")
    localhost.sends("/account/2fa/webauthn/add/", name="x", credential=credential)
    assert localhost.answer.status_code == 200
    assert "laad-error" in localhost.page
    assert not Authenticator.objects.exists()
