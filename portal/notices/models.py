"""What people were told, how they want it by mail, and which states have been told of already."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.notices.kinds import AUDIENCE, OF_OFFICIALS, Kind, Way
from portal.notices.webhooks import models as webhooks  # noqa: F401 - its models are of this app
from stations.models import ChargingSession, Municipality, Operator, Station
from stations.models.access import Role, memberships_of
from stations.models.watched import WatchedQuerySet


class NoticeQuerySet(models.QuerySet["Notice"]):
    def of(self, user: Any) -> NoticeQuerySet:
        """Those of `user` about what `user` may see now: a role that was taken away takes its notices along."""
        rows = self.filter(user=user.pk)
        if getattr(user, "is_superuser", False):
            return rows
        own = Q(session__in=ChargingSession.objects.of_driver(user))
        return rows.filter(own | _of_staff(user) | _of_officials(user))

    def unread(self) -> NoticeQuerySet:
        return self.filter(read_at__isnull=True)


def _of_staff(user: Any) -> Q:
    """By the operator of the station as it is now, and the role that the kind asks for."""
    found = Q(pk__in=[])
    for row in memberships_of(user):
        if row.operator_id:
            kinds = [kind for kind, roles in AUDIENCE.items() if row.role in roles]
            whose = Q(station__isnull=True, operator=row.operator_id)
            found |= Q(kind__in=kinds) & (whose | Q(station__site__operator=row.operator_id))
    return found


def _of_officials(user: Any) -> Q:
    keys = [row.municipality_id for row in memberships_of(user) if row.role == Role.OFFICIAL]
    if not keys:
        return Q(pk__in=[])
    whose = Q(station__isnull=True, municipality__in=keys)
    return Q(kind__in=OF_OFFICIALS) & (whose | Q(station__site__concession__municipality__in=keys))


class Notice(models.Model):
    """Something that one person is told, once for each cause.

    `data` is what its words are made of, in whatever language it is read; never a token, never a secret.
    """

    class Mail(models.TextChoices):
        NONE = "none", _("not by mail")
        WAITING = "waiting", _("waits to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("could not be sent")
        WITHHELD = "withheld", _("not sent: no longer yours to see")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    cause = models.CharField(max_length=100)
    at = models.DateTimeField(_("when"))
    made_at = models.DateTimeField()
    # What it is about: of these, who may see it follows.
    station = models.ForeignKey(Station, null=True, on_delete=models.CASCADE, related_name="+")
    session = models.ForeignKey(ChargingSession, null=True, on_delete=models.CASCADE, related_name="+")
    operator = models.ForeignKey(Operator, null=True, on_delete=models.CASCADE, related_name="+")
    municipality = models.ForeignKey(Municipality, null=True, on_delete=models.CASCADE, related_name="+")
    data = models.JSONField(default=dict)
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(_("mail"), max_length=8, choices=Mail, default=Mail.NONE)
    mail_way = models.CharField(max_length=8, choices=Way, default=Way.NO)
    mail_due_at = models.DateTimeField(null=True)
    mail_attempts = models.PositiveSmallIntegerField(default=0)
    mail_problem = models.CharField(max_length=200, blank=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [models.UniqueConstraint(name="notice_once", fields=["user", "cause"])]
        indexes = [
            models.Index(name="notice_newest", fields=["user", "-made_at"]),
            # The count in the head of every page.
            models.Index(name="notice_unread", fields=["user"], condition=Q(read_at__isnull=True)),
            models.Index(name="notice_mail_due", fields=["mail_due_at"], condition=Q(mail="waiting")),
            models.Index(name="notice_age", fields=["made_at"]),
            models.Index(name="notice_cause", fields=["cause"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}: {self.cause}"


class Told(models.Model):
    """A state that lasts, and that people have been told of: they are told again only after it was over.

    `subject` is the key of the row that it is about; `name` says which kind of row, and which state.
    """

    name = models.CharField(max_length=20)
    subject = models.BigIntegerField()
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(name="told_once", fields=["name", "subject"])]

    def __str__(self) -> str:
        return f"{self.name} {self.subject}"


class MailChoice(models.Model):
    """How one person wants one kind by mail. Who never chose has no row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_choices")
    kind = models.CharField(max_length=20, choices=Kind)
    way = models.CharField(max_length=8, choices=Way)

    objects = WatchedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="mail_choice_once", fields=["user", "kind"])]

    def __str__(self) -> str:
        return f"{self.kind} for {self.user_id}: {self.way}"
