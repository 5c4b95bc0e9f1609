"""The list of tokens that a station holds itself, to decide by while it is offline."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from stations.models.access import PartyQuerySet
from stations.models.command import Command
from stations.models.site import Station


class LocalListQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = ""


class LocalList(models.Model):
    """What stands on a station, as far as we know; stations.local_lists is its only writer. It names tokens by row."""

    class State(models.TextChoices):
        NEVER = "never", _("never sent")
        SENDING = "sending", _("being sent")
        CURRENT = "current", _("up to date")
        OTHER = "other", _("the station has another version")
        FAILED = "failed", _("failed")
        NOT_SUPPORTED = "unsupported", _("the station takes no list")

    station = models.OneToOneField(
        Station, on_delete=models.CASCADE, related_name="local_list", primary_key=True
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.NEVER)
    # The station's own word (Failed, NotSupported), the code of its CALLERROR, or the state of the lost command.
    problem = models.CharField(max_length=200, blank=True)
    # The version that a sync works towards, and what the station is known to hold: its own word, or what it accepted.
    version = models.PositiveIntegerField(_("version wanted"), default=0)
    version_known = models.IntegerField(_("version of the station"), null=True)
    count = models.PositiveIntegerField(_("tokens"), default=0)
    # {token row: fingerprint of its entry}: what the station accepted; the changes since make a Differential.
    held = models.JSONField(default=dict)
    # What is still to be sent: {"full": bool, "put": [token rows], "drop": [token rows]}.
    plan = models.JSONField(default=dict)
    parts_total = models.PositiveIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0)
    command = models.ForeignKey(Command, null=True, on_delete=models.SET_NULL, related_name="+")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField()
    synced_at = models.DateTimeField(null=True)

    objects = LocalListQuerySet.as_manager()

    class Meta:
        verbose_name = _("local list")
        verbose_name_plural = _("local lists")

    def __str__(self) -> str:
        return f"local list of {self.station_id}: {self.state}"
