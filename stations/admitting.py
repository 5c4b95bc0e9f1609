"""Whether a station is let in, and what its coming in settles. The judgement of consumers.py; it writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from stations import certificates, credentials, securing
from stations.admission import Caller, Refused, heed_brakes
from stations.models import ProfileRaise, SecretRotation, Station, StationCertificate

Profile = Station.SecurityProfile


@dataclass(frozen=True, slots=True)
class Admitted:
    """A station with the security profile that it showed (0: no password was needed to tell), and by what."""

    station: Station
    level: int
    certificate: StationCertificate | None = None
    rotation: SecretRotation | None = None
    digest: str = ""  # of the new password, where it came with one


class NeedsSlowHash(Exception):
    """All else is in order: only the slow hash of a chosen password can tell."""

    def __init__(self, station: Station) -> None:
        super().__init__(station.identity)
        self.station = station


def judge(identity: str, password: bytes | None, caller: Caller, *, now: datetime) -> Admitted:
    """Who comes in, and as what. Raises Refused, or NeedsSlowHash; costs a query, and microseconds of hashing."""
    station: Station | None = Station.objects.filter(identity=identity).first()
    if station is None:
        heed_brakes(identity, caller.address)
        text = (
            f'No station "{identity[:48]}" is registered here. Check the last part of the address; if it is right, '
            "have the operator register the station first."
        )
        raise Refused(404, text, is_guess=True)
    certificate, problem = None, ""
    if caller.is_secure and caller.certificate:
        certificate, problem = certificates.presented(station, caller.certificate, now=now)
    if certificate is not None:
        return Admitted(station, Profile.CERTIFICATE, certificate=certificate)
    _require_profile(station, caller, problem)
    if password is None:
        text = (
            "Send Basic authentication (Authorization header): as user name the identity, written as in this address, "
            "and as password the station's."
        )
        raise Refused(401, text)
    return _by_password(station, password, caller)


def judge_slowly(station: Station, password: bytes, caller: Caller) -> Admitted:
    """The rest of `judge` for a chosen password: a third of a second."""
    if not credentials.verify_slowly(station, password):
        raise _wrong_password()
    return Admitted(station, _level(caller))


def who_still_holds(admitted: Sequence[Admitted]) -> list[bool]:
    """Of each whether what opened the door was not taken away since; behind slow hashes that is half a minute."""
    stations = Station.objects.filter(pk__in=[each.station.pk for each in admitted])
    hashes = dict(stations.values_list("pk", "secret_hash"))
    living = _those_left(
        StationCertificate.objects.filter(state__in=StationCertificate.LIVING),
        [each.certificate for each in admitted],
    )
    open_ = _those_left(
        SecretRotation.objects.filter(state__in=SecretRotation.OPEN), [each.rotation for each in admitted]
    )
    return [_still_holds(each, hashes.get(each.station.pk), living, open_) for each in admitted]


def _those_left(rows: QuerySet[Any], shown: Iterable[Model | None]) -> set[int]:
    """Which of those that were shown are among `rows` still; nearly always none was shown, and nothing is asked."""
    keys = [row.pk for row in shown if row is not None]
    return set(rows.filter(pk__in=keys).values_list("pk", flat=True)) if keys else set()


def _still_holds(admitted: Admitted, secret_hash: str | None, living: set[int], open_: set[int]) -> bool:
    if secret_hash is None:  # the station is gone
        return False
    if admitted.certificate is not None:
        return admitted.certificate.pk in living
    if admitted.rotation is not None:
        return admitted.rotation.pk in open_
    return secret_hash == admitted.station.secret_hash


def settle(admitted: Sequence[Admitted], *, now: datetime) -> None:
    """What follows from how they came in: a new password or a higher profile is in use from now on."""
    raised = _being_raised(
        [each.station.pk for each in admitted if each.level > each.station.security_profile]
    )
    for each in admitted:
        if each.rotation is not None:
            securing.came_back(each.rotation, password_digest=each.digest, now=now)
        if each.certificate is not None:
            certificates.seen(each.certificate, now=now)
        if each.station.pk in raised:
            securing.showed(each.station, level=each.level, now=now)


def _being_raised(station_ids: Collection[int]) -> set[int]:
    """Of these stations, those that were asked for a higher profile; one question for a whole storm."""
    if not station_ids:
        return set()
    open_ = ProfileRaise.objects.filter(station__in=station_ids, state__in=ProfileRaise.OPEN)
    return set(open_.values_list("station_id", flat=True))


def _require_profile(station: Station, caller: Caller, problem: str) -> None:
    """A lower profile than the one that is set is refused (white paper, A00.FR.101; 2.0.1, A05.FR.07)."""
    if station.security_profile == Profile.CERTIFICATE:
        why = problem or "it came without one"
        text = f"This station must show its client certificate over TLS (security profile 3): {why}."
        raise Refused(403, text, reason="certificate")
    if station.security_profile == Profile.TLS and not caller.is_secure:
        text = "This station must connect over TLS, with wss (security profile 2)."
        raise Refused(403, text, reason="no_tls")


def _by_password(station: Station, password: bytes, caller: Caller) -> Admitted:
    """A generated password cannot be guessed: whoever has it comes in, whatever others try from the same address.

    A chosen one might be. There the brakes come first, or they would be none.
    """
    is_chosen = station.secret_kind == Station.Secret.CHOSEN
    if is_chosen:
        heed_brakes(station.identity, caller.address)
    known = credentials.verify_cheaply(station, password)
    if known:
        return Admitted(station, _level(caller))
    rotation = securing.pending_with(station, password)
    if rotation is not None:
        digest = credentials.digest_of(password)
        return Admitted(station, _level(caller), rotation=rotation, digest=digest)
    if known is None:
        raise NeedsSlowHash(station)
    if not is_chosen:
        heed_brakes(station.identity, caller.address)
    raise _wrong_password()


def _level(caller: Caller) -> int:
    return Profile.TLS if caller.is_secure else Profile.BASIC


def _wrong_password() -> Refused:
    text = (
        "Wrong password for this station. Its operator can give it a new one. Do not try others: more wrong ones cost "
        "a pause each."
    )
    return Refused(401, text, reason="password", is_guess=True)
