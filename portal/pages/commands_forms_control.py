"""Forms of commands that work the station: restart, unlock, in or out of use, ask for a message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.commands_form import WHOLE, CommandForm
from stations import services


class ResetForm(CommandForm):
    title = gettext_lazy("Restart")
    lead = gettext_lazy("The station goes offline for a moment and comes back by itself.")
    button = gettext_lazy("Restart the station")
    how = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[
            ("soft", gettext_lazy("when nothing is charging any more")),
            ("hard", gettext_lazy("at once; what is charging stops")),
        ],
        initial="soft",
        widget=forms.RadioSelect,
    )

    def prepare(self) -> None:
        if (
            self.station.ocpp_version == "1.6"
        ):  # 1.6, 5.14: a soft reset ends transactions too, but in good order
            self.fields["how"].choices = [  # type: ignore[attr-defined]
                ("soft", _("in good order: sessions are ended first")),
                ("hard", _("at once, as if the power went off")),
            ]

    def consequence(self) -> str:
        if self.cleaned_data["how"] == "hard":
            return _("The station restarts at once. What is charging now stops.")
        if self.station.ocpp_version == "1.6":
            return _("The station ends what is charging now, and restarts.")
        return _("The station restarts as soon as nothing is charging.")

    def send(self, user: Any, now: datetime) -> None:
        hard = self.cleaned_data["how"] == "hard"
        services.reset(station=self.station, hard=hard, requested_by=user, now=now)


class UnlockForm(CommandForm):
    title = gettext_lazy("Unlock a cable")
    lead = gettext_lazy("For a driver whose cable is stuck.")
    button = gettext_lazy("Unlock")
    evse = forms.ChoiceField(label=gettext_lazy("Socket"))

    def prepare(self) -> None:
        self.fields["evse"].choices = self.evse_choices()  # type: ignore[attr-defined]

    def consequence(self) -> str:
        return _("The cable comes free. In many stations this also ends the session on this socket.")

    def send(self, user: Any, now: datetime) -> None:
        number = int(self.cleaned_data["evse"])
        services.unlock(station=self.station, evse_number=number, requested_by=user, now=now)


class AvailabilityForm(CommandForm):
    title = gettext_lazy("In or out of use")
    lead = gettext_lazy("A session that is running is not cut off: the change waits for its end.")
    place = forms.ChoiceField(label=gettext_lazy("What"))
    to = forms.ChoiceField(
        label=gettext_lazy("Becomes"),
        choices=[("in", gettext_lazy("in use")), ("out", gettext_lazy("out of use"))],
        initial="in",
        widget=forms.RadioSelect,
    )

    def prepare(self) -> None:
        self.fields["place"].choices = self.evse_choices(_("the whole station"))  # type: ignore[attr-defined]

    def consequence(self) -> str:
        return (
            _("Nobody can charge there until it is put into use again.")
            if self.cleaned_data["to"] == "out"
            else ""
        )

    def send(self, user: Any, now: datetime) -> None:
        services.change_availability(
            station=self.station,
            evse_number=int(self.cleaned_data["place"]),
            operative=self.cleaned_data["to"] == "in",
            requested_by=user,
            now=now,
        )


_TRIGGERS = [
    "StatusNotification",
    "MeterValues",
    "Heartbeat",
    "BootNotification",
    "FirmwareStatusNotification",
]
TRIGGERS = {
    "1.6": [
        *_TRIGGERS,
        "DiagnosticsStatusNotification",
        "LogStatusNotification",
        "SignChargePointCertificate",
    ],
    "2.0.1": [
        *_TRIGGERS,
        "TransactionEvent",
        "LogStatusNotification",
        "SignChargingStationCertificate",
        "PublishFirmwareStatusNotification",
    ],
}
TRIGGERS["2.1"] = TRIGGERS["2.0.1"]


class TriggerForm(CommandForm):
    title = gettext_lazy("Ask for a message")
    lead = gettext_lazy("The station sends this message now, as it would have done by itself.")
    message = forms.ChoiceField(label=gettext_lazy("Message"))
    place = forms.ChoiceField(label=gettext_lazy("Of"), required=False)

    def prepare(self) -> None:
        names = TRIGGERS[self.station.ocpp_version]
        self.fields["message"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.fields["place"].choices = self.evse_choices(_("the whole station"))  # type: ignore[attr-defined]

    def send(self, user: Any, now: datetime) -> None:
        services.trigger(
            station=self.station,
            message=self.cleaned_data["message"],
            evse_number=int(self.cleaned_data["place"] or WHOLE),
            requested_by=user,
            now=now,
        )
