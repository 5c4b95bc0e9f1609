"""What we decide of allauth: who gets in, and the words it says to people."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from portal.accounts import invitations
from portal.accounts.addresses import count_as_verified
from portal.accounts.models import User
from stations.sealing import seal, unseal

log = logging.getLogger(__name__)

# Said by allauth's own forms. Here our catalogue finds them, and what it has goes before allauth's.
gettext_noop("You must type the same password each time.")
gettext_noop("Authenticator code")
gettext_noop("Passwordless")
gettext_noop(
    "Enabling passwordless operation allows you to sign in using just this key, "
    "but imposes additional requirements such as biometrics or PIN protection."
)


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": gettext_lazy("This account is closed. Ask who invited you."),
        "duplicate_email": gettext_lazy("This is your e-mail address already."),
        "email_password_mismatch": gettext_lazy(
            "This e-mail address and password do not belong together. Check both and try again."
        ),
        "enter_current_password": gettext_lazy("Type the password that you have now."),
        "incorrect_code": gettext_lazy("This code is not right, or was used already. Type the next one."),
        "incorrect_password": gettext_lazy("This password is not right."),
        "too_many_login_attempts": gettext_lazy(
            "Too many attempts that went wrong. Wait five minutes and try again, or choose a new password."
        ),
        "rate_limited": gettext_lazy("Too many attempts. Wait a few minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up: an account begins with an invitation."""
        return False

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        count_as_verified(user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A mail server that is away must not cost people what they did on the page."""
        try:
            super().send_mail(template_prefix, email, context)
        except OSError:
            log.exception("%s was not mailed", template_prefix)
            messages.error(self.request, _("The e-mail could not be sent. Try again in a few minutes."))


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Signing in through an OpenID Connect provider. Only an address that it verified says who somebody is."""

    error_messages = {
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": gettext_lazy("Choose a password first: without it you could no longer sign in."),
    }

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Also who is signed in links no account of another address."""
        is_linking = sociallogin.state.get("process") == AuthProcess.CONNECT
        if is_linking and getattr(request.user, "email", "") not in _verified_addresses(sociallogin):
            messages.error(
                request, _("That account has another e-mail address than yours, or did not prove it.")
            )
            raise ImmediateHttpResponse(redirect("socialaccount_connections"))

    def authenticate_by_email(self, sociallogin: Any) -> tuple[User, str] | None:
        """The account of which this is *the* address: one that somebody merely wants to change to does not count."""
        for email in _verified_addresses(sociallogin):
            user = User.objects.filter(email=email).first()
            if user is not None:
                return user, email
        return None

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        now = timezone.now()
        return any(invitations.open_for(email, now=now) for email in _verified_addresses(sociallogin))

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.name = str(data.get("name") or "")[:100]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """A new account: what waits for its address is accepted, for the provider vouches for the mailbox."""
        user: User = super().save_user(request, sociallogin, form)
        now = timezone.now()
        for invitation in invitations.open_for(user.email, now=now):
            invitations.accept(invitation, user=user, now=now)
        return user


def _verified_addresses(sociallogin: Any) -> list[str]:
    """Some providers say it as a text; any other text than "true" is no."""
    said = sociallogin.email_addresses
    return [each.email.lower() for each in said if each.verified is True or each.verified == "true"]


class SecondFactorAdapter(DefaultMFAAdapter):
    """What opens an account is sealed in its row."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
        "cannot_generate_recovery_codes": gettext_lazy("First set up an app or a passkey."),
    }

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - allauth's own name
        number = user.authenticator_set.filter(type=type).count() + 1
        return _("Key %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return {**entity, "name": "Laadbewijs"}
