"""Parts of the frame that every page shares: cells of a list, help with a page, the theme. Use `{% load tables %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.tables.columns import Cell, Column
from portal.templatetags.laad import sign
from portal.templatetags.measures import iso

register = template.Library()

_NOTE = '<br><span class="laad-tiny laad-muted">{}</span>'


@register.simple_tag
def cell(column: Column, line: Any) -> SafeString:
    """A cell of a list, as its column draws it. Here and not in a template: a page has hundreds."""
    if column.cell is None:
        raise TypeError(f"{column.key} has neither a cell nor a template")
    drawn = column.cell(line)
    return format_html("{}{}", _main(drawn), format_html_join("", _NOTE, ((note,) for note in drawn.notes)))


@register.simple_tag
def stands_out(column: Column, line: Any) -> str:
    """The class of a filled cell, where the column says that this one asks for attention."""
    return " laad-breach" if column.attention and column.attention(line) else ""


def _main(drawn: Cell) -> SafeString:
    if drawn.mark:
        return sign(drawn.mark.tone, drawn.mark.label, drawn.mark.icon)
    said = format_html("{}", drawn.text)
    if drawn.moment:
        said = format_html('<time datetime="{}">{}</time>', iso(drawn.moment), said)
    if drawn.url:
        said = format_html('<a class="utrecht-link utrecht-link--html-a" href="{}">{}</a>', drawn.url, said)
    if drawn.code:
        said = format_html('<span class="laad-mono">{}</span>', said)
    return format_html('<span class="laad-muted">{}</span>', said) if drawn.muted else said
