"""Erasing a driver: asked for, after a term in which it can be taken back carried out, and written down without a name.

The sessions stay, for the operator's books and the grid's figures, but nobody can tell whose they were: neither the
account nor the card is named there any more. Evidence holds no card and no name, so that it stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from portal.accounts.driving import Erasure, Preference
from portal.accounts.inviting import Invitation
from stations import claims
from stations.models import ChargingSession, Token, TokenClaim

# What stands in a session in place of its card begins with this.
ERASED = "erased-"

logger = logging.getLogger(__name__)

State = Erasure.State
# A session that has not ended by then never will (stations.authorisation).
RUNS_AT_MOST = timedelta(days=7)


def ask(*, user: Any, now: datetime) -> Erasure:
    """The request, or the one that is open already."""
    due_at = now + timedelta(days=float(settings.ERASURE_AFTER_DAYS))
    wanted = {"asked_at": now, "due_at": due_at}
    return Erasure.objects.get_or_create(user=user, state=State.ASKED, defaults=wanted)[0]


def take_back(*, user: Any, now: datetime) -> bool:
    """False: nothing was asked, or it is done."""
    asked = Erasure.objects.filter(user=user, state=State.ASKED)
    return bool(asked.update(state=State.WITHDRAWN, settled_at=now))


def carry_out_due(now: datetime) -> int:
    """The round: all that is due. Who is charging waits for the next one. Returns how many were erased."""
    due = Erasure.objects.filter(state=State.ASKED, due_at__lte=now, user__isnull=False)
    return sum(_carry_out(erasure, now) for erasure in due.select_related("user").order_by("due_at"))


def _carry_out(erasure: Erasure, now: datetime) -> bool:
    user: Any = erasure.user
    own = ChargingSession.objects.of_driver(user)
    running = own.filter(state=ChargingSession.State.ACTIVE, received_at__gte=now - RUNS_AT_MOST)
    with transaction.atomic():
        if running.exists():  # its end has yet to come, with the card
            return False
        claimed = Erasure.objects.filter(pk=erasure.pk, state=State.ASKED)
        if not claimed.update(state=State.DONE, settled_at=now):
            return False
        sessions, cards = _anonymise(own), _let_go_of_cards(user, now)
        if not user.memberships.exists() and not user.is_superuser:
            _strip(user)
        else:  # who works for a party keeps the account, without anything of the driver
            Preference.objects.filter(user=user).delete()
        Erasure.objects.filter(pk=erasure.pk).update(sessions=sessions, cards=cards)
    logger.info("Erasure %s is done: %d sessions, %d cards", erasure.pk, sessions, cards)
    return True


def belongings(user: Any) -> Iterator[models.QuerySet[Any]]:
    """What would go with the account if it were deleted: addresses, keys of the API, second factors, choices."""
    for relation in user._meta.related_objects:  # noqa: SLF001 - Django's own documented way
        if relation.on_delete is models.CASCADE:
            rows = relation.related_model._base_manager  # noqa: SLF001 - likewise
            yield rows.filter(**{relation.field.name: user})


def _anonymise(own: models.QuerySet[ChargingSession]) -> int:
    """Each with a mark of its own in place of the card's: that two of them were of one driver cannot be told."""
    keys = list(own.values_list("pk", flat=True))
    mark = Concat(Value(ERASED), Cast("pk", CharField()))
    return ChargingSession.objects.filter(pk__in=keys).update(token=None, token_digest=mark)


def _let_go_of_cards(user: Any, now: datetime) -> int:
    cards = sum(claims.unlink(token=token, by=None, now=now) for token in Token.objects.filter(user=user))
    claims.cancel_charge(user=user, now=now)
    TokenClaim.objects.filter(user=user).update(user=None, token_digest="")
    return cards


def _strip(user: Any) -> None:
    """The row stays, for what others wrote beside it; nothing in it says who it was, and nobody can sign in with it."""
    for rows in belongings(user):
        rows.delete()
    LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(user), object_id=str(user.pk)
    ).delete()
    Invitation.objects.filter(email__iexact=user.email).delete()
    user.email, user.name, user.is_active, user.is_staff = (
        f"erased-{user.pk}@erased.invalid",
        "",
        False,
        False,
    )
    user.last_login = None
    user.set_unusable_password()
    user.save()
