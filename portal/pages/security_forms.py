"""What a person can do for the security of a station: one form for each, checked and then given to its service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stations import certificates, securing
from stations.models import Station


class SecurityForm(forms.Form):
    """A deed: `title` and `lead` on top, `button` below; `give` does it, or says on the form why not.

    `page`: where one comes from and goes back to, by the name of its address and its own name.
    """

    page: tuple[str, Any] = ("stations:security", gettext_lazy("Security"))
    title: Any = ""
    lead: Any = ""
    button: Any = ""
    done: Any = gettext_lazy("The station is asked. What it answers appears below.")
    is_grave = False

    def __init__(self, *args: Any, station: Station, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.station = station

    def give(self, user: Any, now: datetime) -> bool:
        try:
            self.do(user, now)
        except (securing.NotPossible, certificates.NotPossible) as problem:
            self.add_error(None, str(problem))
        return not self.errors

    def do(self, user: Any, now: datetime) -> None:
        raise NotImplementedError


class Sure(forms.BooleanField):
    """A box to tick: what cannot be taken back is confirmed on the same page, without a script."""

    def __init__(self, label: Any) -> None:
        super().__init__(label=label, required=True)


class PasswordForm(SecurityForm):
    title = gettext_lazy("Give the station a new password")
    lead = gettext_lazy(
        "The portal makes a new password and sends it to the station, which comes back with it. "
        "Until it has, the old one stays valid. Nobody gets to see the new one."
    )
    button = gettext_lazy("Send a new password")
    is_grave = True
    sure = Sure(gettext_lazy("Yes, replace the password of this station"))

    def do(self, user: Any, now: datetime) -> None:
        securing.rotate_over_ocpp(station=self.station, requested_by=user, now=now)


class ProfileForm(SecurityForm):
    title = gettext_lazy("Change the security profile")
    lead = gettext_lazy("What a connection of this station must show at least. Less is refused.")
    button = gettext_lazy("Change the profile")
    is_grave = True
    wanted = forms.TypedChoiceField(
        label=gettext_lazy("Security profile"),
        choices=Station.SecurityProfile.choices,
        coerce=int,
        widget=forms.RadioSelect,
    )
    how = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=[
            ("ask", gettext_lazy("ask the station to come back with it, and require it once it did")),
            (
                "require",
                gettext_lazy("require it from the next connection on; the station is set to it already"),
            ),
        ],
        initial="ask",
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "Over OCPP a profile can only be raised. A lower one is set at the station itself."
        ),
    )
    sure = Sure(gettext_lazy("Yes, I know that the station stays away if it cannot do this"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wanted"].initial = self.station.security_profile

    def do(self, user: Any, now: datetime) -> None:
        wanted = self.cleaned_data["wanted"]
        if self.cleaned_data["how"] == "ask":
            securing.raise_profile(station=self.station, wanted=wanted, requested_by=user, now=now)
            return
        securing.require_profile(station=self.station, wanted=wanted, now=now)
        self.done = _("The profile is required from the next connection on.")


class CertificateForm(SecurityForm):
    page = ("stations:certificates", gettext_lazy("Certificates"))


class RenewForm(CertificateForm):
    title = gettext_lazy("Ask for a new certificate")
    lead = gettext_lazy(
        "The station makes a new key, which stays in the station, and asks for a certificate with it. "
        "The portal checks the request, has it signed and sends it."
    )
    button = gettext_lazy("Ask the station")

    def do(self, user: Any, now: datetime) -> None:
        certificates.ask_to_renew(station=self.station, requested_by=user, now=now)


class ReadForm(CertificateForm):
    title = gettext_lazy("Read the root certificates")
    lead = gettext_lazy("The station tells which roots it trusts.")
    button = gettext_lazy("Read them")

    def do(self, user: Any, now: datetime) -> None:
        certificates.read_back(station=self.station, requested_by=user, now=now)


class PemForm(CertificateForm):
    pem = forms.CharField(
        label=gettext_lazy("Certificate (PEM)"),
        max_length=certificates.MAX_PEM,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy("Begins with -----BEGIN CERTIFICATE-----. Never a private key."),
    )


class InstallForm(PemForm):
    title = gettext_lazy("Install a root certificate")
    lead = gettext_lazy("From then on the station trusts what this root has signed.")
    button = gettext_lazy("Send it to the station")
    is_grave = True
    field_order = ("use", "pem")
    use = forms.ChoiceField(label=gettext_lazy("What for"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = certificates.USES[self.station.ocpp_version]
        self.fields["use"].choices = [(name, use_text(name)) for name in names]  # type: ignore[attr-defined]

    def do(self, user: Any, now: datetime) -> None:
        said = self.cleaned_data
        certificates.install(
            station=self.station, use=said["use"], pem=said["pem"], requested_by=user, now=now
        )


class RegisterForm(PemForm):
    title = gettext_lazy("Make a certificate known")
    lead = gettext_lazy(
        "For a certificate that the station has from its maker. Its common name is the identity of the station, "
        "and the proxy must know its authority."
    )
    button = gettext_lazy("Make it known")
    done = gettext_lazy("The station can come in with this certificate now.")

    def do(self, user: Any, now: datetime) -> None:
        certificates.register(station=self.station, pem=self.cleaned_data["pem"], now=now)


class RevokeForm(CertificateForm):
    title = gettext_lazy("Revoke the certificate")
    lead = gettext_lazy("From the next connection on it opens nothing any more. This cannot be taken back.")
    button = gettext_lazy("Revoke it")
    done = gettext_lazy("The certificate is revoked.")
    is_grave = True
    reason = forms.CharField(label=gettext_lazy("Why"), max_length=200, required=False)
    sure = Sure(gettext_lazy("Yes, revoke this certificate"))

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row

    def do(self, user: Any, now: datetime) -> None:
        if not certificates.revoke(certificate=self.row, reason=self.cleaned_data["reason"], now=now):
            raise certificates.NotPossible(_("It was rejected or revoked already."))


class DeleteForm(CertificateForm):
    title = gettext_lazy("Delete the root certificate")
    lead = gettext_lazy(
        "The station trusts no longer what this root has signed. If it is the root of this portal, and its only one, "
        "the station does not come back."
    )
    button = gettext_lazy("Have it deleted")
    is_grave = True
    sure = Sure(gettext_lazy("Yes, delete this root from the station"))

    def __init__(self, *args: Any, row: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row

    def do(self, user: Any, now: datetime) -> None:
        certificates.delete(installed=self.row, requested_by=user, now=now)


# The word in the address, and its form.
DEEDS: dict[str, type[SecurityForm]] = {
    "wachtwoord": PasswordForm,
    "profiel": ProfileForm,
    "vernieuwen": RenewForm,
    "lezen": ReadForm,
    "installeren": InstallForm,
    "bekendmaken": RegisterForm,
}
USES: dict[str, Any] = {
    "CentralSystemRootCertificate": gettext_lazy("this portal"),
    "CSMSRootCertificate": gettext_lazy("this portal"),
    "ManufacturerRootCertificate": gettext_lazy("firmware of the maker"),
    "V2GRootCertificate": gettext_lazy("certificates for cars (V2G)"),
    "MORootCertificate": gettext_lazy("contracts of charging cards (MO)"),
    "OEMRootCertificate": gettext_lazy("cars of a maker (OEM)"),
    "V2GCertificateChain": gettext_lazy("the station's own chain for cars (V2G)"),
}


def use_text(name: str) -> str:
    """What a root is for; a use that is not known here keeps its name."""
    return str(USES.get(name, name))
