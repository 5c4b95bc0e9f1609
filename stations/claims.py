"""Linking a token to the account of the driver who holds it: by a code of its operator, or by a charge.

A code is shown once, kept as a keyed hash, ends after a while and works once. By charge: the driver says number and
station first, and a transaction that begins there with that token within five minutes shows who holds it. Nobody
learns here whether a card exists, and nobody takes a card that is somebody else's: the operator undoes a wrong link.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from stations import events
from stations.admission import Brake, longest_pause_s, slow_down
from stations.credentials import digest_token
from stations.models import ChargingSession, Station, Token, TokenClaim
from stations.nudges import nudge_pages

logger = logging.getLogger(__name__)

State, Way, Refusal = TokenClaim.State, TokenClaim.Way, TokenClaim.Refusal

# Letters and digits that nobody mistakes for another: 31 of them, ten times, is 49 bits.
ALPHABET, CODE_LENGTH = "23456789ABCDEFGHJKMNPQRSTUVWXYZ", 10
CODE_LASTS = timedelta(days=14)
CHARGE_WITHIN = timedelta(minutes=5)
# A transaction that is told later than this may have been seen by others meanwhile: it shows nothing. Nor does one of
# a station whose clock is off by more.
TOLD_WITHIN = timedelta(minutes=1)
CHARGES_A_DAY = 5
# Of one account, and of one address with many accounts: wrong codes are remembered for a day.
ACCOUNT, ADDRESS = Brake("account", 5, 3600), Brake("address", 20, 3600)
MEMORY_S = 86_400

TELLS = {
    "wrong": _(
        "This code does not work. Look whether you typed it right, or ask your operator for a new one."
    ),
    "taken": _("This card is linked to another account. Ask %(operator)s to undo that link, and try again."),
    "blocked": _("This card is blocked. Ask %(operator)s what to do."),
    "own": _("This card is linked to your account already."),
    "slowed": _("Too many wrong codes. Wait %(minutes)d min, and try again."),
    "often": _("You tried this five times today. Try again tomorrow, or ask your operator for a code."),
}


class CannotLink(ValueError):
    """Why not, as a sentence that says what to do; `code` is a key of TELLS."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(str(TELLS[code]) % values)
        self.code = code


# ---------------------------------------------------------------- by code
def issue_code(*, token: Token, issued_by: Any, held_since: datetime | None, now: datetime) -> str:
    """A new code for `token`, in place of the one before; it is told here and never again. Raises CannotLink.

    `held_since`: sessions from then on are the holder's too; None: from the link on.
    """
    code = "".join(secrets.choice(ALPHABET) for _place in range(CODE_LENGTH))
    with transaction.atomic():
        locked = Token.objects.select_for_update().get(pk=token.pk)
        if locked.user_id is not None:
            raise CannotLink("taken", operator=locked.operator)
        withdraw_code(token=token, now=now)
        TokenClaim.objects.create(
            way=Way.CODE,
            token=token,
            code_digest=_digest(code),
            issued_by=issued_by,
            held_since=held_since,
            made_at=now,
            expires_at=now + CODE_LASTS,
        )
    return f"{code[:5]}-{code[5:]}"


def withdraw_code(*, token: Token, now: datetime) -> bool:
    """The code of `token` works no more. False: it had none."""
    waiting = TokenClaim.objects.filter(token=token, way=Way.CODE, state=State.OPEN)
    return bool(waiting.update(state=State.WITHDRAWN, settled_at=now))


def link_by_code(*, user: Any, code: str, address: str, now: datetime) -> Token:
    """Link the token of `code` to `user`. Raises CannotLink, in the same words for every code that does not work."""
    keys = {ACCOUNT: f"claim:brake:{user.pk}", ADDRESS: f"claim:brake:{address}"}
    pause_s = longest_pause_s(keys.values())
    if pause_s:
        raise CannotLink("slowed", minutes=-(-pause_s // 60))
    rows = TokenClaim.objects.filter(code_digest=_digest(code), state=State.OPEN, expires_at__gt=now)
    claim = rows.select_related("token__operator").first()
    if claim is None or claim.token is None:
        slow_down(keys, memory_s=MEMORY_S)
        logger.warning("Account %s gave a code of a card that does not work", user.pk)
        raise CannotLink("wrong")
    token: Token = claim.token
    refusal = _refusal(token, user)
    if refusal:
        raise CannotLink(refusal, operator=token.operator)
    with transaction.atomic():
        used = rows.filter(pk=claim.pk).update(state=State.LINKED, user=user, settled_at=now)
        if not used or not _link(token, user, since=claim.held_since or now):  # another was first
            raise CannotLink("taken", operator=token.operator)
    return token


def _digest(code: str) -> str:
    """However it was typed: with or without the dash, in small letters."""
    plain = "".join(code.split()).replace("-", "").upper()
    return salted_hmac("stations.claim-code", plain, algorithm="sha256").hexdigest()


# ---------------------------------------------------------------- by charge
def expect_charge(*, user: Any, number: str, station: Station, now: datetime) -> TokenClaim:
    """From now on a charge at `station` with the card `number` links it to `user`, for five minutes.

    Raises CannotLink, and never for what the number is: whether there is such a card, only a charge tells.
    """
    lately = TokenClaim.objects.filter(user=user, way=Way.CHARGE, made_at__gt=now - timedelta(days=1))
    if lately.exclude(state=State.LINKED).count() >= CHARGES_A_DAY:
        raise CannotLink("often")
    with transaction.atomic():
        cancel_charge(user=user, now=now)
        claim: TokenClaim = TokenClaim.objects.create(
            way=Way.CHARGE,
            user=user,
            station=station,
            token_digest=digest_token("".join(number.split())),
            made_at=now,
            expires_at=now + CHARGE_WITHIN,
        )
    return claim


def cancel_charge(*, user: Any, now: datetime) -> bool:
    """Wait no longer. False: nothing was waited for."""
    waiting = TokenClaim.objects.filter(user=user, way=Way.CHARGE, state=State.OPEN)
    return bool(waiting.update(state=State.WITHDRAWN, settled_at=now))


def look_after(now: datetime) -> int:
    """The round: link what a charge has shown, and end what came to nothing. Returns how many were settled."""
    waiting = TokenClaim.objects.filter(state=State.OPEN, way=Way.CHARGE)
    settled = sum(_look(claim, now) for claim in waiting.select_related("station", "user"))
    over = TokenClaim.objects.filter(Q(way=Way.CODE), state=State.OPEN, expires_at__lte=now)
    return settled + over.update(state=State.EXPIRED, settled_at=now)


def _look(claim: TokenClaim, now: datetime) -> bool:
    session = _session_of(claim)
    if session is not None:
        return _settle(claim, session, now)
    if now < claim.expires_at:
        return False
    return bool(_end(claim, now, state=State.EXPIRED))


def _session_of(claim: TokenClaim) -> ChargingSession | None:
    """The charge that was said beforehand: heard of within the time by our clock, and begun then by the station's."""
    rows: Iterable[ChargingSession] = ChargingSession.objects.filter(
        station=claim.station_id,
        token__isnull=False,
        token_digest=claim.token_digest,
        received_at__gte=claim.made_at,
        received_at__lte=claim.expires_at,
        # Of the station's sessions only the last are looked at: its index is by their start.
        started_at__gte=claim.made_at - TOLD_WITHIN,
        started_at__range=(F("received_at") - TOLD_WITHIN, F("received_at") + TOLD_WITHIN),
    ).select_related("token__operator")
    return next(iter(rows), None)


def _settle(claim: TokenClaim, session: ChargingSession, now: datetime) -> bool:
    token, began = session.token, session.started_at
    if token is None or claim.user is None or began is None:
        return False
    refusal = _refusal(token, claim.user)
    with transaction.atomic():
        # The charge that shows it is the first of the driver's.
        if refusal or not _link(token, claim.user, since=min(began, claim.made_at)):
            found = {"state": State.REFUSED, "refusal": refusal or Refusal.TAKEN}
        else:
            found = {"state": State.LINKED}
        if not _end(claim, now, token=token, session=session, **found):
            transaction.set_rollback(True)  # it was withdrawn meanwhile
            return False
        if found["state"] == State.LINKED:
            events.record(
                station_id=session.station_id,
                kind=events.Kind.CARD_LINKED,
                at=now,
                now=now,
                data={"claim": claim.pk},
            )
        nudge_pages([session.station_id])
    return True


def _end(claim: TokenClaim, now: datetime, **found: Any) -> int:
    still = TokenClaim.objects.filter(pk=claim.pk, state=State.OPEN)
    return still.update(settled_at=now, **found)


# ---------------------------------------------------------------- both
def _refusal(token: Token, user: Any) -> str:
    if token.user_id is not None:
        return Refusal.OWN if token.user_id == user.pk else Refusal.TAKEN
    return Refusal.BLOCKED if token.blocked else ""


def _link(token: Token, user: Any, *, since: datetime) -> bool:
    """False: it is somebody's. What stations hold of a token does not change by it."""
    free = Token.objects.filter(pk=token.pk, user__isnull=True)
    return bool(free.update(user=user, held_since=since))


def unlink(*, token: Token, by: Any, now: datetime) -> bool:
    """The card is nobody's any more, and its sessions are no driver's to see. False: it was nobody's."""
    with transaction.atomic():
        was = Token.objects.filter(pk=token.pk, user__isnull=False).update(user=None, held_since=None)
        TokenClaim.objects.filter(token=token, state=State.LINKED).update(
            state=State.UNDONE, undone_by=by, undone_at=now
        )
    return bool(was)
