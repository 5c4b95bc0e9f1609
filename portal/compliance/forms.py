"""What an official fills in: a note on a requirement, a decision, what to probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.compliance.models import ConcessionRequirement, Evidence, Requirement, Status
from stations.models import Station

PRIORITIES = (1, 2, 3)
COMMENT_LENGTH = 2000
LISTED = 200


class NoteForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    priority = forms.TypedChoiceField(
        required=False,
        choices=[("", "-"), *((number, str(number)) for number in PRIORITIES)],
        coerce=int,
        empty_value=None,
    )
    comment = forms.CharField(required=False, max_length=COMMENT_LENGTH)

    class Meta:
        model = ConcessionRequirement
        fields = ("priority", "comment")


class DecisionForm(forms.Form):
    """`status` starts at the proposal: accepting takes one click."""

    # A field that is empty yet is not wrong yet; what is missing is said after sending.
    use_required_attribute = False

    status = forms.ChoiceField(
        label=_("Is the proposal right?"),
        choices=[
            (Status.PROVEN, _("Proven")),
            (Status.DEVIATION, _("Deviation")),
            (Status.NOT_ASSESSED, _("Do not judge yet")),
            (Status.NOT_APPLICABLE, _("Not applicable")),
            (Status.WAIVED, _("Waived")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The operator reads this text."),
    )
    restore_by = forms.DateField(
        label=_("Restored before"),
        required=False,
        input_formats=["%d-%m-%Y", "%Y-%m-%d"],
        widget=forms.DateInput(format="%d-%m-%Y", attrs={"inputmode": "numeric"}),
        help_text=_("Day-month-year, for example 15-12-2026. Only with a deviation."),
        error_messages={"invalid": _("Write the date as day-month-year, for example 15-12-2026.")},
    )


class WaitingField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    def label_from_instance(self, obj: Evidence) -> str:
        return f"{obj.station.label}, {obj.station.identity}" if obj.station else str(obj.operator)


class VerdictForm(DecisionForm):
    """One decision on what is chosen of `waiting`: the same fault at many stations is judged once."""

    evidence = WaitingField(
        label=_("About"),
        queryset=Evidence.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose what your judgement is about.")},
    )
    field_order = ("evidence", "status", "reason", "restore_by")

    def __init__(self, *args: Any, waiting: Sequence[Evidence], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = waiting
        field: Any = self.fields["evidence"]
        field.queryset = Evidence.objects.filter(pk__in=[one.pk for one in waiting]).select_related("station")
        # They are here already, with what their labels say.
        field.choices = [(one.pk, field.label_from_instance(one)) for one in waiting]

    @property
    def chosen(self) -> set[str]:
        """Keys that are ticked: as sent, else the only one there is."""
        if self.is_bound:
            return set(self["evidence"].data or ())
        return {str(one.pk) for one in self.waiting} if len(self.waiting) == 1 else set()


class StationChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    def label_from_instance(self, obj: Station) -> str:
        return f"{obj.identity}, {obj.label} ({obj.site.operator})" if obj.name else str(obj)


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal()


class RequirementChoiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    def label_from_instance(self, obj: Requirement) -> str:
        return f"{obj.code} {obj.title}"


class IdentityField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    """A station by its identity, which is typed; by its key it comes from a button of another page."""

    def to_python(self, value: Any) -> Station | None:
        text = str(value or "").strip()
        found: Station | None = Station.objects.filter(identity=text).first() if text else None
        if found is not None:
            return super().to_python(found.pk)
        if text and not _is_key(text):
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(text)

    def prepare_value(self, value: Any) -> Any:
        return value.identity if isinstance(value, Station) else value


class ProbeForm(forms.Form):
    """The station is chosen from a list; from more than LISTED nobody chooses, and its identity is typed."""

    use_required_attribute = False
    station = StationChoiceField(
        label=_("Station"), queryset=Station.objects.none(), empty_label=_("Choose a station")
    )
    requirement = RequirementChoiceField(
        label=_("Requirement"), queryset=Requirement.objects.none(), empty_label=_("Choose a requirement")
    )

    def __init__(self, *args: Any, stations: Any, requirements: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if stations.order_by().values("pk")[: LISTED + 1].count() > LISTED:
            self.fields["station"] = self._typed(stations)
        else:
            self.fields["station"].queryset = stations  # type: ignore[attr-defined]
        self.fields["requirement"].queryset = requirements  # type: ignore[attr-defined]
        only = list(requirements[:2])
        if len(only) == 1 and not self.initial.get("requirement"):
            self.initial["requirement"] = only[0].pk

    def _typed(self, stations: Any) -> IdentityField:
        chosen = str(self.initial.get("station") or "")
        if _is_key(chosen):  # a link of another page brings the key
            self.initial["station"] = stations.filter(pk=chosen).first()
        return IdentityField(
            label=_("Station"),
            queryset=stations,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "maxlength": 48}),
            help_text=_("Its identity, as in the list of stations."),
            error_messages={
                "invalid_choice": _(
                    "You may probe no station with this identity. Look it up in the list of stations."
                )
            },
        )
