"""The form that sets a limit. It works without JavaScript: a row more is a submit, the server is the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.forms.utils import from_current_timezone
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from smartcharging.day_fields import ClockField, DayField, midnight
from smartcharging.domain.checking import share_a
from smartcharging.models import DesiredProfile
from smartcharging.services import LimitPeriod
from smartcharging.standing import abilities_of, place_of
from stations.models import Station

MOST_ROWS = 100
ROWS_AT_FIRST = 3
clock_format = RegexValidator(r"^\d{1,3}[:.]?[0-5]\d$", _("Write hours and minutes, such as 17:30."))


class When(models.TextChoices):
    """How the times of the periods are meant."""

    NOW = "now", _("once, from now on")
    LATER = "later", _("once, from a moment on")
    DAILY = "daily", _("every day")


# What each choice of When asks for; a mistake in the fields of another choice does not count.
ASKED = {
    When.NOW: {"hours"},
    When.LATER: {"starts_on", "starts_time", "hours"},
    When.DAILY: {"until"},
}


class LimitForm(forms.Form):
    """All of a limit but its periods."""

    use_required_attribute = False  # what is asked for depends on When

    place = forms.ChoiceField(label=_("For"))
    unit = forms.ChoiceField(label=_("Unit"), choices=DesiredProfile.Unit.choices)
    when = forms.ChoiceField(label=_("When"), choices=When.choices, widget=forms.RadioSelect)
    starts_on = DayField(
        label=_("Starts on"), error_messages={"required": _("Fill in the day on which it starts.")}
    )
    starts_time = ClockField(label=_("Time"), error_messages={"required": _("Fill in when it starts.")})
    hours = forms.FloatField(
        label=_("Number of hours"),
        localize=True,
        validators=[MinValueValidator(0.25), MaxValueValidator(24 * 366)],
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text=_("How long it counts, if once."),
        error_messages={"required": _("Fill in for how many hours: every limit needs an end.")},
    )
    until = DayField(
        label=_("Last day"),
        error_messages={"required": _("Fill in the last day: every limit needs an end.")},
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        help_text=_("Without one, it is named after the limit and its start."),
    )
    stack_level = forms.IntegerField(
        label=_("Level"), min_value=0, max_value=1000, help_text=_("The highest level that has a limit wins.")
    )

    def __init__(self, *args: Any, station: Station, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        evses = station.evses.order_by("number")
        choices: list[tuple[str, Any]] = [("station", _("the whole station"))]
        choices += [(f"evse-{evse.number}", _("each session on socket %s") % evse.letter) for evse in evses]
        choices.append(("evse-0", _("each session, on every socket")))
        self.fields["place"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField's own

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        when = cleaned.get("when")
        if when is None:
            return cleaned
        for name in set().union(*ASKED.values()) - ASKED[When(when)]:
            self.errors.pop(name, None)
        if when == When.LATER and cleaned.get("starts_on") and cleaned.get("starts_time"):
            try:
                starts_at = datetime.combine(cleaned["starts_on"], cleaned["starts_time"])
                cleaned["starts_at"] = from_current_timezone(starts_at)
            except forms.ValidationError:
                self.add_error("starts_time", _("The clock is set at this hour. Choose another time."))
        return cleaned

    def wish(self, now: datetime, periods: Sequence[LimitPeriod]) -> dict[str, Any]:
        """Arguments of services.set_profile."""
        data = self.cleaned_data
        is_station = data["place"] == "station"
        timing = self._daily(now) if data["when"] == When.DAILY else self._once(now)
        return {
            "name": data["name"] or self._own_name(periods, timing["start_schedule"]),
            "evse_number": 0 if is_station else int(data["place"].removeprefix("evse-")),
            "purpose": DesiredProfile.Purpose.STATION_MAX
            if is_station
            else DesiredProfile.Purpose.TX_DEFAULT,
            "unit": data["unit"],
            "stack_level": data["stack_level"],
            "periods": periods,
            **timing,
        }

    def _own_name(self, periods: Sequence[LimitPeriod], start: datetime) -> str:
        """12 A from 24-11 17:30, or 8–16 A every day."""
        limits = sorted({period.limit for period in periods})
        ends = dict.fromkeys(number_format(f"{limit:g}") for limit in (limits[:1] + limits[-1:]))
        values = {
            "limit": f"{'–'.join(ends)} {self.cleaned_data['unit']}",
            "start": f"{timezone.localtime(start):%d-%m %H:%M}",
        }
        if self.cleaned_data["when"] == When.DAILY:
            return gettext("%(limit)s every day") % values
        return gettext("%(limit)s from %(start)s") % values

    def _once(self, now: datetime) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "kind": DesiredProfile.Kind.ABSOLUTE,
            "start_schedule": now if data["when"] == When.NOW else data["starts_at"],
            "duration_s": round(data["hours"] * 3600),
        }

    def _daily(self, now: datetime) -> dict[str, Any]:
        return {
            "kind": DesiredProfile.Kind.RECURRING,
            "recurrency": DesiredProfile.Recurrency.DAILY,
            "start_schedule": midnight(timezone.localdate(now)),
            "valid_to": midnight(self.cleaned_data["until"] + timedelta(days=1)),
        }

    def clock_changes(self, now: datetime) -> bool:
        """Whether the clock is set within a daily limit: it goes on by elapsed hours, so an hour off (D10)."""
        if self.cleaned_data.get("when") != When.DAILY:
            return False
        first, last = midnight(timezone.localdate(now)), midnight(self.cleaned_data["until"])
        return first.utcoffset() != last.utcoffset()

    @classmethod
    def field_of(cls, field: str) -> str | None:
        """The field of the form that a field of the service belongs to."""
        names = {
            "evse_number": "place",
            "purpose": "place",
            "start_schedule": "starts_on",
            "duration_s": "hours",
            "valid_to": "until",
        }
        name = names.get(field, field)
        return name if name in cls.base_fields else None


class PeriodForm(forms.Form):
    """One row: from when, which limit. An empty row does not count."""

    since = forms.CharField(
        label=_("From"), required=False, validators=[clock_format], widget=forms.TextInput(attrs={"size": 6})
    )
    limit = forms.FloatField(
        label=_("Limit"),
        required=False,
        localize=True,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "size": 8}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        since, limit = cleaned.get("since"), cleaned.get("limit")
        if since and limit is None and "limit" not in self.errors:
            self.add_error("limit", _("Fill in the limit."))
        if limit is not None and not since and "since" not in self.errors:
            self.add_error("since", _("Fill in from when."))
        return cleaned

    @property
    def period(self) -> LimitPeriod | None:
        """The row as a period; None for an empty row."""
        since, limit = self.cleaned_data.get("since"), self.cleaned_data.get("limit")
        if not since or limit is None:
            return None
        digits = since.replace(":", "").replace(
            ".", ""
        )  # 17:30, 17.30, or 1730 where only digits are at hand
        return LimitPeriod(start_s=int(digits[:-2]) * 3600 + int(digits[-2:]) * 60, limit=limit)


if TYPE_CHECKING:
    PeriodRows = forms.BaseFormSet[PeriodForm]
else:
    PeriodRows = forms.BaseFormSet  # the stubs know what is in it, Django's class does not


class LabelledRows(PeriodRows):
    """Each input of a table says in which row it stands, for who does not see the table."""

    def add_fields(self, form: PeriodForm, index: int | None) -> None:
        super().add_fields(form, index)
        number = (index or 0) + 1
        labels = {
            "since": _("Row %(number)s, from") % {"number": number},
            "limit": _("Row %(number)s, limit") % {"number": number},
        }
        for name, label in labels.items():
            css = "utrecht-textbox utrecht-textbox--html-input"
            form.fields[name].widget.attrs.update({"aria-label": label, "class": css})


PeriodFormSet = forms.formset_factory(
    PeriodForm, formset=LabelledRows, extra=0, max_num=MOST_ROWS, absolute_max=MOST_ROWS
)


def first_values(station: Station, now: datetime) -> dict[str, Any]:
    """What a new form says, so that a limit is all that is left to fill in: the whole station, for four hours."""
    soon = timezone.localtime(now + timedelta(hours=1)).replace(minute=0)
    return {
        "place": "station",
        "unit": "A",
        "when": When.NOW,
        "hours": 4,
        "starts_on": soon.date(),
        "starts_time": soon.time(),
        "until": timezone.localdate(now) + timedelta(days=7),
        "stack_level": _winning_level(station),
    }


def _winning_level(station: Station) -> int:
    """A level above all that we want to stand there; the highest free one where the station knows none above."""
    taken = set(
        DesiredProfile.objects.current().filter(station=station).values_list("stack_level", flat=True)
    )
    wanted = max(taken, default=0) + 1
    most = abilities_of(station).max_stack_level
    highest = wanted if most is None else min(wanted, most)
    return next((level for level in range(highest, -1, -1) if level not in taken), highest)


def first_rows() -> list[dict[str, Any]]:
    """The rows of a new form."""
    return [{"since": "00:00"}, *({} for _ in range(ROWS_AT_FIRST - 1))]


def rows_of(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows as they were filled in, whatever is in them, to show them again."""
    total = str(data.get("form-TOTAL_FORMS", "0"))
    count = min(int(total), MOST_ROWS) if total.isdecimal() else 0
    return [
        {"since": data.get(f"form-{at}-since", ""), "limit": data.get(f"form-{at}-limit", "")}
        for at in range(count)
    ]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to know beforehand: a tone of the pages (good, warn, info) and two sentences."""

    tone: str
    text: str
    detail: str = ""


UNIT_SENTENCES = {
    frozenset({"A", "W"}): _("Takes limits in amperes and in watts"),
    frozenset({"A"}): _("Takes limits in amperes only"),
    frozenset({"W"}): _("Takes limits in watts only"),
}


def checks_of(station: Station, now: datetime) -> list[Check]:
    """What the station can take, by its own word, and what its connection gives."""
    place = place_of(station, now)
    abilities = place.abilities
    connection = _("Connection: %(phases)s × %(amperes)s A") % {
        "phases": station.connection_phases,
        "amperes": station.connection_a,
    }
    low = _("A default of at most %(amperes)s A per session needs no end.") % {"amperes": share_a(place)}
    said = [
        (abilities.max_periods, _("At most %(n)s periods")),
        (abilities.max_stack_level, _("Levels up to %(n)s")),
        (abilities.max_profiles, _("At most %(n)s profiles at once")),
    ]
    checks = [Check("good", str(text % {"n": value})) for value, text in said if value is not None]
    if abilities.units:
        checks.append(Check("good", str(UNIT_SENTENCES[frozenset(abilities.units)])))
    if not checks:
        unread = _("The station has not said what it can take")
        checks.append(
            Check("warn", str(unread), str(_("Then only the station itself can refuse the limit.")))
        )
    return [*checks, Check("info", str(connection), str(low))]
