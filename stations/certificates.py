"""Certificates of stations over OCPP: signing requests, what stations trust, and what expires.

2.0.1 part 2, A02 (signing), A03 (a new one is asked for), M03 to M05 (roots); 1.6: the security white paper, sections 4
and 5. Keys are made by the stations and stay there. What is checked and signed: stations.domain.certificates.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.query import QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from stations import commands, events, presence
from stations.domain import certificates as x509
from stations.models import Command, InstalledCertificate, Presence, Station, StationCertificate

logger = logging.getLogger(__name__)
State, Installed, Kind = StationCertificate.State, InstalledCertificate.State, StationCertificate.Kind
ORIGIN = "certificates"
PATIENCE_S = 3600.0

_ask = partial(commands.ask, origin=ORIGIN, patience_s=PATIENCE_S)
ACTIONS = frozenset(
    {"CertificateSigned", "InstallCertificate", "DeleteCertificate", "GetInstalledCertificateIds"}
)
# A station in a loop must not have a certificate signed each time.
MAX_REQUESTS_AN_HOUR = 6
USES = {
    "1.6": ("CentralSystemRootCertificate", "ManufacturerRootCertificate"),
    "2.0.1": (
        "CSMSRootCertificate",
        "ManufacturerRootCertificate",
        "V2GRootCertificate",
        "MORootCertificate",
    ),
    "2.1": (
        "CSMSRootCertificate",
        "ManufacturerRootCertificate",
        "V2GRootCertificate",
        "MORootCertificate",
        "OEMRootCertificate",
    ),
}
MAX_PEM = 5500  # InstallCertificate: certificate


class NotPossible(ValueError):
    """What cannot be asked of this station, or cannot be signed here; says why."""


# ---------------------------------------------------------------- a station asks for a certificate
def can_sign() -> bool:
    return bool(settings.CERTIFICATE_SIGNER or (settings.CA_CERTIFICATE and settings.CA_KEY))


def take_in_signing_request(
    station: Station, csr: str, kind: str, now: datetime, *, request_id: int | None = None
) -> bool:
    """SignCertificate: whether it will be signed. It is checked here; the signing follows after the answer (A02)."""
    kind = kind or Kind.STATION
    waiting = StationCertificate.objects.filter(station=station, csr=csr, kind=kind, request_id=request_id)
    if waiting.filter(state=State.REQUESTED).exists():
        return True  # the same request, repeated (rule 5)
    problem = _problem(station, csr, kind, now)
    row = StationCertificate.objects.create(
        station=station,
        kind=kind,
        csr=csr if not problem else "",
        request_id=request_id,
        requested_at=now,
        state=State.REJECTED if problem else State.REQUESTED,
        reason=problem,
        settled_at=now if problem else None,
    )
    _record(row, now)
    return not problem


def _problem(station: Station, csr: str, kind: str, now: datetime) -> str:
    if not can_sign():
        return "no_authority"
    if kind != Kind.STATION and not settings.CERTIFICATE_SIGNER:
        return "iso_15118"
    lately = StationCertificate.objects.filter(
        station=station, requested_at__gt=now - timedelta(hours=1)
    ).exclude(state=State.REJECTED)
    if lately.count() >= MAX_REQUESTS_AN_HOUR:
        return "too_often"
    try:
        x509.check_request(csr, identity=station.identity)
    except x509.BadRequest as bad:
        return bad.code
    return ""


def issue(row: StationCertificate, *, now: datetime) -> bool:
    """Have it signed, and send it. False: it is another state's by now, or cannot be signed."""
    waiting = StationCertificate.objects.filter(pk=row.pk, state=State.REQUESTED)
    try:
        chain = _sign(row, now)
        described = x509.describe(x509.read(chain))
    except (x509.Unusable, OSError) as problem:
        logger.warning("%s: its certificate cannot be signed: %s", row.station, problem)
        reason = problem.code if isinstance(problem, x509.Unusable) else "authority"
        if waiting.update(state=State.REJECTED, reason=reason, settled_at=now):
            row.state, row.reason = State.REJECTED, reason
            _record(row, now)
        return False
    with transaction.atomic():
        if not waiting.update(state=State.ISSUED, chain=chain, **_columns(described)):
            return False
        row.refresh_from_db()
        _record(row, now)
        send(row, now=now)
    return True


def send(row: StationCertificate, *, now: datetime) -> Command | None:
    """CertificateSigned, for one that is issued. None: it was sent already."""
    payload: dict[str, Any] = {"certificateChain": row.chain}
    if row.station.ocpp_version != "1.6":
        payload["certificateType"] = row.kind
    if row.station.ocpp_version == "2.1" and row.request_id is not None:
        payload["requestId"] = row.request_id
    with transaction.atomic():
        if not StationCertificate.objects.filter(pk=row.pk, state=State.ISSUED).update(state=State.SENT):
            return None
        row.state = State.SENT
        row.command = _ask(row.station, "CertificateSigned", payload, None, now)
        row.save(update_fields=["command"])
        _record(row, now)
    return row.command


def _sign(row: StationCertificate, now: datetime) -> str:
    if settings.CERTIFICATE_SIGNER:
        signer = import_string(settings.CERTIFICATE_SIGNER)
        return str(signer(row.csr, identity=row.station.identity, kind=row.kind, now=now))
    request = x509.check_request(row.csr, identity=row.station.identity)
    certificate, key = Path(settings.CA_CERTIFICATE), Path(settings.CA_KEY)
    authority = x509.Authority.read(certificate.read_bytes(), key.read_bytes())
    return authority.sign(request, now=now, valid_days=int(settings.CERTIFICATE_VALID_DAYS))


# ---------------------------------------------------------------- what a person does
def register(*, station: Station, pem: str, now: datetime) -> StationCertificate:
    """Make a certificate known that the station has already, from its maker. Raises NotPossible."""
    described = _described(pem, now)
    if described.common_name != station.identity:
        raise NotPossible(_("Its common name is not the identity of the station."))
    if StationCertificate.objects.filter(fingerprint=described.fingerprint).exists():
        raise NotPossible(_("It is known already."))
    row = StationCertificate.objects.create(
        station=station,
        state=State.ACCEPTED,
        chain=pem,
        requested_at=now,
        settled_at=now,
        **_columns(described),
    )
    _record(row, now)
    return row


def revoke(*, certificate: StationCertificate, reason: str = "", now: datetime) -> bool:
    """It opens nothing any more; a socket that it opened is closed."""
    living = StationCertificate.objects.filter(pk=certificate.pk).exclude(
        state__in=(State.REVOKED, State.REJECTED)
    )
    with transaction.atomic():
        if not living.update(state=State.REVOKED, reason=reason[:200], settled_at=now):
            return False
        certificate.state, certificate.reason = State.REVOKED, reason[:200]
        _record(certificate, now)
        if opened_socket(certificate.station_id).filter(pk=certificate.pk).exists():
            presence.expel(station_id=certificate.station_id, reason=presence.REVOKED, now=now)
    return True


def opened_socket(station_id: int) -> QuerySet[StationCertificate]:
    """The certificate that the station's present connection came in with; none where a password opened it."""
    connected = Presence.objects.filter(station_id=station_id, connection__isnull=False)
    rows: QuerySet[StationCertificate] = StationCertificate.objects.filter(station_id=station_id)
    return rows.filter(seen_at__gte=connected.values("connected_at")[:1])


def ask_to_renew(*, station: Station, requested_by: Any = None, now: datetime) -> Command:
    """Have the station make a new key and ask for a certificate (A03). Raises NotPossible."""
    if not can_sign():
        raise NotPossible(_("This installation has no authority to sign with (CA_CERTIFICATE and CA_KEY)."))
    if station.ocpp_version == "1.6":
        payload = {"requestedMessage": "SignChargePointCertificate"}
        return _ask(station, "ExtendedTriggerMessage", payload, requested_by, now)
    payload = {"requestedMessage": "SignChargingStationCertificate"}
    return _ask(station, "TriggerMessage", payload, requested_by, now)


def install(
    *, station: Station, use: str, pem: str, requested_by: Any = None, now: datetime
) -> InstalledCertificate:
    """Have the station trust a root (M05). Raises NotPossible."""
    if use not in USES[station.ocpp_version]:
        raise NotPossible(
            _("OCPP %(version)s knows no %(use)s.") % {"version": station.ocpp_version, "use": use}
        )
    described = _described(pem, now)
    named = x509.hash_data(x509.read(pem))
    with transaction.atomic():
        row = InstalledCertificate(
            station=station,
            use=use,
            subject=described.subject,
            not_after=described.not_after,
            requested_at=now,
            serial_number=described.serial_number,
        )
        if named is not None:
            row.hash_algorithm, row.serial_number = named.algorithm, named.serial_number
            row.issuer_name_hash, row.issuer_key_hash = named.issuer_name_hash, named.issuer_key_hash
        payload = {"certificateType": use, "certificate": pem.strip()}
        row.command = _ask(station, "InstallCertificate", payload, requested_by, now)
        row.save()
    return row


def delete(*, installed: InstalledCertificate, requested_by: Any = None, now: datetime) -> Command:
    """Have the station trust a root no longer (M04). Raises NotPossible."""
    if not installed.issuer_key_hash:
        raise NotPossible(_("How the station names it is not known yet: read its certificates first."))
    data = {
        "hashAlgorithm": installed.hash_algorithm,
        "issuerNameHash": installed.issuer_name_hash,
        "issuerKeyHash": installed.issuer_key_hash,
        "serialNumber": installed.serial_number,
    }
    with transaction.atomic():
        command = _ask(
            installed.station, "DeleteCertificate", {"certificateHashData": data}, requested_by, now
        )
        InstalledCertificate.objects.filter(pk=installed.pk).update(state=Installed.DELETING, command=command)
    return command


def read_back(*, station: Station, requested_by: Any = None, now: datetime) -> list[Command]:
    """Ask which roots stand on it (M03). 1.6 asks for one use at a time."""
    payloads: list[dict[str, Any]] = [{}]
    if station.ocpp_version == "1.6":
        payloads = [{"certificateType": use} for use in USES["1.6"]]
    return [_ask(station, "GetInstalledCertificateIds", payload, requested_by, now) for payload in payloads]


def _described(pem: str, now: datetime) -> x509.Described:
    if len(pem) > MAX_PEM:
        raise NotPossible(_("It is longer than %(count)d characters.") % {"count": MAX_PEM})
    try:
        described = x509.describe(x509.read(pem))
    except x509.NotACertificate as problem:
        if problem.code == "private_key":
            raise NotPossible(_("It holds a private key, which belongs to its owner alone.")) from None
        raise NotPossible(_("It is no certificate in PEM form.")) from None
    if described.not_after <= now:
        raise NotPossible(_("It has expired."))
    return described


def _columns(described: x509.Described) -> dict[str, Any]:
    return {
        "subject": described.subject,
        "serial_number": described.serial_number[:40],
        "fingerprint": described.fingerprint,
        "not_before": described.not_before,
        "not_after": described.not_after,
    }


# ---------------------------------------------------------------- a station comes with one
def presented(station: Station, header: str, *, now: datetime) -> tuple[StationCertificate | None, str]:
    """The certificate that the proxy verified and passed, if it opens this station's door; else why it does not."""
    try:
        described = x509.describe(x509.read_header(header))
    except x509.NotACertificate as problem:
        return None, str(problem)
    if described.common_name != station.identity:
        return None, "the certificate is another station's"
    row = StationCertificate.objects.filter(station=station, fingerprint=described.fingerprint).first()
    if row is None:
        return None, "the certificate is not known here"
    if row.state == State.REVOKED:
        return None, "the certificate was revoked"
    if not row.is_valid_at(now):
        return None, "the certificate is not valid at this moment"
    return row, ""


def seen(row: StationCertificate, *, now: datetime) -> None:
    """The station came in with it: whatever became of the answer to CertificateSigned, it has it."""
    living = StationCertificate.objects.filter(pk=row.pk, state__in=StationCertificate.LIVING)
    living.update(state=State.ACCEPTED, seen_at=now)
    if row.state != State.ACCEPTED:
        row.state = State.ACCEPTED
        _record(row, now)


# ---------------------------------------------------------------- answers
def take_in(command: Command, *, now: datetime) -> None:
    """After an answer, or when it is known that there will be none."""
    match command.action:
        case "CertificateSigned":
            _take_in_signed(command, now)
        case "InstallCertificate" | "DeleteCertificate":
            _take_in_installed(command, now)
        case "GetInstalledCertificateIds" if command.state == Command.State.ACCEPTED:
            _take_in_list(command, now)


def _take_in_signed(command: Command, now: datetime) -> None:
    sent = StationCertificate.objects.filter(command=command, state=State.SENT)
    for row in sent:
        fields: dict[str, Any]
        match command.state:
            case Command.State.ACCEPTED:
                fields = {"state": State.ACCEPTED, "settled_at": now}
            case Command.State.REFUSED:
                fields = {"state": State.REJECTED, "settled_at": now, "reason": "by_station"}
            case Command.State.EXPIRED | Command.State.CANCELLED:
                fields = {"state": State.ISSUED}  # it never left: the next round sends it again
            case _:
                continue  # unknown: it stays sent, and counts once the station comes with it
        if sent.filter(pk=row.pk).update(**fields):
            row.state, row.reason = fields["state"], fields.get("reason", "")
            _record(row, now)


def _take_in_installed(command: Command, now: datetime) -> None:
    Sent = Command.State  # noqa: N806
    said = str((command.response or {}).get("status", ""))
    row = InstalledCertificate.objects.filter(command=command).first()
    if row is None:
        return
    if command.action == "InstallCertificate":
        states = {Sent.ACCEPTED: Installed.INSTALLED, Sent.REFUSED: Installed.REFUSED}
        unsent = Installed.REFUSED
    else:
        # M04.FR.03: one that is not there is as good as deleted.
        refused = Installed.DELETED if said == "NotFound" else Installed.INSTALLED
        states = {Sent.ACCEPTED: Installed.DELETED, Sent.REFUSED: refused}
        unsent = Installed.INSTALLED
    states |= {Sent.EXPIRED: unsent, Sent.CANCELLED: unsent}
    row.state = states.get(Sent(command.state), Installed.UNKNOWN)
    row.save(update_fields=["state"])
    data = {"installed": row.pk, "use": row.use, "state": str(row.state)}
    events.record(
        station_id=row.station_id, kind=events.Kind.CERTIFICATE_INSTALLED, at=now, now=now, data=data
    )


def _take_in_list(command: Command, now: datetime) -> None:
    """What stands on the station: rows of it are there, others that we had installed are not any more."""
    response, asked = command.response or {}, command.payload.get("certificateType")
    found = [(asked, data) for data in response.get("certificateHashData", ())]
    found += [
        (part["certificateType"], part["certificateHashData"])
        for part in response.get("certificateHashDataChain", ())
    ]
    kept = [_keep(command.station, str(use), data, now).pk for use, data in found]
    gone = InstalledCertificate.objects.filter(
        station=command.station, state__in=(Installed.INSTALLED, Installed.UNKNOWN, Installed.DELETING)
    ).exclude(pk__in=kept)
    if isinstance(asked, str):
        gone = gone.filter(use=asked)
    gone.filter(Q(requested_at=None) | Q(requested_at__lt=command.requested_at)).update(
        state=Installed.DELETED, read_at=now
    )


def _keep(station: Station, use: str, data: dict[str, Any], now: datetime) -> InstalledCertificate:
    named = {
        "hash_algorithm": data["hashAlgorithm"],
        "issuer_name_hash": data["issuerNameHash"][:128].lower(),
        "issuer_key_hash": data["issuerKeyHash"][:128].lower(),
        "serial_number": data["serialNumber"][:40].lower(),
    }
    rows = InstalledCertificate.objects.filter(station=station, use=use)
    row = (
        rows.filter(**named).first()
        or rows.filter(issuer_key_hash="", serial_number=named["serial_number"]).first()
    )
    row = row or InstalledCertificate(station=station, use=use)
    for field, value in named.items():
        setattr(row, field, value)
    row.state, row.read_at = Installed.INSTALLED, now
    row.save()
    return row


# ---------------------------------------------------------------- the round
def look_after(now: datetime) -> None:
    """What was left lying is signed or sent; what expires soon is told once, and asked for anew."""
    for row in StationCertificate.objects.filter(state=State.REQUESTED).select_related("station")[:50]:
        issue(row, now=now)
    connected = Presence.objects.filter(connection__isnull=False).values("station_id")
    issued = StationCertificate.objects.filter(state=State.ISSUED, station_id__in=connected)
    for row in issued.select_related("station")[:50]:
        send(row, now=now)
    soon = Q(not_after__lt=now + timedelta(days=int(settings.CERTIFICATE_WARN_DAYS)), warned_at=None)
    expiring = StationCertificate.objects.filter(soon, state=State.ACCEPTED).select_related("station")
    for row in expiring[:200]:
        _warn(row, row.kind, now)
        if can_sign() and not _has_newer(row):
            ask_to_renew(station=row.station, now=now)
    roots = InstalledCertificate.objects.filter(soon, state=Installed.INSTALLED).select_related("station")
    for root in roots[:200]:
        _warn(root, root.use, now)


def _has_newer(row: StationCertificate) -> bool:
    later = StationCertificate.objects.filter(station_id=row.station_id, kind=row.kind, pk__gt=row.pk)
    return later.filter(state__in=(State.REQUESTED, *StationCertificate.LIVING)).exists()


def _warn(row: StationCertificate | InstalledCertificate, use: str, now: datetime) -> None:
    if not type(row).objects.filter(pk=row.pk, warned_at=None).update(warned_at=now):
        return
    ends_at = row.not_after.isoformat() if row.not_after else ""
    data = {"subject": row.subject, "use": use, "not_after": ends_at}
    events.record(station_id=row.station_id, kind=events.Kind.CERTIFICATE_EXPIRES, at=now, now=now, data=data)


def _record(row: StationCertificate, now: datetime) -> None:
    data = {"certificate": row.pk, "kind": row.kind, "state": str(row.state), "reason": row.reason}
    events.record(station_id=row.station_id, kind=events.Kind.CERTIFICATE, at=now, now=now, data=data)
