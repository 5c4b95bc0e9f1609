"""A new token of the API: for which party, what for, how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.accounts.forms import key_of
from portal.accounts.models import User
from portal.accounts.roles import Party, party_fields
from stations.models.access import Role, memberships_of
from stations.scopes import Scope

READING = frozenset({Scope.READ})
PLANNING = READING | {Scope.PLAN}
OPERATING = PLANNING | {Scope.COMMAND, Scope.CONFIGURE, Scope.PROBE}
# What each role could use at all; whatever is chosen, the role itself decides at each request.
OF_ROLES: Mapping[str, frozenset[Scope]] = {
    Role.OFFICIAL: READING | {Scope.PROBE},
    Role.READER: READING,
    Role.PLANNER: PLANNING,
    Role.OPERATOR: OPERATING,
    Role.ADMINISTRATOR: frozenset(Scope),
}
DAYS = ("30", "90", "365")


def parties_of_person(user: User) -> list[Party]:
    found = (each.municipality or each.operator for each in memberships_of(user))
    return list(dict.fromkeys(party for party in found if party is not None))


def scopes_for(user: User) -> frozenset[Scope]:
    """All that any role of the person could use; who has none reads what is the own."""
    if user.is_superuser:
        return frozenset(Scope)
    roles = [each.role for each in memberships_of(user)]
    return READING.union(*(OF_ROLES[role] for role in roles))


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What it is for, such as “planning system”.")
    )
    party = forms.ChoiceField(label=_("For"), required=False)
    scopes = forms.MultipleChoiceField(
        label=_("May do"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    days = forms.ChoiceField(
        label=_("Works for"),
        choices=[("30", _("30 days")), ("90", _("90 days")), ("365", _("a year"))],
        initial="90",
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.parties = {key_of(party): party for party in parties_of_person(user)}
        party, scopes = self._field("party"), self._field("scopes")
        party.choices = [(key, str(each)) for key, each in self.parties.items()]
        if len(self.parties) < 2:
            party.widget = forms.HiddenInput()
            party.initial = next(iter(self.parties), "")
        offered = scopes_for(user)
        scopes.choices = [(scope.value, scope.label) for scope in Scope if scope in offered]
        scopes.initial = [Scope.READ.value]

    def _field(self, name: str) -> Any:
        return self.fields[name]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if self.parties and "party" in said and said["party"] not in self.parties:
            self.add_error("party", _("Choose a party."))
        return said

    def wanted(self, now: datetime) -> dict[str, Any]:
        """What api_tokens.make takes. A superuser without a party has a token for all of it."""
        said = self.cleaned_data
        party = self.parties.get(said["party"])
        whose = party_fields(party) if party else {"is_whole": self.user.is_superuser}
        expires_at = now + timedelta(days=int(said["days"]))
        return {"name": said["name"], "scopes": said["scopes"], "expires_at": expires_at, **whose}
