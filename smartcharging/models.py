"""What we want of a station, what we sent, what it reported: three records, never one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.models import Command, Station
from stations.models.access import PartyQuerySet


class StationPartQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = "station__site__concession__municipality"


class DesiredProfileQuerySet(StationPartQuerySet):
    def current(self) -> DesiredProfileQuerySet:
        """Profiles that we want to stand on the station."""
        return self.filter(withdrawn_at__isnull=True)

    def unsettled(self) -> DesiredProfileQuerySet:
        """Profiles whose way is not at its end: reconcile has, or will have, something to do."""
        return self.exclude(state__in=DesiredProfile.SETTLED)


class DesiredProfile(models.Model):
    """A charging profile that should stand on a station. smartcharging.services alone creates it; what it says
    never changes (a new wish is a new row that supersedes it), only how far it has come."""

    class Purpose(models.TextChoices):
        STATION_MAX = (
            "station_max",
            _("limit of the whole station"),
        )  # 1.6 ChargePointMaxProfile, 2.x ChargingStationMaxProfile
        TX_DEFAULT = "tx_default", _("default per session")  # TxDefaultProfile
        TX = "tx", _("limit of one session")  # TxProfile

    class Kind(models.TextChoices):
        ABSOLUTE = "absolute", _("absolute")
        RECURRING = "recurring", _("recurring")
        RELATIVE = "relative", _("relative")

    class Recurrency(models.TextChoices):
        DAILY = "daily", _("daily")
        WEEKLY = "weekly", _("weekly")

    class Unit(models.TextChoices):
        A = "A", _("A (per phase)")
        W = "W", _("W (in total)")

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        ACCEPTED = "accepted", _("accepted, not yet read back")
        CONFIRMED = "confirmed", _("confirmed")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")
        DRIFTED = "drifted", _("drifted")
        UNSUPPORTED = "unsupported", _("not supported by the station")
        CLEARING = "clearing", _("being withdrawn")
        CLEARED = "cleared", _("withdrawn")

    # Beat and nudges leave these alone; a boot or a drift found by reading back takes them up again.
    SETTLED = (State.CONFIRMED, State.REFUSED, State.UNSUPPORTED, State.CLEARED)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="desired_profiles")
    evse_number = models.PositiveSmallIntegerField(
        _("EVSE"), default=0, help_text=_("0 is the whole station.")
    )
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveIntegerField(_("version"), default=1)
    # Rule 12: the id comes from a range of ours, and is cleared by exact id.
    profile_id = models.PositiveIntegerField(_("profile id"))
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    stack_level = models.PositiveSmallIntegerField(_("stack level"), default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    recurrency = models.CharField(_("recurrency"), max_length=6, choices=Recurrency, blank=True)
    transaction_id = models.CharField(_("transaction"), max_length=36, blank=True)
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_to = models.DateTimeField(_("valid to"), null=True, blank=True)
    start_schedule = models.DateTimeField(_("start of the schedule"), null=True, blank=True)
    duration_s = models.PositiveIntegerField(_("duration (s)"), null=True, blank=True)
    unit = models.CharField(_("unit"), max_length=1, choices=Unit)
    # [{"start_s": 0, "limit": 16.0, "phases": 3 | null}, ...], ascending, the first at 0
    periods = models.JSONField(_("periods"))
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    reason = models.TextField(
        _("reason"), blank=True, help_text=_("Why it was refused, is unsupported or unknown.")
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = DesiredProfileQuerySet.as_manager()

    class Meta:
        ordering = ["station", "evse_number", "-stack_level"]
        verbose_name = _("desired profile")
        verbose_name_plural = _("desired profiles")
        constraints = [
            models.UniqueConstraint(
                name="desired_profile_id_once",
                fields=["station", "profile_id"],
                condition=Q(withdrawn_at__isnull=True),
            ),
            # A second profile on the same place would replace the first on a 1.6 station (1.6, 5.16.3).
            models.UniqueConstraint(
                name="desired_place_once",
                fields=["station", "evse_number", "purpose", "stack_level", "transaction_id"],
                condition=Q(withdrawn_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.station_id}/{self.evse_number}: {self.state}"


class Delivery(models.Model):
    """What was sent for a desired profile: one command, and how it ended is in the command's own row."""

    class Intent(models.TextChoices):
        SET = "set", _("set")
        CLEAR = "clear", _("clear")

    desired = models.ForeignKey(DesiredProfile, on_delete=models.CASCADE, related_name="deliveries")
    command = models.OneToOneField(Command, on_delete=models.CASCADE, related_name="delivery")
    intent = models.CharField(max_length=5, choices=Intent)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")

    def __str__(self) -> str:
        return f"{self.intent} {self.desired_id} by command {self.command_id}"


class ReportedSchedule(models.Model):
    """A composite schedule as a station reported it. What it cannot be read as is a state with a name (rule 13)."""

    class State(models.TextChoices):
        READ = "read", _("read")
        REJECTED = "rejected", _("the station rejected the question")
        EMPTY = "empty", _("accepted, without a schedule")
        NO_LIMIT = "no_limit", _("a limit of -1")
        OTHER_UNIT = "other_unit", _("another unit than asked")
        MALFORMED = "malformed", _("not readable")
        UNANSWERED = "unanswered", _("no answer")

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="reported_schedules")
    command = models.OneToOneField(Command, on_delete=models.CASCADE, related_name="reported_schedule")
    evse_number = models.PositiveSmallIntegerField()
    read_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State)
    start = models.DateTimeField(null=True)
    duration_s = models.PositiveIntegerField(null=True)
    unit = models.CharField(max_length=1, blank=True)
    periods = models.JSONField(default=list)  # as in DesiredProfile

    objects = StationPartQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("reported schedule")
        verbose_name_plural = _("reported schedules")
        indexes = [models.Index(name="reported_station_evse", fields=["station", "evse_number", "-id"])]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.evse_number} {self.read_at:%Y-%m-%d %H:%M:%S}: {self.state}"


class Comparison(models.Model):
    """Our composite beside the one read back."""

    class Verdict(models.TextChoices):
        EQUAL = "equal", _("equal")
        DIFFERS = "differs", _("differs")
        UNKNOWN = "unknown", _("could not be compared")

    reported = models.OneToOneField(ReportedSchedule, on_delete=models.CASCADE, related_name="comparison")
    verdict = models.CharField(max_length=10, choices=Verdict)
    expected = models.JSONField(default=list)  # periods of our composite, in the reported unit and window
    largest_difference = models.FloatField(null=True)
    first_difference_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")

    def __str__(self) -> str:
        return f"{self.reported}: {self.verdict}"
