"""Forms of commands on sessions and cards: start, stop, reserve; the list of cards and the memory of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.commands_form import CardForm, CommandForm
from stations import local_lists, reserving, services
from stations.models import ChargingSession, Token


class StartForm(CardForm):
    title = gettext_lazy("Start charging")
    lead = gettext_lazy("The session is for the holder of this card.")
    button = gettext_lazy("Start charging")
    token = forms.ModelChoiceField(
        label=gettext_lazy("Card"), queryset=Token.objects.none(), empty_label=None
    )
    evse = forms.ChoiceField(label=gettext_lazy("Socket"))

    def prepare(self) -> None:
        self.fields["token"].queryset = self.known_cards()  # type: ignore[attr-defined]
        self.fields["evse"].choices = self.evse_choices()  # type: ignore[attr-defined]

    def consequence(self) -> str:
        return _("Charging starts for %(card)s, and is that driver’s to pay.") % {
            "card": self.cleaned_data["token"]
        }

    def send(self, user: Any, now: datetime) -> None:
        token: Token = self.cleaned_data["token"]
        services.remote_start(
            station=self.station,
            evse_number=int(self.cleaned_data["evse"]),
            id_token=token.number(),
            kind=token.kind,
            requested_by=user,
            now=now,
        )

    def field_of(self, field: str) -> str | None:
        return "token" if field.startswith("id") else super().field_of(field)


def _told(session: ChargingSession) -> str:
    since = timezone.localtime(session.started_at).strftime("%H:%M") if session.started_at else "?"
    number = session.evse_number or 0
    socket = chr(ord("A") + number - 1) if 0 < number <= 26 else str(number)
    return _("socket %(socket)s, since %(since)s") % {"socket": socket, "since": since}


class StopForm(CommandForm):
    title = gettext_lazy("Stop charging")
    lead = gettext_lazy("The driver keeps the cable; charging ends.")
    button = gettext_lazy("Stop charging")
    session = forms.ModelChoiceField(
        label=gettext_lazy("Session"), queryset=ChargingSession.objects.none(), empty_label=None
    )

    def prepare(self) -> None:
        active = self.station.sessions.filter(state=ChargingSession.State.ACTIVE)
        self.fields["session"].queryset = active.exclude(transaction_id=None)  # type: ignore[attr-defined]
        self.fields["session"].label_from_instance = _told  # type: ignore[attr-defined]

    def consequence(self) -> str:
        return _("The session ends. The driver can start again only at the station or in an app.")

    def send(self, user: Any, now: datetime) -> None:
        named = self.cleaned_data["session"].transaction_id
        services.remote_stop(station=self.station, transaction_id=named, requested_by=user, now=now)


class ReserveForm(CardForm):
    title = gettext_lazy("Reserve a socket")
    lead = gettext_lazy("Until then only this card can charge there.")
    button = gettext_lazy("Reserve")
    token = forms.ModelChoiceField(
        label=gettext_lazy("Card"), queryset=Token.objects.none(), empty_label=None
    )
    evse = forms.ChoiceField(label=gettext_lazy("Socket"))
    minutes = forms.TypedChoiceField(
        label=gettext_lazy("For how long"),
        coerce=int,
        choices=[
            (15, gettext_lazy("15 minutes")),
            (30, gettext_lazy("half an hour")),
            (60, gettext_lazy("an hour")),
            (120, gettext_lazy("two hours")),
            (480, gettext_lazy("eight hours")),
        ],
        initial=30,
    )

    def prepare(self) -> None:
        self.fields["token"].queryset = self.known_cards()  # type: ignore[attr-defined]
        self.fields["evse"].choices = self.evse_choices(_("whichever is free"))  # type: ignore[attr-defined]
        # Which one is free is the station's to choose where it can; 1.6 needs a key for it (ReserveConnectorZero...).
        self.initial.setdefault("evse", "1")

    def send(self, user: Any, now: datetime) -> None:
        reserving.reserve(
            station=self.station,
            evse_number=int(self.cleaned_data["evse"]),
            token=self.cleaned_data["token"],
            expires_at=now + timedelta(minutes=self.cleaned_data["minutes"]),
            requested_by=user,
            now=now,
        )

    def field_of(self, field: str) -> str | None:
        return "token" if field.startswith("id") else super().field_of(field)


class LocalListForm(CommandForm):
    see_also = ("stations:access", gettext_lazy("Cards that may charge here"))
    title = gettext_lazy("Send the list of cards")
    lead = gettext_lazy("The station can then let these cards charge while it is offline.")

    def send(self, user: Any, now: datetime) -> None:
        local_lists.sync(station=self.station, requested_by=user, now=now)


class ListVersionForm(CommandForm):
    title = gettext_lazy("Ask for the version of its list")
    lead = gettext_lazy("The number of the list of cards that stands on the station.")

    def send(self, user: Any, now: datetime) -> None:
        services.get_local_list_version(station=self.station, requested_by=user, now=now)


class ClearCacheForm(CommandForm):
    title = gettext_lazy("Forget the cards it knows")
    lead = gettext_lazy("The station asks us again about every card that it let charge before.")
    button = gettext_lazy("Empty the memory of cards")

    def consequence(self) -> str:
        return _("While the station is offline, cards that it knew may be turned away.")

    def send(self, user: Any, now: datetime) -> None:
        services.clear_cache(station=self.station, requested_by=user, now=now)
