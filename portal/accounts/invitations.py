"""From an e-mail address to a role at a party: invite, send again, withdraw, accept.

The link of a mail is signed, holds which invitation and which of its mails it is, and works until `expires_at`.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse

from portal.accounts.addresses import count_as_verified
from portal.accounts.inviting import Invitation
from portal.accounts.models import User
from portal.accounts.roles import ROLE_NAMES, Party, party_fields
from stations.models import Membership
from stations.models.access import Role

log = logging.getLogger(__name__)
SALT = "portal.accounts.invitation"


class BadLink(ValueError):
    """The link opens nothing (any more). `reason`: wrong, replaced, expired, accepted or withdrawn."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvitedAlready(ValueError):
    """An invitation of this address for this role is waiting."""


class ForSomebodyElse(ValueError):
    """The invitation is for another e-mail address than the user's."""


class NoLongerWaiting(ValueError):
    """It was accepted or withdrawn in the meantime."""


def invite(*, email: str, role: Role, party: Party, invited_by: User, now: datetime) -> Invitation:
    """The row alone; `send` mails it. Raises InvitedAlready."""
    try:
        with transaction.atomic():
            return Invitation.objects.create(
                email=email.lower(),
                role=role,
                invited_by=invited_by,
                invited_at=now,
                expires_at=_expiry(now),
                **party_fields(party),
            )
    except IntegrityError:
        raise InvitedAlready(email) from None


def send(invitation: Invitation, *, now: datetime) -> bool:
    """Mail a new link, good for INVITATION_DAYS; links of earlier mails stop working. False: no mail server took it.

    Raises NoLongerWaiting.
    """
    waiting = Invitation.objects.waiting().filter(pk=invitation.pk)
    if not waiting.update(mails=F("mails") + 1, expires_at=_expiry(now), sent_at=None):
        raise NoLongerWaiting
    invitation.refresh_from_db()
    try:
        _mail_of(invitation).send()
    except OSError:
        log.exception("invitation %s was not mailed", invitation.pk)
        return False
    waiting.filter(mails=invitation.mails).update(sent_at=now)
    return True


def withdraw(invitation: Invitation, *, now: datetime) -> None:
    """Raises NoLongerWaiting."""
    if not Invitation.objects.waiting().filter(pk=invitation.pk).update(withdrawn_at=now):
        raise NoLongerWaiting


def link_of(invitation: Invitation) -> str:
    """The whole address, as it stands in the mail."""
    token = signing.dumps([invitation.pk, invitation.mails], salt=SALT)
    address: str = settings.PUBLIC_URL.rstrip("/")
    return address + reverse("invitation", args=[token])


def opened_by(token: str, *, now: datetime) -> Invitation:
    """The waiting invitation that the link is of. Raises BadLink."""
    try:
        pk, mails = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise BadLink("wrong") from None
    rows = Invitation.objects.select_related("municipality", "operator", "invited_by")
    row: Invitation | None = rows.filter(pk=pk).first()
    if row is None:
        raise BadLink("withdrawn")
    state = row.state_at(now)
    if state in (Invitation.State.ACCEPTED, Invitation.State.WITHDRAWN, Invitation.State.EXPIRED):
        raise BadLink(state.value)
    if mails != row.mails:
        raise BadLink("replaced")
    return row


@transaction.atomic
def accept(invitation: Invitation, *, user: User, now: datetime) -> Membership:
    """Give `user` the role; whoever comes here showed that the mailbox is theirs, so the address counts as verified.

    Raises ForSomebodyElse, and NoLongerWaiting for all that `opened_by` refuses by now.
    """
    if user.email.lower() != invitation.email:
        raise ForSomebodyElse(invitation.email)
    waiting = Invitation.objects.waiting().filter(pk=invitation.pk, expires_at__gt=now)
    if not waiting.update(accepted_at=now, accepted_by=user):
        raise NoLongerWaiting
    membership, _is_new = Membership.objects.get_or_create(
        user=user, role=invitation.role, **party_fields(invitation.party)
    )
    if invitation.role == Role.ADMINISTRATOR and not user.is_staff:
        user.is_staff = True  # master data is kept in the administration
        user.save(update_fields=["is_staff"])
    count_as_verified(user)
    return membership


@transaction.atomic
def join(invitation: Invitation, *, name: str, password: str, now: datetime) -> User:
    """A new account for the invited address, with its role. Raises NoLongerWaiting."""
    user = User.objects.create_user(invitation.email, password, name=name)
    accept(invitation, user=user, now=now)
    return user


def open_for(email: str, *, now: datetime) -> list[Invitation]:
    """What `email` can still accept."""
    return list(Invitation.objects.waiting().filter(email=email.lower(), expires_at__gt=now))


@transaction.atomic
def take_role_away(membership: Membership, *, now: datetime) -> None:
    """From the next request on. Whom an administrator invited there, and who did not come yet, is not let in any more.

    Without any role left, the administration is closed too.
    """
    user = membership.user
    if membership.role == Role.ADMINISTRATOR:
        asked = Invitation.objects.waiting().filter(invited_by=user, operator=membership.operator)
        asked.update(withdrawn_at=now)
    membership.delete()
    if user.is_staff and not user.is_superuser and not Membership.objects.filter(user=user).exists():
        user.is_staff = False
        user.save(update_fields=["is_staff"])


def _expiry(now: datetime) -> datetime:
    return now + timedelta(days=settings.INVITATION_DAYS)


def _mail_of(invitation: Invitation) -> EmailMessage:
    words = {
        "invitation": invitation,
        "role": ROLE_NAMES[Role(invitation.role)],
        "link": link_of(invitation),
        "portal": settings.PUBLIC_URL,
    }
    subject = " ".join(render_to_string("account/email/invitation_subject.txt", words).split())
    body = render_to_string("account/email/invitation_message.txt", words).strip()
    return EmailMessage(subject, body, to=[invitation.email])
