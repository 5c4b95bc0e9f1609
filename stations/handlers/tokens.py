"""May this token charge here?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocpp.v16.enums import AuthorizationStatus

from stations.credentials import digest_token
from stations.models import Station, Token
from stations.ocpp import messages as m


@dataclass(frozen=True, slots=True)
class Judged:
    """A token as it was found: its verdict, its keyed digest, and its row where we know it."""

    verdict: m.Verdict
    digest: str
    token: Token | None


def authorize(station: Station, message: m.Authorize, *, now: datetime) -> m.Reply:
    return m.Authorized(judge(station, message.id_token, now=now).verdict)


def judge(station: Station, id_token: m.IdToken, *, now: datetime) -> Judged:
    """Tokens are those of the operator of the station. Unknown is Invalid (1.6, 7.2), in 2.x too."""
    if not id_token.needs_check:
        return Judged(m.Verdict(AuthorizationStatus.accepted), "", None)
    digest = digest_token(id_token.value)
    token = Token.objects.filter(digest=digest, operator__sites__stations=station.pk).first()
    return Judged(_verdict(token, now), digest, token)


def _verdict(token: Token | None, now: datetime) -> m.Verdict:
    if token is None:
        return m.Verdict(AuthorizationStatus.invalid)
    if token.blocked:
        return m.Verdict(AuthorizationStatus.blocked)
    if token.expires_at and token.expires_at <= now:
        return m.Verdict(AuthorizationStatus.expired, token.expires_at)
    return m.Verdict(AuthorizationStatus.accepted, token.expires_at)
