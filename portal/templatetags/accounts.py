"""The pages of one's own account: how they hang together. Use with `{% load accounts %}`."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from portal.accounts.second_factor import owes_second_factor

register = template.Library()

# How browsers and systems name themselves, the more particular first: Edge also says Chrome, and Chrome also Safari.
BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


@register.simple_tag(takes_context=True)
def account_tabs(context: template.RequestContext) -> list[Tab]:
    """The parts of an account; the one whose pages the visitor is on is current."""
    parts = [
        (_("You"), reverse("account_overview"), ""),
        (_("Second step"), reverse("mfa_index"), "2fa/"),
        (_("Password"), reverse("account_change_password"), "password/"),
        (_("E-mail address"), reverse("account_email"), "email/"),
        (_("Where you are signed in"), reverse("usersessions_list"), "sessions/"),
        (_("API tokens"), reverse("account_tokens"), "tokens/"),
    ]
    if settings.SOCIALACCOUNT_PROVIDERS:
        parts.append((_("Linked account"), reverse("socialaccount_connections"), "3rdparty/"))
    home, path = reverse("account_overview"), context["request"].path
    return [
        Tab(label, url, path.startswith(home + within) if within else path == home)
        for label, url, within in parts
    ]


@register.filter
def device(user_agent: str) -> str:
    """What somebody recognises of a browser's own words: "Firefox, Windows"; all of them where nothing is known."""
    names = (next((name for sign, name in known if sign in user_agent), "") for known in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, names)) or user_agent


@register.simple_tag(takes_context=True)
def second_factor_owed(context: template.RequestContext) -> bool:
    return owes_second_factor(context["request"])
