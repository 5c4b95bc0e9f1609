"""Who is asked to take a role at a party: the rows. What is done with them: portal.accounts.invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models import Municipality, Operator
from stations.models.access import OPERATOR_ROLES, PartyQuerySet, Role


class InvitationQuerySet(PartyQuerySet):
    """Who administers an operator sees whom it invited. Of a municipality's invitations superusers take care."""

    municipality_lookup = ""

    def waiting(self) -> Self:
        """Neither accepted nor withdrawn; whether the link still works is a question of the time."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class Invitation(models.Model):
    """Somebody is asked, by mail, to take a role at a party. What the mail holds is a signed link, never kept.

    `mails` counts the mails, and is part of the link: only the last one works.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        UNSENT = "unsent", _("not sent")
        EXPIRED = "expired", _("expired")
        ACCEPTED = "accepted", _("accepted")
        WITHDRAWN = "withdrawn", _("withdrawn")

    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=20, choices=Role)
    municipality = models.ForeignKey(Municipality, null=True, blank=True, on_delete=models.CASCADE)
    operator = models.ForeignKey(Operator, null=True, blank=True, on_delete=models.CASCADE)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    invited_at = models.DateTimeField(_("invited"))
    mails = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(_("sent"), null=True)
    expires_at = models.DateTimeField(_("expires"))
    accepted_at = models.DateTimeField(_("accepted"), null=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-invited_at", "-pk"]
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.CheckConstraint(
                name="invitation_role_fits_one_party",
                condition=Q(role=Role.OFFICIAL, municipality__isnull=False, operator__isnull=True)
                | Q(role__in=OPERATOR_ROLES, municipality__isnull=True, operator__isnull=False),
            ),
            models.UniqueConstraint(
                name="waiting_invitation_to_operator_once",
                fields=["email", "role", "operator"],
                condition=Q(municipality__isnull=True, accepted_at__isnull=True, withdrawn_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="waiting_invitation_to_municipality_once",
                fields=["email", "role", "municipality"],
                condition=Q(operator__isnull=True, accepted_at__isnull=True, withdrawn_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.role} at {self.party}"

    @property
    def party(self) -> Municipality | Operator:
        party = self.municipality or self.operator
        assert party is not None  # noqa: S101 - invitation_role_fits_one_party
        return party

    def state_at(self, now: datetime) -> Invitation.State:
        if self.accepted_at:
            return self.State.ACCEPTED
        if self.withdrawn_at:
            return self.State.WITHDRAWN
        if self.expires_at <= now:
            return self.State.EXPIRED
        return self.State.OPEN if self.sent_at else self.State.UNSENT
