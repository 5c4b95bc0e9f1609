"""Forms of allauth with a word of ours: settings name them (ACCOUNT_FORMS, MFA_FORMS)."""

from __future__ import annotations

import struct
from typing import Any

from allauth.account import forms as account
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from portal.accounts.models import User


class AddEmailForm(account.AddEmailForm):
    def clean_email(self) -> str:
        """Said at once: the mailbox of somebody with an account gets no link by which it would change owner."""
        email: str = super().clean_email()
        taken = Q(email=email) | Q(emailaddress__email=email, emailaddress__verified=True)
        if User.objects.filter(taken).exclude(pk=self.user.pk).exists():
            raise forms.ValidationError(_("There is another account with this address."))
        return email


class _Credential(forms.JSONField):
    """What a key said, as the browser passes it on; read here first, for allauth trips over what no key says."""

    widget = forms.HiddenInput

    def __init__(self, kind: type[RegistrationResponse | AuthenticationResponse]) -> None:
        super().__init__()
        self.kind = kind

    def to_python(self, value: Any) -> Any:
        said = super().to_python(value)
        if said is None:
            return None
        try:
            self.kind.from_dict(said)
        except (TypeError, ValueError, LookupError, AttributeError, struct.error):
            raise forms.ValidationError(_("This was not said by a key. Try again.")) from None
        return said


class AddKeyForm(webauthn.AddWebAuthnForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, required=False)
    credential = _Credential(RegistrationResponse)


class AuthenticateKeyForm(webauthn.AuthenticateWebAuthnForm):
    credential = _Credential(AuthenticationResponse)


class LoginKeyForm(webauthn.LoginWebAuthnForm):
    credential = _Credential(AuthenticationResponse)


class ReauthenticateKeyForm(webauthn.ReauthenticateWebAuthnForm):
    credential = _Credential(AuthenticationResponse)


class EditKeyForm(webauthn.EditWebAuthnForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
