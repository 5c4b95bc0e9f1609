"""Who changed what. stations.audit is the only writer, and the database itself keeps the rows as they are."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet, Role, Visitor
from stations.models.party import Municipality, Operator
from stations.models.site import Station


class AuditQuerySet(PartyQuerySet):
    municipality_lookup = "municipality"

    def readable_by(self, user: Visitor) -> Self:
        """Changes to what is of the user's municipality, or of the operator that the user administers."""
        return self._of_parties(
            user, operator_roles=(Role.ADMINISTRATOR,), municipality_roles=(Role.OFFICIAL,)
        )


class AuditEntry(models.Model):
    """One change that a person made to one object. Append-only.

    Its keys are no constraints: what is deleted later stays named here as it was.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("created")
        CHANGED = "changed", _("changed")
        DELETED = "deleted", _("deleted")

    class Door(models.TextChoices):
        PAGE = "page", _("page")
        API = "api", _("API")
        ADMIN = "admin", _("administration")

    at = models.DateTimeField(_("when"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    # As it was then: the address (empty for a driver), the party acted for, and the role there ("superuser", or empty).
    who = models.CharField(_("who"), max_length=254, blank=True)
    party = models.CharField(_("party"), max_length=200, blank=True)
    role = models.CharField(_("role"), max_length=20, blank=True)
    door = models.CharField(_("by way of"), max_length=5, choices=Door)
    action = models.CharField(_("action"), max_length=7, choices=Action)
    model = models.CharField(_("kind of object"), max_length=60)  # "stations.station"
    key = models.CharField(max_length=64)
    label = models.CharField(_("object"), max_length=200)
    station = models.ForeignKey(
        Station, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    # Whose the object is; null: no party's, or not for that kind of party to see.
    operator = models.ForeignKey(
        Operator, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    municipality = models.ForeignKey(
        Municipality, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    # {field: [before, after]}; a secret is masked on both sides.
    changes = models.JSONField(_("changes"), encoder=DjangoJSONEncoder)
    request_id = models.CharField(max_length=32)

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(name="audit_operator", fields=["operator", "-id"]),
            models.Index(name="audit_municipality", fields=["municipality", "-id"]),
            models.Index(name="audit_station", fields=["station", "-id"]),
            models.Index(name="audit_object", fields=["model", "key"]),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.action} {self.model} {self.key}"
