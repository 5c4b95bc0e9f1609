"""What a station is set to and can do: values as read, changes asked for, monitors; templates and their roll-outs."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stations.domain.pacing import USUAL, Pace
from stations.models.access import PartyQuerySet
from stations.models.command import Command
from stations.models.party import Operator
from stations.models.site import Station
from stations.models.watched import WatchedQuerySet
from stations.ocpp.device import Place, read_place


class Capabilities(models.Model):
    """What the station said it can do, read after its boot. Null: not said, so not known."""

    station = models.OneToOneField(
        Station, on_delete=models.CASCADE, related_name="capabilities", primary_key=True
    )
    read_at = models.DateTimeField(_("read at"))
    firmware = models.CharField(_("firmware then"), max_length=50, blank=True)
    smart_charging = models.BooleanField(_("smart charging"), null=True)
    max_stack_level = models.PositiveIntegerField(_("highest stack level"), null=True)
    max_periods = models.PositiveIntegerField(_("periods per schedule"), null=True)
    max_profiles = models.PositiveIntegerField(_("profiles installed at most"), null=True)
    rate_units = models.JSONField(_("rate units"), default=list, help_text=_('A list of "A" and "W".'))
    phases = models.PositiveSmallIntegerField(_("phases"), null=True)
    evse_count = models.PositiveSmallIntegerField(_("EVSEs"), null=True)
    measurands = models.JSONField(_("measurands sampled"), default=list)
    measurands_offered = models.JSONField(
        _("measurands on offer"), null=True, help_text=_("What it could be set to sample; 1.6 never says so.")
    )
    feature_profiles = models.JSONField(_("feature profiles"), default=list)
    ac_phase_switching = models.BooleanField(_("chooses the phase of one-phase charging"), null=True)
    # OCPP 2.1 only: an empty list is "none", said so; null is "not said".
    supported_purposes = models.JSONField(_("purposes of profiles beyond those of 2.0.1"), null=True)
    dynamic_profiles = models.BooleanField(_("dynamic profiles"), null=True)
    local_time = models.BooleanField(_("schedules in local time"), null=True)
    operation_modes = models.JSONField(_("operation modes"), null=True)

    class Meta:
        verbose_name = _("capabilities")
        verbose_name_plural = _("capabilities")

    def __str__(self) -> str:
        return f"capabilities of {self.station_id}"


class Attribute(models.TextChoices):
    """AttributeEnumType: which value of a variable. 1.6 has the actual one only."""

    ACTUAL = "Actual", _("actual")
    TARGET = "Target", _("target")
    MIN_SET = "MinSet", _("lowest to set")
    MAX_SET = "MaxSet", _("highest to set")


class Placed(models.Model):
    """A row about one place in a device model: as text to find and show it, and in parts to name it on the wire."""

    component = models.CharField(
        max_length=150, blank=True, help_text=_("2.x: component, with instance and EVSE")
    )
    name = models.CharField(max_length=150)
    component_name = models.CharField(max_length=50, blank=True)
    component_instance = models.CharField(max_length=50, blank=True)
    evse_number = models.PositiveIntegerField(null=True, blank=True)
    connector_number = models.PositiveIntegerField(null=True, blank=True)
    variable_name = models.CharField(max_length=50, blank=True)
    variable_instance = models.CharField(max_length=50, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.component}.{self.name}" if self.component else self.name

    @property
    def place(self) -> Place:
        """Where it stands; a row of before the parts were kept is read from its text."""
        if self.variable_name:
            return Place(
                variable=self.variable_name,
                component=self.component_name,
                variable_instance=self.variable_instance,
                component_instance=self.component_instance,
                evse=self.evse_number,
                connector=self.connector_number,
            )
        return read_place(self.component, self.name) or Place(self.name, self.component)

    @staticmethod
    def columns(place: Place) -> dict[str, Any]:
        """The columns that say `place`."""
        return {
            "component": place.component_text,
            "name": place.name_text,
            "component_name": place.component,
            "component_instance": place.component_instance,
            "evse_number": place.evse,
            "connector_number": place.connector,
            "variable_name": place.variable,
            "variable_instance": place.variable_instance,
        }


class ConfigurationValue(Placed):
    """One key (1.6) or attribute of a variable (2.x) as read. Secrets are masked before they come here."""

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="configuration")
    attribute = models.CharField(max_length=6, choices=Attribute, default=Attribute.ACTUAL)
    value = models.TextField(blank=True)
    readonly = models.BooleanField(null=True)
    mutability = models.CharField(max_length=9, blank=True)  # ReadOnly, WriteOnly, ReadWrite; empty: not said
    data_type = models.CharField(max_length=20, blank=True)  # DataEnumType of 2.x
    unit = models.CharField(max_length=16, blank=True)
    min_limit = models.FloatField(null=True)
    max_limit = models.FloatField(null=True)
    choices = models.TextField(blank=True)  # valuesList, as sent
    persistent = models.BooleanField(null=True)
    constant = models.BooleanField(null=True)
    supports_monitoring = models.BooleanField(null=True)
    is_unknown = models.BooleanField(default=False)  # the station said that it does not have this
    # A characteristic that capabilities reads as a value of its own (`Entries[ChargingProfiles].maxLimit`).
    is_derived = models.BooleanField(default=False)
    reboot_asked_at = models.DateTimeField(
        null=True, blank=True
    )  # it was set, and counts from the next boot on
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["component", "name", "attribute"]
        constraints = [
            models.UniqueConstraint(
                name="configuration_once", fields=["station", "component", "name", "attribute"]
            )
        ]

    @property
    def is_writable(self) -> bool | None:
        """None: not said."""
        if self.mutability:
            return self.mutability != "ReadOnly"
        return None if self.readonly is None else not self.readonly


class DeviceReading(models.Model):
    """A question for all values or all monitors, and the parts of the answer that came."""

    class Kind(models.TextChoices):
        VALUES = "values", _("values")
        MONITORS = "monitors", _("monitors")

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        COMING = "coming", _("coming in")
        COMPLETE = "complete", _("complete")
        FAILED = "failed", _("failed")

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="device_readings")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.VALUES)
    command = models.ForeignKey(Command, on_delete=models.SET_NULL, null=True, related_name="+")
    request_id = models.BigIntegerField(null=True)  # null: 1.6, whose answer is the report
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    parts = models.JSONField(default=list)  # the seqNos that came: a repeat counts once
    last_part = models.PositiveIntegerField(null=True)
    values_read = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(name="device_reading_station", fields=["station", "kind", "-id"])]

    def __str__(self) -> str:
        return f"{self.kind} of {self.station_id}: {self.state}"


class VariableMonitor(Placed):
    """What a 2.x station watches: a threshold, a change or an interval, with how bad it is (0 to 9, 0 the worst)."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        SET = "set", _("set")
        REFUSED = "refused", _("refused")
        CLEARING = "clearing", _("being removed")

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="monitors")
    number = models.BigIntegerField(null=True)  # the station's id; null while it was not given one
    kind = models.CharField(max_length=20)  # MonitorEnumType
    value = models.FloatField()
    severity = models.PositiveSmallIntegerField()
    only_in_transactions = models.BooleanField(default=False)
    made_by = models.CharField(max_length=21, blank=True)  # EventNotificationEnumType; 2.1 says it
    state = models.CharField(max_length=8, choices=State, default=State.SET)
    reason = models.CharField(max_length=600, blank=True)
    command = models.ForeignKey(Command, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    read_at = models.DateTimeField()

    objects = WatchedQuerySet.as_manager()

    class Meta:
        ordering = ["severity", "component", "name"]
        constraints = [
            models.UniqueConstraint(
                name="monitor_once", fields=["station", "number"], condition=Q(number__isnull=False)
            )
        ]


class OperatorQuerySet(PartyQuerySet):
    operator_lookup = "operator"
    municipality_lookup = ""


class ConfigurationTemplate(models.Model):
    """How an operator wants its stations of 1.6, or of 2.x, to be set."""

    class Family(models.TextChoices):
        V16 = "1.6", "OCPP 1.6"
        V2 = "2.x", "OCPP 2.0.1, 2.1"

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="configuration_templates")
    name = models.CharField(_("name"), max_length=100)
    family = models.CharField(_("for"), max_length=3, choices=Family)
    changed_at = models.DateTimeField()

    objects = OperatorQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        verbose_name = _("configuration template")
        verbose_name_plural = _("configuration templates")
        constraints = [models.UniqueConstraint(name="template_name_once", fields=["operator", "name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def versions(self) -> tuple[str, ...]:
        return ("1.6",) if self.family == self.Family.V16 else ("2.0.1", "2.1")


class TemplateEntry(Placed):
    """One value of a template; a secret stands sealed, and masked in `value`."""

    template = models.ForeignKey(ConfigurationTemplate, on_delete=models.CASCADE, related_name="entries")
    attribute = models.CharField(max_length=6, choices=Attribute, default=Attribute.ACTUAL)
    value = models.TextField(blank=True)
    sealed_value = models.TextField(blank=True)

    objects = WatchedQuerySet.as_manager()

    class Meta:
        ordering = ["component", "name", "attribute"]
        constraints = [
            models.UniqueConstraint(
                name="template_entry_once", fields=["template", "component", "name", "attribute"]
            )
        ]


class ConfigurationRollout(models.Model):
    """A template on its way to many stations."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        STOPPED = "stopped", _("stopped by itself")

    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="configuration_rollouts")
    template = models.ForeignKey(
        ConfigurationTemplate, on_delete=models.SET_NULL, null=True, related_name="rollouts"
    )
    template_name = models.CharField(max_length=100)
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    requested_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # stations.domain.pacing
    first_stations = models.PositiveSmallIntegerField(default=USUAL.first)
    at_once = models.PositiveSmallIntegerField(default=USUAL.at_once)
    stop_percent = models.PositiveSmallIntegerField(default=USUAL.stop_percent)
    stopped_for = models.CharField(max_length=8, blank=True)  # Halt

    objects = OperatorQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("roll-out")
        verbose_name_plural = _("roll-outs")

    def __str__(self) -> str:
        return f"{self.template_name} {self.pk}"

    @property
    def pace(self) -> Pace:
        return Pace(self.first_stations, self.at_once, self.stop_percent)

    @property
    def is_outdated(self) -> bool:
        """Whether the template is another by now: who was not asked yet would get other values than the rest."""
        return self.template is None or self.template.changed_at > self.requested_at


class RolloutStation(models.Model):
    """One station of a roll-out: what is still to be done there, or how it ended."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ASKED = "asked", _("asked")
        DONE = "done", _("done")
        SAME = "same", _("nothing to change")
        FAILED = "failed", _("not all done")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.WAITING, State.ASKED)

    rollout = models.ForeignKey(ConfigurationRollout, on_delete=models.CASCADE, related_name="stations")
    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="rollouts")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["station__identity"]
        constraints = [models.UniqueConstraint(name="rollout_station_once", fields=["rollout", "station"])]
        indexes = [
            models.Index(
                name="rollout_station_open", fields=["rollout"], condition=Q(state__in=["waiting", "asked"])
            )
        ]

    def __str__(self) -> str:
        return f"{self.rollout_id}/{self.station_id}: {self.state}"


class ConfigurationChange(Placed):
    """One value that someone wants at one station, and what the station made of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ASKED = "asked", _("asked")
        ACCEPTED = "accepted", _("accepted")
        REBOOT = "reboot", _("accepted, counts after a restart")
        SAME = "same", _("was so already")
        READ_ONLY = "read_only", _("cannot be changed there")
        REJECTED = "rejected", _("rejected")
        MISSING = "missing", _("the station does not have it")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("no answer: unknown")
        EXPIRED = "expired", _("not sent in time")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.WAITING, State.ASKED)
    GOOD = (State.ACCEPTED, State.REBOOT, State.SAME)
    # What another try may mend; the station's own "no" is among it, for people change stations.
    RETRIABLE = (
        State.REJECTED,
        State.MISSING,
        State.FAILED,
        State.UNKNOWN,
        State.EXPIRED,
        State.CANCELLED,
    )

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="configuration_changes")
    run = models.ForeignKey(RolloutStation, on_delete=models.CASCADE, null=True, related_name="changes")
    attribute = models.CharField(max_length=6, choices=Attribute, default=Attribute.ACTUAL)
    before = models.TextField(blank=True)
    value = models.TextField(blank=True)
    sealed_value = models.TextField(blank=True)  # of a secret, until the station has it
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=600, blank=True)
    command = models.ForeignKey(Command, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    requested_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager[Any]] = WatchedQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(name="change_station", fields=["station", "-id"]),
            models.Index(name="change_open", fields=["command"], condition=Q(state__in=["waiting", "asked"])),
        ]
