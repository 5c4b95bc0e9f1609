"""What is said of an endpoint, on its page and by the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.notices.webhooks.guard import BadAddress, split
from portal.notices.webhooks.models import Event
from stations.models import Operator


def wrong_with(url: str) -> str:
    """What is wrong with an address, in words; empty: nothing that can be seen before it is connected to."""
    try:
        split(url)
    except BadAddress as error:
        return {
            "shape": _("This is no address of a web server. Write it as https://example.org/path."),
            "scheme": _("The address has to begin with https://."),
            "private": _("This address is within a private network. Give one on the internet."),
        }[error.reason]
    return ""


class EndpointForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy("Where your own system takes messages: https://…"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "url"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Tells of"),
        choices=Event.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        if wrong := wrong_with(url):
            raise forms.ValidationError(wrong)
        return url


class NewEndpointForm(EndpointForm):
    operator = forms.ModelChoiceField(
        Operator.objects.none(), label=gettext_lazy("Operator"), empty_label=None
    )
    field_order = ["operator", "name", "url", "events"]

    def __init__(self, *args: Any, operators: Sequence[Operator], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["operator"]
        field.queryset = Operator.objects.filter(pk__in=[each.pk for each in operators])
        if len(operators) == 1:
            field.widget = forms.HiddenInput()
            field.initial = operators[0].pk


class ChangeForm(EndpointForm):
    is_on = forms.BooleanField(required=False, label=gettext_lazy("On: messages are sent"))
