"""What a person chooses for each kind: by mail at once, once a day, or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.notices.kinds import Kind, Way

MEANINGS: Mapping[Kind, object] = {
    Kind.DEVIATION: _("A station or an operator does not meet what is asked or was promised."),
    Kind.DEADLINE: _("A deviation is to be mended soon, or was to be by now."),
    Kind.ROLLOUT_FAILED: _("A roll-out stopped by itself, or did not reach all stations."),
    Kind.STATION_SILENT: _("A station has had no connection for a while."),
    Kind.LIMIT_DRIFTED: _("A station has lost a limit, and it was not put back by itself."),
    Kind.CHARGING_FAILED: _("A session with your card was broken off by a fault, or its end was never told."),
    Kind.WEBHOOK_FAILING: _("Another system no longer takes what we send."),
}


class MailForm(forms.Form):
    """A field for each kind that concerns the person, by its value."""

    def __init__(self, *args: Any, ways: Mapping[Kind, Way], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind, way in ways.items():
            self.fields[kind.value] = forms.ChoiceField(
                label=kind.label,
                help_text=str(MEANINGS[kind]),
                choices=Way.choices,
                initial=way.value,
                widget=forms.RadioSelect,
            )

    @property
    def chosen(self) -> dict[Kind, Way]:
        return {Kind(name): Way(value) for name, value in self.cleaned_data.items()}
