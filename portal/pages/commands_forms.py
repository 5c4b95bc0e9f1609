"""Every command that has a form, by the name in its address; and the two forms that take what no other form knows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.commands_form import CommandForm
from portal.pages.commands_forms_control import AvailabilityForm, ResetForm, TriggerForm, UnlockForm
from portal.pages.commands_forms_maintenance import CertificatesForm, DiagnosticsForm, FirmwareForm, LogForm
from portal.pages.commands_forms_sessions import (
    ClearCacheForm,
    ListVersionForm,
    LocalListForm,
    ReserveForm,
    StartForm,
    StopForm,
)
from stations import commands, services
from stations.ocpp.directions import TO_STATION


class DataTransferForm(CommandForm):
    title = gettext_lazy("Message of the maker")
    lead = gettext_lazy("What it does is in the manual of the maker.")
    vendor_id = forms.CharField(label=gettext_lazy("Name of the maker (vendorId)"), max_length=255)
    message_id = forms.CharField(
        label=gettext_lazy("Kind of message (messageId)"), max_length=50, required=False
    )
    content = forms.CharField(
        label=gettext_lazy("Data"),
        required=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )

    def send(self, user: Any, now: datetime) -> None:
        services.data_transfer(
            station=self.station,
            vendor_id=self.cleaned_data["vendor_id"],
            message_id=self.cleaned_data["message_id"],
            data=self.cleaned_data["content"],
            requested_by=user,
            now=now,
        )


class RawForm(CommandForm):
    title = gettext_lazy("Any command, as JSON")
    lead = gettext_lazy(
        "The payload goes to the station as it stands here, after a check against its schema."
    )
    action = forms.ChoiceField(label=gettext_lazy("Command"))
    payload = forms.CharField(
        label=gettext_lazy("Payload (JSON)"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "class": "laad-mono"}),
        help_text=gettext_lazy("Passwords and card numbers in it are kept only until it is sent."),
    )
    check_rules = forms.BooleanField(
        label=gettext_lazy("Check a charging profile by the rules too"), required=False, initial=True
    )

    def prepare(self) -> None:
        names = sorted(TO_STATION[self.station.ocpp_version])
        self.fields["action"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.initial.setdefault("payload", "{}")

    def clean_payload(self) -> dict[str, Any]:
        text = self.cleaned_data["payload"].strip() or "{}"
        try:
            payload = json.loads(text)
        except json.JSONDecodeError as error:
            raise forms.ValidationError(
                _("This is no JSON: line %(line)s, column %(column)s.")
                % {"line": error.lineno, "column": error.colno}
            ) from None
        except RecursionError:
            raise forms.ValidationError(_("This is nested too deep.")) from None
        if not isinstance(payload, dict):
            raise forms.ValidationError(_("A payload is an object: it begins with { and ends with }."))
        return payload

    def consequence(self) -> str:
        if self.cleaned_data["action"] not in commands.CONSEQUENTIAL:
            return ""
        return _("%(action)s does something that drivers notice or that cannot be taken back.") % {
            "action": self.cleaned_data["action"]
        }

    def send(self, user: Any, now: datetime) -> None:
        services.ask_as_written(
            station=self.station,
            action=self.cleaned_data["action"],
            payload=self.cleaned_data["payload"],
            check=self.cleaned_data["check_rules"],
            requested_by=user,
            now=now,
        )

    def field_of(self, field: str) -> str | None:
        return "action" if field == "action" else "payload"


FORMS: dict[str, type[CommandForm]] = {
    "reset": ResetForm,
    "unlock": UnlockForm,
    "availability": AvailabilityForm,
    "trigger": TriggerForm,
    "start": StartForm,
    "stop": StopForm,
    "reserve": ReserveForm,
    "local-list": LocalListForm,
    "list-version": ListVersionForm,
    "clear-cache": ClearCacheForm,
    "log": LogForm,
    "diagnostics": DiagnosticsForm,
    "firmware": FirmwareForm,
    "certificates": CertificatesForm,
    "data-transfer": DataTransferForm,
    "raw": RawForm,
}
