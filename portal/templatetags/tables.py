"""The lines of a list. Use with `{% load tables %}`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.template import Context
from django.template.loader import get_template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from portal.tables.columns import Cell, Column
from portal.tables.listing import Listing
from portal.templatetags.laad import sign
from portal.templatetags.measures import iso

register = template.Library()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the cells of one column stand: what is the same in each line is made once."""

    column: Column
    opening: str  # up to its classes
    opened: str  # from there on
    closing: str
    template: Any

    def draw(self, context: Context, line: Any) -> str:
        column = self.column
        stands_out = " laad-breach" if column.attention and column.attention(line) else ""
        return f"{self.opening}{stands_out}{self._drawn(context, line)}"

    def _drawn(self, context: Context, line: Any) -> str:
        if self.template is not None:
            with context.push(line=line):
                return f"{self.opened}{self.template.render(context)}{self.closing}"
        if self.column.cell is None:
            raise TypeError(f"{self.column.key} has neither a cell nor a template")
        return f"{self.opened}{_cell(self.column.cell(line))}{self.closing}"


@register.simple_tag(takes_context=True)
def table_body(context: Context, listing: Listing) -> SafeString:
    """The lines of a list. Here and not in a template: a page has hundreds of cells."""
    first, *others = listing.columns
    places = [_place(first, is_first=True), *(_place(each) for each in others)]
    rows = (
        f'<tr class="utrecht-table__row" role="row">{"".join([at.draw(context, line) for at in places])}</tr>\n'
        for line in listing.lines
    )
    return mark_safe("".join(rows))  # noqa: S308 - each cell was escaped as it was drawn


def _place(column: Column, *, is_first: bool = False) -> _Place:
    number = " utrecht-table__cell--numeric-column" if column.numeric else ""
    template = get_template(column.template).template if column.template else None  # type: ignore[attr-defined]
    if is_first:
        tags = (f'<th scope="row" class="utrecht-table__cell{number}', '" role="rowheader">', "</th>")
    else:
        opened = format_html('" role="cell" data-label="{}">', column.label)
        tags = (f'<td class="utrecht-table__cell{number}', opened, "</td>")
    return _Place(column, *tags, template)


def _cell(drawn: Cell) -> str:
    notes = [
        f'<br><span class="laad-tiny laad-muted">{conditional_escape(str(note))}</span>'
        for note in drawn.notes
    ]
    return _main(drawn) + "".join(notes)


def _main(drawn: Cell) -> str:
    """Escaped piece by piece: `format_html` does the same, and escapes again what it is given, in twice the time."""
    if drawn.mark:
        return sign(drawn.mark.tone, drawn.mark.label, drawn.mark.icon)
    said: str = conditional_escape(str(drawn.text))
    if drawn.moment:
        said = f'<time datetime="{conditional_escape(iso(drawn.moment))}">{said}</time>'
    if drawn.url:
        said = (
            f'<a class="utrecht-link utrecht-link--html-a" href="{conditional_escape(drawn.url)}">{said}</a>'
        )
    if drawn.code:
        said = f'<span class="laad-mono">{said}</span>'
    return f'<span class="laad-muted">{said}</span>' if drawn.muted else said
