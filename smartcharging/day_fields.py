"""Days and times of the clock as people write them here: dd-mm-yyyy and hh:mm, in every browser the same.

Text, not the pickers of a browser: those follow its own language, and ask a Dutch visitor for mm/dd/yyyy or AM/PM.
A keyboard of digits alone has no dash and no colon, so 24112026 and 1730 are understood too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

DIGITS = {"inputmode": "numeric", "autocomplete": "off"}


def midnight(day: date) -> datetime:
    """When the day begins here."""
    return timezone.make_aware(datetime.combine(day, time()))


def on_days(chosen: Mapping[str, Any], moment: str) -> Q:
    """What a filter with the fields `since` and `until` (both days counted) asks of the column `moment`."""
    wanted = Q()
    if since := chosen.get("since"):
        wanted &= Q((f"{moment}__gte", midnight(since)))
    if until := chosen.get("until"):
        wanted &= Q((f"{moment}__lt", midnight(until + timedelta(days=1))))
    return wanted


class DayField(forms.DateField):
    """A day: 24-11-2026."""

    default_error_messages = {"invalid": _("Write the day as dd-mm-yyyy, such as 24-11-2026.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%d-%m-%Y", attrs={**DIGITS, "size": 10})
        formats = ["%d-%m-%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y-%m-%d"]
        super().__init__(widget=widget, input_formats=formats, help_text=_("dd-mm-yyyy"), **kwargs)

    def to_python(self, value: Any) -> date | None:
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and text.isdecimal() and len(text) == 8:
            text = f"{text[:2]}-{text[2:4]}-{text[4:]}"
        return super().to_python(text)


class ClockField(forms.TimeField):
    """A time of the day: 17:30."""

    default_error_messages = {"invalid": _("Write hours and minutes, such as 17:30.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TimeInput(format="%H:%M", attrs={**DIGITS, "size": 5})
        super().__init__(widget=widget, input_formats=["%H:%M", "%H.%M"], help_text=_("hh:mm"), **kwargs)

    def to_python(self, value: Any) -> time | None:
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and text.isdecimal() and len(text) == 4:
            text = f"{text[:2]}:{text[2:]}"
        return super().to_python(text)
