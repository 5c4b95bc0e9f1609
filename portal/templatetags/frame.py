"""What stands around every page: help with it, and the theme of the municipality. Use with `{% load frame %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.conf import settings
from django.template import RequestContext

from portal.frontend import THEME_URL
from portal.pages.help_texts import HELP

register = template.Library()


@register.inclusion_tag("components/help.html", takes_context=True)
def page_help(context: RequestContext) -> dict[str, Any]:
    """The help of the page that is shown, if it has any."""
    match = getattr(context.get("request"), "resolver_match", None)
    return {"paragraphs": HELP.get(match.view_name, ()) if match else ()}


@register.simple_tag
def theme_class() -> str:
    """The classes of the theme on `<html>`: the municipality's own over that of the design system."""
    return f"voorbeeld-theme {settings.THEME_CLASS}".strip()


@register.simple_tag
def theme_file() -> str:
    """The style sheet of the municipality's own theme, as a static file; empty without one."""
    return THEME_URL if settings.THEME_FILE else ""
