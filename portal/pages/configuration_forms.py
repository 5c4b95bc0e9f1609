"""Forms of a station's configuration: each field knows what the station said of its value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.pages.configuration_words import MONITORS, PROBLEMS, SEVERITIES, hint
from stations.configuring import Wish, bounds_of, is_password, is_secret, wish
from stations.domain.device import Bounds, Kind, is_same, problem_of
from stations.domain.pacing import USUAL, Pace
from stations.models import ConfigurationTemplate, ConfigurationValue, Operator, Station
from stations.monitoring import BASES, KINDS, KINDS_21
from stations.ocpp.device import read_place
from stations.ocpp.masking import MASK, names_secret

MOST_AT_ONCE = 50


class ChangeForm(forms.Form):
    """One field for each value; what is left as it was, is not sent."""

    use_required_attribute = False

    def __init__(
        self, *args: Any, station: Station, rows: Sequence[ConfigurationValue], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = {f"value-{row.pk}": row for row in rows}
        self.bounds = {name: bounds_of(station, row) for name, row in self.rows.items()}
        for name, row in self.rows.items():
            self.fields[name] = _field(row, self.bounds[name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, text in list(cleaned.items()):
            problem = problem_of(text, self.bounds[name]) if self._is_changed(name, text) else None
            if problem:
                self.add_error(name, str(PROBLEMS[problem]))
        if not self.errors and not self.wishes():
            raise ValidationError(_("Nothing has been changed yet."))
        return cleaned

    def wishes(self) -> list[Wish]:
        return [
            wish(self.rows[name].place, text, self.rows[name].attribute)
            for name, text in self.cleaned_data.items()
            if self._is_changed(name, text)
        ]

    def _is_changed(self, name: str, text: str) -> bool:
        row = self.rows[name]
        if is_secret(row) or row.mutability == "WriteOnly":
            return text != ""
        return text != row.value and not (self.bounds[name].kind == Kind.BOOLEAN and is_same(text, row.value))


def _field(row: ConfigurationValue, bounds: Bounds) -> forms.Field:
    label = f"{row}" if row.attribute == "Actual" else f"{row} ({row.get_attribute_display()})"
    said: dict[str, Any] = {"label": label, "required": False, "help_text": hint(bounds, row.unit)}
    if is_secret(row) or row.mutability == "WriteOnly":
        said["help_text"] = _("This cannot be read. Leave it empty to keep it as it is.")
        return forms.CharField(
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            **said,
        )
    said["initial"] = row.value
    if bounds.kind == Kind.BOOLEAN:
        said["initial"] = row.value.strip().lower()
        return forms.ChoiceField(choices=[("true", _("yes (true)")), ("false", _("no (false)"))], **said)
    if bounds.kind == Kind.OPTION and bounds.choices:
        choices = [*bounds.choices, *({row.value} - set(bounds.choices))]
        return forms.ChoiceField(choices=[(each, each or "–") for each in choices], **said)
    attrs = {"inputmode": "numeric"} if bounds.kind == Kind.INTEGER else {}
    return forms.CharField(widget=forms.TextInput(attrs={"autocomplete": "off", **attrs}), **said)


# ---------------------------------------------------------------- monitors
class MonitorForm(forms.Form):
    """What a 2.x station is to watch; the variable is one that was read of it."""

    use_required_attribute = False

    variable = forms.ModelChoiceField(
        label=_("Variable"),
        queryset=ConfigurationValue.objects.none(),
        empty_label=_("Choose a variable"),
    )
    kind = forms.ChoiceField(label=_("Tell when the value is"))
    value = forms.FloatField(
        label=_("Value"),
        localize=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=_("A bound, a difference, or a number of seconds."),
        min_value=-1e12,
        max_value=1e12,
    )
    severity = forms.TypedChoiceField(
        label=_("How bad it is"),
        coerce=int,
        choices=[(number, f"{number}") for number in range(10)],
        initial=5,
    )
    only_in_transactions = forms.BooleanField(label=_("Only while a car charges"), required=False)

    def __init__(self, *args: Any, station: Station, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = ConfigurationValue.objects.filter(
            station=station, attribute="Actual", is_unknown=False, is_derived=False
        ).exclude(component="")
        self.fields["variable"].queryset = rows.exclude(supports_monitoring=False)  # type: ignore[attr-defined]
        kinds = KINDS_21 if station.ocpp_version == "2.1" else KINDS
        self.fields["kind"].choices = [(kind, MONITORS[kind]) for kind in kinds]  # type: ignore[attr-defined]
        self.fields["severity"].choices = [  # type: ignore[attr-defined]
            (number, f"{number} {word}") for number, word in enumerate(SEVERITIES)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if str(cleaned.get("kind", "")).startswith("Periodic") and (cleaned.get("value") or 0) <= 0:
            self.add_error("value", _("Give a number of seconds above 0."))
        return cleaned


class MonitoringForm(forms.Form):
    """Which monitors are on, and from how bad on they tell."""

    use_required_attribute = False

    base = forms.ChoiceField(
        label=_("Monitors that are on"),
        required=False,
        choices=[
            ("", _("as they are")),
            (BASES[0], _("all")),
            (BASES[1], _("those of the factory")),
            (BASES[2], _("only those that cannot be off")),
        ],
    )
    level = forms.TypedChoiceField(
        label=_("Tell from how bad on"), required=False, coerce=int, empty_value=None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["level"].choices = [  # type: ignore[attr-defined]
            ("", _("as it is")),
            *((number, f"{number} {word}") for number, word in enumerate(SEVERITIES)),
        ]


# ---------------------------------------------------------------- templates
class NewTemplateForm(forms.Form):
    use_required_attribute = False

    name = forms.CharField(label=_("Name"), max_length=100)
    operator = forms.ModelChoiceField(label=_("Operator"), queryset=Operator.objects.none(), empty_label=None)
    family = forms.ChoiceField(label=_("For"), choices=ConfigurationTemplate.Family.choices)

    def __init__(self, *args: Any, operators: Any, station: Station | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].queryset = operators  # type: ignore[attr-defined]
        if station is not None:  # its values say for which version, and whose they are
            del self.fields["family"], self.fields["operator"]
            self.owner = station.site.operator

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        operator = cleaned.get("operator") or getattr(self, "owner", None)
        taken = ConfigurationTemplate.objects.filter(operator=operator, name=cleaned.get("name"))
        if operator and taken.exists():
            self.add_error("name", _("There is a template of this name already."))
        return cleaned


class EntryForm(forms.Form):
    """One value of a template; a row without a name counts for nothing."""

    use_required_attribute = False

    component = forms.CharField(label=_("Component"), max_length=110, required=False)
    name = forms.CharField(label=_("Name"), max_length=101, required=False)
    value = forms.CharField(label=_("Value"), max_length=2500, required=False, strip=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, component = cleaned.get("name", ""), cleaned.get("component", "")
        if not name or self.errors:
            return cleaned
        self.place = read_place(component, name)
        if self.place is None:
            self.add_error("name", _("Write it as the station does, for example Measurands or Entries[Tx]."))
        elif is_password(self.place):
            self.add_error("name", _("Passwords are changed station by station, under Security."))
        return cleaned

    @property
    def wish(self) -> Wish | None:
        place = getattr(self, "place", None)
        if place is None:
            return None
        value = self.cleaned_data["value"]
        if not value and names_secret(place.variable, place.variable_instance, place.component):
            return Wish(place, MASK)  # as it was: a secret is not sent to the browser
        return wish(place, value)


class EntryFormSetBase(forms.BaseFormSet):  # type: ignore[type-arg]  # generic only in the stubs
    """A name in a template of 2.x stands in a component, and each place stands in it once."""

    needs_component = False

    def clean(self) -> None:
        seen: set[tuple[str, str]] = set()
        for form in self.forms:
            place = getattr(form, "place", None)
            if place is None:
                continue
            if self.needs_component and not place.component:
                form.add_error("component", _("Name the component."))
            if place.key in seen:
                form.add_error("name", _("This is in the template already."))
            seen.add(place.key)


EntryFormSet: type[EntryFormSetBase] = forms.formset_factory(  # type: ignore[assignment]
    EntryForm, formset=EntryFormSetBase, extra=0, max_num=200, absolute_max=210
)


class PaceForm(forms.Form):
    """How fast a roll-out goes, and when it stops by itself; what is left empty is as usual."""

    use_required_attribute = False

    first = forms.IntegerField(
        label=_("Stations that go first"),
        help_text=_("The others wait until all of these have taken it. 0: no station goes first."),
        min_value=0,
        max_value=1000,
        initial=USUAL.first,
        required=False,
    )
    at_once = forms.IntegerField(
        label=_("Stations at a time"),
        help_text=_("So many are asked at a time. A station that is away is asked when it comes back."),
        min_value=1,
        max_value=10_000,
        initial=USUAL.at_once,
        required=False,
    )
    stop_percent = forms.IntegerField(
        label=_("Stop above this percentage of the stations that answered"),
        help_text=_("It stops by itself when more than this refuse it. 100: it never does."),
        min_value=0,
        max_value=100,
        initial=USUAL.stop_percent,
        required=False,
    )

    @property
    def pace(self) -> Pace:
        return replace(USUAL, **{name: n for name, n in self.cleaned_data.items() if n is not None})


class RolloutForm(forms.Form):
    """Which stations; the choices are those that the template's operator has."""

    use_required_attribute = False

    q = forms.CharField(label=_("Station"), required=False, max_length=100)
    site = forms.ChoiceField(label=_("Site"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    firmware = forms.ChoiceField(label=_("Firmware"), required=False)
    version = forms.ChoiceField(label=_("OCPP version"), required=False)
    # As they were chosen in the list of stations: by name, or as the address of that list.
    stations = forms.CharField(required=False, max_length=5000, widget=forms.HiddenInput)
    like = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, stations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = stations.order_by("site__name").values_list("site", "site__name").distinct()
        self._offer("site", sites)
        for name, column in (("model", "model"), ("firmware", "firmware"), ("version", "ocpp_version")):
            found = stations.exclude(**{column: ""}).order_by(column).values_list(column, flat=True)
            self._offer(name, ((each, each) for each in found.distinct()))

    def _offer(self, name: str, choices: Iterable[tuple[Any, str]]) -> None:
        field = self.fields[name]
        field.choices = [("", _("all")), *((str(key), text) for key, text in choices)]  # type: ignore[attr-defined]

    def narrowed(self, stations: Any) -> Any:
        """Those of `stations` that fit; all where nothing was asked."""
        if not self.is_valid():
            return stations.none()
        wanted = self.cleaned_data
        columns = {"site": "site", "model": "model", "firmware": "firmware", "version": "ocpp_version"}
        exact = {columns[name]: wanted[name] for name in columns if wanted[name]}
        found = stations.filter(**exact)
        if wanted["stations"]:
            found = found.filter(identity__in=wanted["stations"].split(","))
        return found.filter(identity__icontains=wanted["q"]) if wanted["q"] else found
