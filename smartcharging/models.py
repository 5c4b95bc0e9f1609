"""What we want of a station, what we sent, what it reported: three records, never one."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from smartcharging import policies  # noqa: F401 - its models too are this app's
from smartcharging.sayings import say
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
    # Why it is in this state: a code and its values, put into words by smartcharging.sayings.
    reason_code = models.CharField(max_length=40, blank=True)
    reason_values = models.JSONField(default=dict, blank=True)
    reason_text = models.TextField(blank=True, help_text=_("Of rows from before reasons were codes."))
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # the last time
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

    @property
    def reason(self) -> str:
        """Why it was refused, has drifted or is unknown, in the reader's language."""
        return say(self.reason_code, self.reason_values) or self.reason_text


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
    reason_code = models.CharField(max_length=40, blank=True)
    reason_values = models.JSONField(default=dict, blank=True)
    reason_text = models.TextField(blank=True)  # of rows from before reasons were codes

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("comparison")
        verbose_name_plural = _("comparisons")

    def __str__(self) -> str:
        return f"{self.reported}: {self.verdict}"

    @property
    def reason(self) -> str:
        """What was found, in the reader's language."""
        return say(self.reason_code, self.reason_values) or self.reason_text


class ProfileReport(models.Model):
    """One question to a 2.x station for all profiles that it holds (GetChargingProfiles, K09), and its answer.

    The answer comes in parts, each an event of its own; the report is complete when the part without `tbc` came.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        COMPLETE = "complete", _("complete")
        INCOMPLETE = "incomplete", _("incomplete: not all parts came")
        REFUSED = "refused", _("the station refused the question")
        UNANSWERED = "unanswered", _("no answer")

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="profile_reports")
    command = models.OneToOneField(Command, on_delete=models.CASCADE, related_name="profile_report")
    request_id = models.PositiveIntegerField()
    after_event = models.PositiveBigIntegerField(default=0)  # the last event before the question
    asked_at = models.DateTimeField()
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    read_at = models.DateTimeField(null=True)

    objects = StationPartQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("list of profiles")
        verbose_name_plural = _("lists of profiles")
        constraints = [
            models.UniqueConstraint(name="profile_report_request_once", fields=["station", "request_id"])
        ]
        indexes = [models.Index(name="profile_report_station", fields=["station", "-id"])]

    def __str__(self) -> str:
        return f"{self.station_id} {self.asked_at:%Y-%m-%d %H:%M:%S}: {self.state}"


class ReportedProfile(models.Model):
    """One profile that a station said it holds, as it came."""

    report = models.ForeignKey(ProfileReport, on_delete=models.CASCADE, related_name="profiles")
    evse_number = models.PositiveIntegerField()
    source = models.CharField(max_length=20)  # ChargingLimitSource: CSO, EMS, SO, Other; 2.1: any text
    profile_id = models.BigIntegerField(null=True)
    profile = models.JSONField()  # as on the wire

    class Meta:
        ordering = ["evse_number", "profile_id"]
        verbose_name = _("profile as the station lists it")
        verbose_name_plural = _("profiles as the station lists them")
        constraints = [
            # A part that is sent twice (rule 5) adds nothing.
            models.UniqueConstraint(
                name="reported_profile_once", fields=["report", "evse_number", "source", "profile_id"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.report_id}/{self.evse_number}: {self.profile_id} of {self.source}"


class ExternalLimitQuerySet(StationPartQuerySet):
    def in_force(self) -> ExternalLimitQuerySet:
        return self.filter(cleared_at__isnull=True)


class ExternalLimit(models.Model):
    """A limit that somebody else set on a station, as the station told (NotifyChargingLimit, K11 and K12)."""

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="external_limits")
    evse_number = models.PositiveIntegerField(_("EVSE"), help_text=_("0 is the whole station."))
    source = models.CharField(_("source"), max_length=20)
    is_grid_critical = models.BooleanField(_("critical for the grid"), null=True)
    # 2.1: no limit but power made on the spot, which comes on top (K27).
    is_local_generation = models.BooleanField(_("local generation"), default=False)
    schedules = models.JSONField(
        default=list
    )  # chargingSchedule as on the wire; empty: it did not say how low
    is_whole = models.BooleanField(default=True)  # all schedules were kept
    since = models.DateTimeField(_("since"))
    cleared_at = models.DateTimeField(_("until"), null=True)
    event_id = models.PositiveBigIntegerField()  # that told it: taken in once

    objects = ExternalLimitQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("limit of others")
        verbose_name_plural = _("limits of others")
        constraints = [
            models.UniqueConstraint(name="external_limit_once", fields=["event_id"]),
            models.UniqueConstraint(
                name="external_limit_one_in_force",
                fields=["station", "evse_number", "source", "is_local_generation"],
                condition=Q(cleared_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.station_id}/{self.evse_number} {self.source} since {self.since:%Y-%m-%d %H:%M:%S}"


class DriftQuerySet(PartyQuerySet):
    operator_lookup = "desired__station__site__operator"
    municipality_lookup = "desired__station__site__concession__municipality"

    def open(self) -> DriftQuerySet:
        return self.filter(ended_at__isnull=True)


class Drift(models.Model):
    """A profile of ours that a station did not have, or not follow, when we looked. Kept after it is repaired."""

    class Occasion(models.TextChoices):
        """After what it was found."""

        REBOOT = "reboot", _("after the station started anew")
        RECONNECT = "reconnect", _("after the station connected again")
        LOOK = "look", _("on a look at what stands there")
        SETTING = "setting", _("when it was set")

    class End(models.TextChoices):
        REPAIRED = "repaired", _("sent again by itself")
        PUT_BACK = "put_back", _("put back by a person")
        BY_ITSELF = "by_itself", _("stood there again without our doing")
        DROPPED = "dropped", _("no longer wanted")

    desired = models.ForeignKey(DesiredProfile, on_delete=models.CASCADE, related_name="drifts")
    found_at = models.DateTimeField(_("found"))
    stood_at = models.DateTimeField(_("last seen to stand"), null=True)
    occasion = models.CharField(_("occasion"), max_length=10, choices=Occasion)
    reason_code = models.CharField(max_length=40)
    reason_values = models.JSONField(default=dict, blank=True)
    put_back_at = models.DateTimeField(null=True)
    put_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    end = models.CharField(_("how it ended"), max_length=10, choices=End, blank=True)

    objects = DriftQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("drift")
        verbose_name_plural = _("drifts")
        constraints = [
            models.UniqueConstraint(
                name="drift_open_once", fields=["desired"], condition=Q(ended_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.desired_id} found {self.found_at:%Y-%m-%d %H:%M:%S}: {self.reason_code}"

    @property
    def reason(self) -> str:
        """What was found, in the reader's language."""
        return say(self.reason_code, self.reason_values)
