"""May this token charge here? The one judge, for every OCPP version; docs/authorisation.md has all answers.

A transaction that has begun is never refused: the verdict tells the station what to do, and the session is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db.models import Q
from ocpp.v16.enums import AuthorizationStatus

from stations.credentials import digest_token
from stations.models import ChargingSession, Station, Token
from stations.ocpp import messages as m

# A session whose end got lost must not keep its driver from charging for ever.
RUNS_AT_MOST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Judged:
    """A token as it was found: its verdict, its keyed digest, and its row where we know it."""

    verdict: m.Verdict
    digest: str
    token: Token | None

    @property
    def is_accepted(self) -> bool:
        return bool(self.verdict.status == AuthorizationStatus.accepted)


def judge(station: Station, id_token: m.IdToken, *, now: datetime) -> Judged:
    """Tokens are those of the operator of the station. Unknown is Invalid (1.6, 7.2), in 2.x too."""
    if (
        not id_token.needs_check
    ):  # 2.0.1, C02: the station is set so, and `free_vend` is what sets it otherwise
        return Judged(m.Verdict(AuthorizationStatus.accepted), "", None)
    digest = digest_token(id_token.value)
    tokens = Token.objects.filter(digest=digest, operator__sites__stations=station.pk)
    token = tokens.select_related("group").first()
    verdict = _verdict(token, now, is_free=bool(station.free_vend))
    if token is not None and token.only_at and not station.free_vend:
        verdict = _within(verdict, token.evses_at(station.identity))
    return Judged(verdict, digest, token)


def at_evse(judged: Judged, evse_number: int | None) -> Judged:
    """What it is at this EVSE, where a transaction begins; None: not said yet."""
    evses = judged.verdict.evses
    if not judged.is_accepted or not evses or evse_number is None or evse_number in evses:
        return judged
    return replace(judged, verdict=_elsewhere(judged.verdict))


def alone(judged: Judged, *, now: datetime, but: Q) -> Judged:
    """ConcurrentTx where the token charges already, and may only once; `but`: sessions that do not count."""
    token = judged.token
    if not judged.is_accepted or token is None or token.concurrent_allowed:
        return judged
    running = ChargingSession.objects.filter(
        token_digest=judged.digest,
        state=ChargingSession.State.ACTIVE,
        started_at__gte=now - RUNS_AT_MOST,
    )
    if not running.exclude(but).exists():
        return judged
    return replace(judged, verdict=replace(judged.verdict, status=AuthorizationStatus.concurrent_tx))


def on_evse(station: Station, evse_number: int | None, session: ChargingSession | None) -> Q:
    """The session itself, and those of its EVSE: it charges one car at a time, so what ran there is over."""
    same = Q(station_id=station.pk, evse_number=evse_number) if evse_number else Q(pk__in=[])
    return same | Q(pk=session.pk) if session is not None else same


def _within(verdict: m.Verdict, evses: tuple[int, ...]) -> m.Verdict:
    """Of a token that holds at some EVSEs alone: these of the station, or none."""
    if verdict.status != AuthorizationStatus.accepted:
        return verdict
    return replace(verdict, evses=evses) if evses else _elsewhere(verdict)


def _elsewhere(verdict: m.Verdict) -> m.Verdict:
    return replace(verdict, status=AuthorizationStatus.invalid, is_elsewhere=True)


def _verdict(token: Token | None, now: datetime, *, is_free: bool) -> m.Verdict:
    if token is None:
        return m.Verdict(AuthorizationStatus.accepted if is_free else AuthorizationStatus.invalid)
    group_id = token.group.group_id if token.group else ""
    if token.blocked:  # somebody meant it, free or not
        return m.Verdict(AuthorizationStatus.blocked, group_id=group_id)
    if token.expires_at and token.expires_at <= now:
        if is_free:  # without its moment, at which a station would take the answer for old already
            return m.Verdict(AuthorizationStatus.accepted, group_id=group_id)
        return m.Verdict(AuthorizationStatus.expired, token.expires_at, group_id)
    return m.Verdict(AuthorizationStatus.accepted, token.expires_at, group_id)
