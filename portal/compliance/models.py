"""Requirements, evidence, and what people decided about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Exists, ExpressionWrapper, F, OuterRef, Q, Value, When
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from portal.compliance import usage_model  # noqa: F401 - its model is of this app
from stations.models import Concession, Operator, Station
from stations.models.access import PartyQuerySet
from stations.models.watched import WatchedQuerySet


class Status(models.TextChoices):
    """The ladder of specs: what is known of a requirement for one subject."""

    NOT_ASSESSED = "not_assessed", _("Not assessed")
    DECLARED = "declared", _("Declared")
    SUBSTANTIATED = "substantiated", _("Substantiated")
    PROVEN = "proven", _("Proven")
    DEVIATION = "deviation", _("Deviation")
    RESTORED = "restored", _("Restored")
    STALE = "stale", _("Stale")
    NOT_APPLICABLE = "not_applicable", _("Not applicable")
    FUTURE = "future", _("Future")
    WAIVED = "waived", _("Waived")


# A proof that grows old is stale; a decision for one of the others stands until the next, whatever evidence says.
FADING = frozenset({Status.PROVEN, Status.RESTORED})
STANDING_DECISIONS = frozenset({Status.NOT_APPLICABLE, Status.WAIVED})


class RequirementSet(models.Model):
    """A set of requirements as imported from one file: more than one version may be in use."""

    name = models.CharField(_("name"), max_length=100)
    version = models.CharField(_("version"), max_length=20)
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()

    class Meta:
        verbose_name = _("requirement set")
        verbose_name_plural = _("requirement sets")
        constraints = [models.UniqueConstraint(name="requirement_set_once", fields=["name", "version"])]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Requirement(models.Model):
    """One row of a set; its texts are Dutch, verbatim."""

    class Obligation(models.TextChoices):
        EIS = "eis", _("Requirement")
        WENS = "wens", _("Wish")

    class Horizon(models.TextChoices):
        EXISTING = "existing", _("Existing")
        FUTURE = "future", _("Future")

    class Subject(models.TextChoices):
        STATION = "station", _("station")
        OPERATOR = "operator", _("operator")

    requirement_set = models.ForeignKey(RequirementSet, on_delete=models.CASCADE, related_name="requirements")
    code = models.CharField(_("number"), max_length=20)
    category = models.CharField(_("category"), max_length=100)
    title = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    obligation = models.CharField(_("type"), max_length=4, choices=Obligation)
    horizon = models.CharField(_("horizon"), max_length=8, choices=Horizon)
    subject = models.CharField(_("judged on"), max_length=8, choices=Subject)

    class Meta:
        ordering = ["requirement_set", "code"]
        verbose_name = _("requirement")
        verbose_name_plural = _("requirements")
        constraints = [models.UniqueConstraint(name="requirement_once", fields=["requirement_set", "code"])]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class ConcessionRequirement(models.Model):
    """A requirement as it counts in one concession, with the municipality's own priority and comment."""

    concession = models.ForeignKey(Concession, on_delete=models.CASCADE, related_name="requirements")
    requirement = models.ForeignKey(Requirement, on_delete=models.PROTECT, related_name="uses")
    priority = models.PositiveSmallIntegerField(_("priority"), null=True, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    applies_now = models.BooleanField(
        _("applies now"),
        default=False,
        help_text=_("A requirement for the future that this concession asks for already."),
    )

    objects = WatchedQuerySet.as_manager()

    class Meta:
        ordering = ["concession", "requirement__code"]
        constraints = [
            models.UniqueConstraint(name="concession_requirement_once", fields=["concession", "requirement"])
        ]

    def __str__(self) -> str:
        return f"{self.concession}: {self.requirement}"


class Promise(models.Model):
    """A wish that an operator promised for a concession: not meeting it is a breach."""

    asked = models.ForeignKey(ConcessionRequirement, on_delete=models.CASCADE, related_name="promises")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="promises")

    objects = WatchedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="promise_once", fields=["asked", "operator"])]

    def __str__(self) -> str:
        return f"{self.operator}: {self.asked}"


class Evidence(models.Model):
    """One judgement and all it rests on. Append-only, and chained by SHA-256 within its concession.

    portal.compliance.evidence alone writes it, from frames that came through a socket. It never holds a token.
    """

    class Method(models.TextChoices):
        DECLARATION = "declaration", _("declaration")
        CONFIGURATION = "configuration", _("configuration")
        OBSERVATION = "observation", _("observation")
        PROBE = "probe", _("probe")

    class Verdict(models.TextChoices):
        PROVEN = "proven", _("Proven")
        DEVIATION = "deviation", _("Deviation")
        SUBSTANTIATED = "substantiated", _("Substantiated")
        DECLARED = "declared", _("Declared")
        UNDECIDED = "undecided", _("Undecided")

    concession = models.ForeignKey(Concession, on_delete=models.PROTECT, related_name="evidence")
    sequence = models.PositiveIntegerField(help_text=_("Place in the chain of the concession"))
    requirement = models.ForeignKey(Requirement, on_delete=models.PROTECT, related_name="evidence")
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="evidence")
    station = models.ForeignKey(Station, null=True, on_delete=models.PROTECT, related_name="evidence")
    method = models.CharField(max_length=13, choices=Method)
    verdict = models.CharField(max_length=13, choices=Verdict)
    reason = models.TextField(
        help_text=_("The finding in one sentence, in English; pages say it in the reader's language")
    )
    # A list of objects with name, value (number or text), unit, rule, holds (true, false or null).
    figures = models.JSONField()
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    # Steps as the check saw them: [{"name", "holds", "expected": [...], "reported": [...], "message_id"}, ...]
    steps = models.JSONField(default=list)
    # [{"at", "direction", "action", "message_id", "text"}, ...], in the order of the socket
    frames = models.JSONField()
    firmware = models.CharField(max_length=50, blank=True)
    configuration = models.JSONField(default=dict)
    engine = models.CharField(max_length=50, help_text=_("Name and version of the check"))
    created_at = models.DateTimeField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = PartyQuerySet.as_manager()

    class Meta:
        ordering = ["concession", "-sequence"]
        verbose_name = _("evidence")
        verbose_name_plural = _("evidence")
        constraints = [
            models.UniqueConstraint(name="evidence_sequence_once", fields=["concession", "sequence"]),
            # Two links on one predecessor would be a fork of the chain.
            models.UniqueConstraint(name="evidence_chain_no_fork", fields=["concession", "previous_hash"]),
        ]
        indexes = [models.Index(name="evidence_subject", fields=["requirement", "station", "-id"])]

    def __str__(self) -> str:
        return f"{self.requirement.code} {self.station or self.operator}: {self.verdict}"


def counted_as(now: datetime | Combinable, of: str = "") -> Case:
    """What portal.compliance.judgement.effective says of a judgement, said by the database.

    `of`: the way to it from other rows, as in "judgement__"; null where there is none.
    """
    ruled_to, holds = f"{of}last_decision__to_status", _decision_holds(of)
    is_old = Q(**{f"{of}at__lte": now - timedelta(days=settings.EVIDENCE_VALID_DAYS)})
    stale = Value(Status.STALE)
    return Case(
        When(**{f"{ruled_to}__in": STANDING_DECISIONS}, then=F(ruled_to)),
        When(holds & is_old & Q(**{f"{ruled_to}__in": FADING}), then=stale),
        When(holds, then=F(ruled_to)),
        When(is_old & Q(**{f"{of}status__in": FADING}), then=stale),
        default=F(f"{of}status"),
    )


def _decision_holds(of: str = "") -> Q:
    """The last decision is about what is proposed now."""
    decided_on, evidence = f"{of}last_decision__evidence", f"{of}evidence"
    on_this = Q(**{decided_on: F(evidence)}) | Q(**{decided_on: None, evidence: None})
    return on_this & Q(**{f"{of}last_decision__from_status": F(f"{of}status")})


class JudgementQuerySet(PartyQuerySet):
    def as_they_count(self, now: datetime) -> Self:
        """With `counts_as`: the status that counts.

        `ruled_to` and `restore_by` are of the last decision where that is about what is proposed now, else null.
        """
        holds = _decision_holds()
        return self.annotate(
            counts_as=counted_as(now),
            ruled_to=Case(When(holds, then=F("last_decision__to_status")), default=None),
            restore_by=Case(When(holds, then=F("last_decision__restore_by")), default=None),
        )

    def with_owed(self) -> Self:
        """With `owed`: whether the operator must meet it, because it is required or was promised."""
        promised = Promise.objects.filter(
            asked__concession=OuterRef("concession"),
            asked__requirement=OuterRef("requirement"),
            operator=OuterRef("operator"),
        )
        required = Q(requirement__obligation=Requirement.Obligation.EIS)
        return self.annotate(
            owed=ExpressionWrapper(required | Exists(promised), output_field=models.BooleanField())
        )


WATCHED = Q(status__in=(Status.DEVIATION, Status.DECLARED, Status.RESTORED)) | Q(last_decision__isnull=False)


class Judgement(models.Model):
    """The status that the engine proposes now for one requirement and subject; derived from evidence, replaceable."""

    concession = models.ForeignKey(Concession, on_delete=models.CASCADE, related_name="judgements")
    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="judgements")
    operator = models.ForeignKey(Operator, on_delete=models.CASCADE, related_name="judgements")
    station = models.ForeignKey(Station, null=True, on_delete=models.CASCADE, related_name="judgements")
    status = models.CharField(max_length=14, choices=Status, default=Status.NOT_ASSESSED)
    evidence = models.ForeignKey(Evidence, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(null=True)
    # Which of its decisions is the last: asked of thousands of rows at once. A decision moves it when it is saved.
    last_decision = models.ForeignKey(
        "Decision", null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    objects = JudgementQuerySet.as_manager()

    class Meta:
        verbose_name = _("judgement")
        verbose_name_plural = _("judgements")
        indexes = [
            models.Index(name="judgement_status", fields=["concession", "status"]),
            # The few of thousands that may ask somebody something.
            models.Index(name="judgement_watched", fields=["status"], condition=WATCHED),
        ]
        constraints = [
            models.UniqueConstraint(
                name="station_judgement_once",
                fields=["concession", "requirement", "station"],
                condition=Q(station__isnull=False),
            ),
            models.UniqueConstraint(
                name="operator_judgement_once",
                fields=["concession", "requirement", "operator"],
                condition=Q(station__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requirement_id} {self.station_id or self.operator_id}: {self.status}"


class Decision(models.Model):
    """What an official decided on a proposal. Append-only: who, when, from, to, why."""

    judgement = models.ForeignKey(Judgement, on_delete=models.PROTECT, related_name="decisions")
    evidence = models.ForeignKey(Evidence, null=True, on_delete=models.PROTECT, related_name="decisions")
    from_status = models.CharField(max_length=14, choices=Status)
    to_status = models.CharField(max_length=14, choices=Status)
    reason = models.TextField(_("reason"))
    restore_by = models.DateField(_("restored before"), null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    decided_at = models.DateTimeField()

    objects = WatchedQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")

    def __str__(self) -> str:
        return f"{self.judgement_id}: {self.from_status} -> {self.to_status}"

    def save(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            super().save(*args, **options)
            # Of two at once the later stays, whichever comes here first.
            is_later = Q(last_decision=None) | Q(last_decision__lt=self.pk)
            Judgement.objects.filter(is_later, pk=self.judgement_id).update(last_decision=self)
        self.judgement.last_decision = self


class ProbeQuerySet(PartyQuerySet):
    operator_lookup = "station__site__operator"
    municipality_lookup = "station__site__concession__municipality"


class Probe(models.Model):
    """A check that asks a station on purpose. The row carries what is needed to restore the station after a crash."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        RESTORING = "restoring", _("restoring the station")
        DONE = "done", _("done")
        NOT_RUN = "not_run", _("not run")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (State.QUEUED, State.RUNNING, State.RESTORING)

    station = models.ForeignKey(Station, on_delete=models.CASCADE, related_name="probes")
    requirement = models.ForeignKey(Requirement, on_delete=models.CASCADE, related_name="probes")
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    # [{"at", "name", "text", "holds": true | false | null}, ...]: what a person watches
    steps = models.JSONField(default=list)
    # What stood before, and the ids that the probe may have left: enough to restore without any memory.
    before = models.JSONField(default=dict)
    restored = models.BooleanField(
        null=True, help_text=_("Read back after the probe equals what was read before it")
    )
    verdict = models.CharField(max_length=13, choices=Evidence.Verdict, blank=True)
    reason = models.TextField(blank=True)
    evidence = models.ForeignKey(Evidence, null=True, on_delete=models.SET_NULL, related_name="probes")

    objects = ProbeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("probe")
        verbose_name_plural = _("probes")
        constraints = [
            models.UniqueConstraint(
                name="probe_one_per_station",
                fields=["station"],
                condition=Q(state__in=["queued", "running", "restoring"]),
            )
        ]

    def __str__(self) -> str:
        return f"probe {self.pk}: {self.requirement.code} on {self.station}"


class Watermark(models.Model):
    """How far a round of the caretaker has looked, by key of the rows it looks at.

    `before` is where the round before began: keys are given out before their rows are committed, so each round looks
    at what came during the last two.
    """

    name = models.CharField(max_length=50, primary_key=True)
    before = models.BigIntegerField()
    until = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.name}: {self.until}"
