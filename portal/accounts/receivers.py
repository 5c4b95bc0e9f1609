"""What follows on signing in: the portal in the language that its person chose."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import user_logged_in
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpResponse

from portal.accounts.driving import Preference

YEAR_S = 365 * 86_400


@receiver(user_logged_in, dispatch_uid="accounts.language")
def speak_chosen_language(*, response: HttpResponse, user: Any, **_: Any) -> None:
    chosen = Preference.objects.filter(user=user).values_list("language", flat=True).first()
    if chosen:
        remember_language(response, chosen)


def remember_language(response: HttpResponse, language: str) -> None:
    """As Django's own switch does: in the cookie of the browser."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=YEAR_S,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE or "Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
