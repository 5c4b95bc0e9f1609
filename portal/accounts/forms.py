"""Forms about people: who is invited, who accepts, what somebody is called."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.models import User
from portal.accounts.roles import ROLE_MEANINGS, ROLE_NAMES, Party, party_fields, roles_at
from stations.models import Membership, Municipality, Operator
from stations.models.access import Role


def key_of(party: Party) -> str:
    """`party` as the value of an option."""
    return f"{type(party).__name__.lower()}-{party.pk}"


class PartyMixin(forms.Form):
    """`parties`: those that the visitor may give roles at; with one there is nothing to choose."""

    def choose_from(self, parties: list[Party]) -> None:
        self.parties = {key_of(party): party for party in parties}
        field: Any = self.fields["party"]
        more = [] if field.required else [("", _("all"))]
        field.choices = more + [(key, str(party)) for key, party in self.parties.items()]
        if len(parties) == 1:
            field.widget = forms.HiddenInput()
            field.initial = next(iter(self.parties))

    def clean_party(self) -> Party | None:
        return self.parties.get(self.cleaned_data["party"])


class InviteForm(PartyMixin):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    party = forms.ChoiceField(label=gettext_lazy("For"))
    role = forms.ChoiceField(label=gettext_lazy("Role"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, parties: list[Party], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose_from(parties)
        offered = {role for party in parties for role in roles_at(party)}
        field: Any = self.fields["role"]
        field.choices = [
            (role.value, f"{ROLE_NAMES[role]}: {ROLE_MEANINGS[role]}") for role in Role if role in offered
        ]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean_role(self) -> Role:
        return Role(self.cleaned_data["role"])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        party, role = said.get("party"), said.get("role")
        if not party or not role:
            return said
        if role not in roles_at(party):
            self.add_error("role", _("%(party)s has no such role.") % {"party": party})
        elif Membership.objects.filter(
            user__email=said.get("email"), role=role, **party_fields(party)
        ).exists():
            self.add_error("email", _("This person has that role already."))
        return said


class AcceptForm(forms.Form):
    """An account for the invited address."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Choose a password"),
        strip=False,
        help_text=gettext_lazy("At least 12 characters. A sentence is easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if password := said.get("password"):
            try:
                password_validation.validate_password(
                    password, User(email=self.email, name=said.get("name", ""))
                )
            except forms.ValidationError as error:
                self.add_error("password", error)
        return said


class NameForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    class Meta:
        model = User
        fields = ["name"]
        labels = {"name": gettext_lazy("Your name")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}


class PeopleFilter(PartyMixin):
    q = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("Name or e-mail address"),
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    party = forms.ChoiceField(required=False, label=gettext_lazy("Party"))
    role = forms.ChoiceField(required=False, label=gettext_lazy("Role"))

    def __init__(self, data: Any, *, parties: list[Party]) -> None:
        super().__init__(data)
        self.choose_from(parties)
        field: Any = self.fields["role"]
        offered = {role for party in parties for role in roles_at(party)}
        field.choices = [("", _("all"))] + [
            (role.value, str(ROLE_NAMES[role])) for role in Role if role in offered
        ]

    def parties_chosen(self) -> Q:
        """The condition on rows of `parties`, or of the one that was chosen; for a membership or an invitation."""
        chosen = self.cleaned_data.get("party")
        parties = [chosen] if chosen else list(self.parties.values())
        operators = [party for party in parties if isinstance(party, Operator)]
        municipalities = [party for party in parties if isinstance(party, Municipality)]
        return Q(operator__in=operators) | Q(municipality__in=municipalities)
