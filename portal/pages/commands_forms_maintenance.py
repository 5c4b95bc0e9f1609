"""Forms of commands for maintenance: logs, diagnostics, firmware, certificates."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.commands_form import CommandForm
from stations import services, uploads
from stations.models import FirmwareImage

TONIGHT_HOUR = 2


class LogForm(CommandForm):
    see_also = ("stations:files", gettext_lazy("Files of this station"))
    title = gettext_lazy("Fetch a log")
    lead = gettext_lazy("The station brings its log to the portal by a link that works once.")
    kind = forms.ChoiceField(
        label=gettext_lazy("Which log"),
        choices=[
            ("DiagnosticsLog", gettext_lazy("of how it works")),
            ("SecurityLog", gettext_lazy("of its security")),
        ],
    )

    def send(self, user: Any, now: datetime) -> None:
        ticket = uploads.ticket(station=self.station, kind="log", requested_by=user, now=now)
        services.get_log(
            station=self.station,
            kind=self.cleaned_data["kind"],
            location=ticket.url,
            request_id=ticket.request_id,
            requested_by=user,
            now=now,
        )


class DiagnosticsForm(CommandForm):
    see_also = ("stations:files", gettext_lazy("Files of this station"))
    title = gettext_lazy("Fetch diagnostics")
    lead = gettext_lazy("For stations of OCPP 1.6 that cannot send a log; the file comes to the portal.")

    def send(self, user: Any, now: datetime) -> None:
        ticket = uploads.ticket(station=self.station, kind="diagnostics", requested_by=user, now=now)
        services.get_diagnostics(station=self.station, location=ticket.folder, requested_by=user, now=now)


class FirmwareForm(CommandForm):
    see_also = ("stations:firmware_updates", gettext_lazy("Firmware updates of this station"))
    title = gettext_lazy("Update the firmware")
    lead = gettext_lazy("The station fetches the firmware from the portal and restarts with it.")
    button = gettext_lazy("Update")
    image = forms.ModelChoiceField(
        label=gettext_lazy("Firmware"), queryset=FirmwareImage.objects.none(), empty_label=None
    )
    when = forms.ChoiceField(
        label=gettext_lazy("When"),
        choices=[("now", gettext_lazy("at once")), ("night", gettext_lazy("tonight at 02:00"))],
        initial="night",
        widget=forms.RadioSelect,
    )
    signing_certificate = forms.CharField(
        label=gettext_lazy("Certificate of the maker (PEM)"),
        required=False,
        max_length=5500,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=gettext_lazy("With a signature, so that the station can check whose firmware it is."),
    )
    signature = forms.CharField(
        label=gettext_lazy("Signature (base64)"),
        required=False,
        max_length=800,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )

    def prepare(self) -> None:
        images = FirmwareImage.objects.filter(operator=self.station.site.operator)
        self.fields["image"].queryset = images  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if bool(cleaned.get("signature")) != bool(cleaned.get("signing_certificate")):
            missing = "signing_certificate" if cleaned.get("signature") else "signature"
            self.add_error(missing, _("A signature and its certificate go together."))
        return cleaned

    def consequence(self) -> str:
        return _("The station restarts with firmware %(version)s. What is charging then may stop.") % {
            "version": self.cleaned_data["image"].version
        }

    def send(self, user: Any, now: datetime) -> None:
        image: FirmwareImage = self.cleaned_data["image"]
        services.update_firmware(
            station=self.station,
            location=uploads.offer(image, station=self.station),
            retrieve_at=now if self.cleaned_data["when"] == "now" else _tonight(now),
            request_id=int(now.timestamp()) % 2**31,
            signing_certificate=self.cleaned_data["signing_certificate"],
            signature=self.cleaned_data["signature"],
            requested_by=user,
            now=now,
        )


def _tonight(now: datetime) -> datetime:
    local = timezone.localtime(now)
    night = local.replace(hour=TONIGHT_HOUR, minute=0, second=0, microsecond=0)
    return night if night > local else night + timedelta(days=1)


class CertificatesForm(CommandForm):
    see_also = ("stations:certificates", gettext_lazy("Put a certificate there, or take one away"))
    title = gettext_lazy("Ask for its certificates")
    lead = gettext_lazy("Which certificates the station trusts.")

    def send(self, user: Any, now: datetime) -> None:
        services.get_installed_certificates(station=self.station, requested_by=user, now=now)
