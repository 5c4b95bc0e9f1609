"""Security in plain words: what each event of the standard means, and what happened to passwords and certificates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from stations.events import Kind
from stations.models import (
    Event,
    InstalledCertificate,
    ProfileRaise,
    SecretRotation,
    Station,
    StationCertificate,
)

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a type of event means, and whether the standard calls it critical."""

    is_critical: bool
    text: Words


def _critical(text: Words) -> Meaning:
    return Meaning(is_critical=True, text=text)


def _other(text: Words) -> Meaning:
    return Meaning(is_critical=False, text=text)


# OCPP 2.0.1 part 2, appendix 1 (2.1 adds the logins of maintenance); 1.6: the security white paper, section 6, where
# three of them have another name.
_NO_PORTAL = _other(gettext_lazy("The portal did not accept the password or certificate of the station."))
_BAD_PORTAL = _other(gettext_lazy("The station did not trust the portal: its certificate was not in order."))
_BAD_OWN = _other(gettext_lazy("The certificate that was sent to the station was not in order."))
_BAD_CSMS = _other(gettext_lazy("The portal showed a certificate that is not in order."))
MEANINGS: Mapping[str, Meaning] = {
    "FirmwareUpdated": _critical(gettext_lazy("The station runs other firmware now.")),
    "FailedToAuthenticateAtCsms": _NO_PORTAL,
    "FailedToAuthenticateAtCentralSystem": _NO_PORTAL,
    "CsmsFailedToAuthenticate": _BAD_PORTAL,
    "CentralSystemFailedToAuthenticate": _BAD_PORTAL,
    "SettingSystemTime": _critical(gettext_lazy("The clock of the station was set.")),
    "StartupOfTheDevice": _critical(gettext_lazy("The station was started.")),
    "ResetOrReboot": _critical(gettext_lazy("The station was restarted.")),
    "SecurityLogWasCleared": _critical(gettext_lazy("The security log of the station was emptied.")),
    "ReconfigurationOfSecurityParameters": _other(
        gettext_lazy("A key, password or security profile was changed.")
    ),
    "MemoryExhaustion": _critical(gettext_lazy("The memory of the station is full.")),
    "InvalidMessages": _other(
        gettext_lazy("The station got messages that it could not read; it may be an attack.")
    ),
    "AttemptedReplayAttacks": _other(gettext_lazy("The station got an old message once more.")),
    "TamperDetectionActivated": _critical(gettext_lazy("The housing was opened, or somebody tried to.")),
    "InvalidFirmwareSignature": _other(gettext_lazy("Firmware was refused: its signature is not right.")),
    "InvalidFirmwareSigningCertificate": _other(
        gettext_lazy("Firmware was refused: the certificate of its maker is not right.")
    ),
    "InvalidCsmsCertificate": _BAD_CSMS,
    "InvalidCentralSystemCertificate": _BAD_CSMS,
    "InvalidChargingStationCertificate": _BAD_OWN,
    "InvalidChargePointCertificate": _BAD_OWN,
    "InvalidTLSVersion": _other(gettext_lazy("The portal offered a version of TLS that is too old.")),
    "InvalidTLSCipherSuite": _other(gettext_lazy("The portal offered only encryption that is too weak.")),
    "MaintenanceLoginAccepted": _critical(gettext_lazy("Somebody signed in at the station for maintenance.")),
    "MaintenanceLoginFailed": _critical(
        gettext_lazy("Somebody tried in vain to sign in at the station for maintenance.")
    ),
}
CRITICAL = tuple(name for name, meaning in MEANINGS.items() if meaning.is_critical)
_UNKNOWN = _other(gettext_lazy("Not an event of the standard: the maker of the station knows."))
# What the portal itself saw and did.
OURS = (
    Kind.CONNECTION_REFUSED,
    Kind.SECRET_ROTATED,
    Kind.SECURITY_PROFILE,
    Kind.CERTIFICATE,
    Kind.CERTIFICATE_INSTALLED,
    Kind.CERTIFICATE_EXPIRES,
)
REFUSALS: Mapping[str, Words] = {
    "password": gettext_lazy("Refused: a wrong password."),
    "slowed": gettext_lazy("Slowed down: too many wrong passwords."),
    "no_tls": gettext_lazy("Refused: not over TLS, which its security profile asks."),
    "certificate": gettext_lazy(
        "Refused: without a valid client certificate, which its security profile asks."
    ),
}
# Why a certificate was not signed or not taken.
REASONS: Mapping[str, Words] = {
    "no_authority": gettext_lazy("this installation has no authority to sign with"),
    "iso_15118": gettext_lazy("the authority here signs nothing for cars (ISO 15118)"),
    "too_often": gettext_lazy("the station asks too often"),
    "unreadable": gettext_lazy("the request cannot be read"),
    "signature": gettext_lazy("the request is not signed with its own key"),
    "weak_hash": gettext_lazy("the request is signed with a hash that is too weak"),
    "name": gettext_lazy("the common name is not the identity of the station"),
    "weak_key": gettext_lazy("the key is too short"),
    "key_type": gettext_lazy("a key of this kind is not signed"),
    "authority": gettext_lazy("the authority of this installation cannot be used"),
    "authority_expired": gettext_lazy("the certificate of the authority has expired"),
    "by_station": gettext_lazy("the station did not take it"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An event as the page shows it."""

    at: datetime
    tone: str
    name: str
    text: Words
    detail: str
    is_critical: bool
    is_ours: bool


def line_of(event: Event) -> Line:
    """In words; a type that the standard does not have keeps its name."""
    if event.kind == Kind.SECURITY:
        return _from_station(event)
    tone, text, detail = _OF_KIND[Kind(event.kind)](event.data)
    return Line(event.at, tone, "", text, detail, is_critical=False, is_ours=True)


def _from_station(event: Event) -> Line:
    name = str(event.data.get("type", ""))
    meaning = MEANINGS.get(name, _UNKNOWN)
    tone = "bad" if meaning.is_critical else "info"
    detail = str(event.data.get("info", ""))
    return Line(event.at, tone, name, meaning.text, detail, is_critical=meaning.is_critical, is_ours=False)


Told = tuple[str, Words, str]


def _refused(data: dict[str, Any]) -> Told:
    text = REFUSALS.get(data.get("reason", ""), _("Refused."))
    parts = []
    if data.get("address"):
        parts.append(_("from %(address)s") % {"address": data["address"]})
    if data.get("count", 1) > 1:
        parts.append(_("%(count)d times within the hour") % {"count": data["count"]})
    return "warn", text, ", ".join(parts)


def _rotated(data: dict[str, Any]) -> Told:
    state = data.get("state", "")
    tone = {"done": "good", "refused": "warn", "unknown": "warn"}.get(state, "calm")
    return tone, _("New password: %(state)s.") % {"state": _label(SecretRotation.State, state)}, ""


def _profile(data: dict[str, Any]) -> Told:
    wanted = _label(Station.SecurityProfile, data.get("wanted"))
    state = data.get("state", "")
    said = _("required from now on") if state == "required" else _label(ProfileRaise.State, state)
    tone = "good" if state in ("done", "required") else "warn" if state in ("refused", "unknown") else "calm"
    return tone, _("Security profile %(profile)s: %(state)s.") % {"profile": wanted, "state": said}, ""


def _certificate(data: dict[str, Any]) -> Told:
    state = data.get("state", "")
    tone = {"accepted": "good", "rejected": "warn", "revoked": "warn"}.get(state, "calm")
    text = _("Certificate: %(state)s.") % {"state": _label(StationCertificate.State, state)}
    return tone, text, str(reason_text(data.get("reason", "")))


def _installed(data: dict[str, Any]) -> Told:
    state = data.get("state", "")
    tone = {"installed": "good", "refused": "warn", "unknown": "warn"}.get(state, "calm")
    text = _("Root certificate: %(state)s.") % {"state": _label(InstalledCertificate.State, state)}
    return tone, text, str(data.get("use", ""))


def _expires(data: dict[str, Any]) -> Told:
    return "warn", _("A certificate expires soon."), str(data.get("subject", ""))


_OF_KIND = {
    Kind.CONNECTION_REFUSED: _refused,
    Kind.SECRET_ROTATED: _rotated,
    Kind.SECURITY_PROFILE: _profile,
    Kind.CERTIFICATE: _certificate,
    Kind.CERTIFICATE_INSTALLED: _installed,
    Kind.CERTIFICATE_EXPIRES: _expires,
}


def reason_text(reason: str) -> Words:
    """A reason of ours in words; what a person wrote stays as it is."""
    return REASONS.get(reason, reason)


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value)
