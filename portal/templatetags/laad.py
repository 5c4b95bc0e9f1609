"""Components of the pages: icons, status marks, form fields, pagination. Use with `{% load laad %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, RadioSelect, Select, Textarea
from django.forms.widgets import HiddenInput
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from portal.compliance.models import Evidence
from portal.pages import charts
from portal.pages.charts import Box, Drawing, Label, Path
from portal.pages.icons import ICONS, MARKS, Mark, mark_of_verdict

register = template.Library()

_SVG = '<svg class="{}" viewBox="0 0 16 16" aria-hidden="true" focusable="false">{}</svg>'
_WIDGETS = {
    "select": "utrecht-select utrecht-select--html-select",
    "textarea": "utrecht-textarea utrecht-textarea--html-textarea",
    "text": "utrecht-textbox utrecht-textbox--html-input",
}
# Tone -> icon, where a sign names no icon of its own.
_SIGNS = {"good": "check", "bad": "alert", "warn": "clock", "info": "info", "calm": "status-empty"}


def _drawing(name: str, css: str = "") -> SafeString:
    return format_html(_SVG, css, mark_safe(ICONS[name]))  # noqa: S308 - our own drawings, no input


@register.filter
def breakable(value: object) -> SafeString:
    """A long list or name of a station, which may be broken after a comma or a dot, and not within a word."""
    text = escape(value)
    return mark_safe(text.replace(",", ",<wbr>").replace(".", ".<wbr>"))  # noqa: S308 - escaped above


@register.simple_tag
def marks(drawing: Drawing) -> SafeString:
    """What a drawing is made of. Here and not in its template: there are hundreds, and this is a tenth of the time."""
    return mark_safe("".join(map(_svg, drawing.marks)))  # noqa: S308 - escaped there


def _svg(mark: charts.Mark) -> str:
    """Classes, paths and numbers are portal.pages.charts' own; what a person gave a name is escaped."""
    match mark:
        case Box():
            place = f'x="{mark.x}" y="{mark.y}" width="{mark.width}" height="{mark.height}"'
            drawn = f'<rect class="{mark.css}" {place} rx="{mark.radius}"/>'
            if not mark.url:
                return drawn
            stop = "" if mark.is_stop else ' tabindex="-1"'
            return f'<a href="{escape(mark.url)}" aria-label="{escape(mark.name)}"{stop}>{drawn}</a>'
        case Path():
            return f'<path class="{mark.css}" d="{mark.d}"/>'
        case Label():
            css = f' class="{mark.css}"' if mark.css else ""
            return f'<text{css} x="{mark.x}" y="{mark.y}">{escape(mark.text)}</text>'


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon; `name` is a key of portal.pages.icons.ICONS."""
    return _drawing(name, "laad-icon")


@register.simple_tag
def sign(tone: str, text: object, icon: str = "", *, pill: bool = False) -> SafeString:
    """Icon + text + colour. `tone`: good, bad, warn, info or calm; `icon` when not the usual one of the tone."""
    css = f"laad-mark laad-mark--{tone}" + (" laad-mark--pill" if pill else "")
    return format_html('<span class="{}">{}{}</span>', css, _drawing(icon or _SIGNS[tone]), text)


@register.simple_tag
def mark(status: str, text: object = "", *, pill: bool = False) -> SafeString:
    """The mark of a compliance status (a value of Status, or "not_promised"), with `text` for its name."""
    drawn = MARKS[status]
    return sign(drawn.tone, text or drawn.label, drawn.icon, pill=pill)


@register.simple_tag
def count_mark(status: str, count: int) -> SafeString:
    """A status with how many requirements have it: "8 proven"."""
    drawn = MARKS[status]
    return sign(drawn.tone, f"{count} {str(drawn.label).lower()}", drawn.icon)


@register.simple_tag
def verdict_mark(evidence: Evidence) -> SafeString:
    """What a piece of evidence says."""
    drawn = mark_of_verdict(evidence.verdict)
    return sign(drawn.tone, drawn.label, drawn.icon)


@register.simple_tag
def status_ladder() -> list[Mark]:
    """Every status with its meaning, for the legend."""
    return list(MARKS.values())


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, *, note: bool = True) -> dict[str, Any]:
    """A field of a form: label, description (`note`), error (both tied by aria-describedby) and its widget."""
    widget = bound.field.widget
    # What repeats the label helps nobody, and vanishes while typing.
    widget.attrs.pop("placeholder", None)
    if not note:
        bound.help_text = ""
    kind = _kind(widget)
    return {"field": bound, "kind": kind, "widget": control(bound) if kind != "radio" else ""}


@register.simple_tag
def control(bound: BoundField) -> SafeString:
    """The widget of a field alone, as the pages dress it: for a filter, whose label stands beside it."""
    widget = bound.field.widget
    css = _WIDGETS.get(_kind(widget), "")
    if css and bound.errors:
        css += f" {css.split(maxsplit=1)[0]}--invalid"
    attrs: dict[str, str | bool] = {"class": f"{css} {widget.attrs.get('class', '')}".strip()} if css else {}
    return bound.as_widget(attrs=attrs)


def _kind(widget: Any) -> str:
    if isinstance(widget, HiddenInput):
        return "hidden"
    if isinstance(widget, RadioSelect):
        return "radio"
    if isinstance(widget, Select):
        return "select"
    if isinstance(widget, Textarea):
        return "textarea"
    return "checkbox" if isinstance(widget, CheckboxInput) else "text"


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: template.RequestContext, page: Page[Any]) -> dict[str, Any]:
    """Links to the pages around `page`; every other filter in the address stays."""
    return {
        "request": context["request"],
        "page": page,
        "numbers": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        "gap": page.paginator.ELLIPSIS,
    }
