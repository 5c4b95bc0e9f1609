"""What a driver chooses: language, which notices, and what the portal should know of the car."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.accounts.driving import Preference
from portal.accounts.receivers import remember_language
from portal.pages.driver.notices import preference_of
from smartcharging.day_fields import ClockField

if TYPE_CHECKING:  # generic in the stubs only
    PreferenceModelForm = forms.ModelForm[Preference]
else:
    PreferenceModelForm = forms.ModelForm


class LanguageSelect(forms.Select):
    """Each language in its own words, and said to be of that language."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if value:
            option["attrs"]["lang"] = value
        return option


class PreferenceForm(PreferenceModelForm):
    language = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Language"),
        choices=[("", gettext_lazy("as this browser asks")), ("nl", "Nederlands"), ("en", "English")],
        help_text=gettext_lazy("Holds from now on, and each time you sign in."),
        widget=LanguageSelect,
    )
    battery_kwh = forms.DecimalField(
        required=False,
        min_value=1,
        max_value=999,
        max_digits=4,
        decimal_places=1,
        localize=True,
        label=gettext_lazy("Size of the battery (kWh)"),
        help_text=gettext_lazy("Stands in the papers of the car. With it we reckon when the car is ready."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    charge_to_percent = forms.IntegerField(
        min_value=10,
        max_value=100,
        label=gettext_lazy("Charge until (%)"),
        help_text=gettext_lazy("Until how full the car itself charges. Often that is 80."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )
    ready_by = ClockField(required=False, label=gettext_lazy("Ready by"))

    class Meta:
        model = Preference
        fields = [
            "language", "tell_ended", "tell_failed", "tell_cards", "battery_kwh", "charge_to_percent", "ready_by",
        ]  # fmt: skip
        labels = {
            "tell_ended": gettext_lazy("A session has ended"),
            "tell_failed": gettext_lazy("Charging stopped too early, or its end was never told"),
            "tell_cards": gettext_lazy("A card was linked to my account"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["ready_by"].help_text = _(
            "When you want to leave, as in 07:30. We tell you whether the car will be ready."
        )


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    said = request.POST if request.method == "POST" else None
    form = PreferenceForm(said, instance=preference_of(request.user))
    if form.is_valid():
        return _saved(request, form.save())
    status = 422 if form.errors else 200
    return render(request, "pages/driver/preferences.html", {"form": form}, status=status)


def _saved(request: HttpRequest, chosen: Preference) -> HttpResponse:
    response = redirect("driver:preferences")
    if chosen.language:
        remember_language(response, chosen.language)
    else:
        response.delete_cookie(settings.LANGUAGE_COOKIE_NAME)
    with override(chosen.language or get_language()):
        messages.success(request, _("Your preferences are saved."))
    return response
