"""What narrows the charging objects: search, operator, what was proven, and whether energy can go back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.compliance.judgement import MET
from portal.compliance.models import ConcessionRequirement, Judgement, Requirement, Status
from portal.pages.official.badges import EXCUSED, MEETS, SAID, UNKNOWN
from stations.models import Concession, Operator

if TYPE_CHECKING:
    from portal.accounts.models import User

TABLE, MAP = "", "map"
VIEWS = [(TABLE, gettext_lazy("table")), (MAP, gettext_lazy("map"))]
ALL = ("", gettext_lazy("all"))
YES, NO = "yes", "no"
V2X = [ALL, (YES, gettext_lazy("yes")), (NO, gettext_lazy("no, or not known"))]
PROOFS = [
    ALL,
    ("valid", gettext_lazy("valid")),
    ("old", gettext_lazy("too old")),
    ("none", gettext_lazy("no proof yet")),
]
# A station that says it has these modes and no other cannot give energy back.
ONE_WAY: tuple[list[str], ...] = (
    [],
    ["ChargingOnly"],
    ["Idle"],
    ["ChargingOnly", "Idle"],
    ["Idle", "ChargingOnly"],
)
# Proven only where energy was seen to flow back.
SEEN_IN = ("210", "211")


class ObjectFilter(forms.Form):
    """A choice that is none narrows nothing; `narrow` first, then the fields can be read."""

    q = forms.CharField(
        required=False, max_length=100, label=gettext_lazy("Place, postcode, street or object")
    )
    operator = forms.ModelChoiceField(
        required=False,
        queryset=Operator.objects.none(),
        to_field_name="slug",
        label=gettext_lazy("Operator"),
        empty_label=gettext_lazy("all"),
    )
    requirement = forms.ChoiceField(required=False, label=gettext_lazy("Requirement"))
    standing = forms.ChoiceField(
        required=False, label=gettext_lazy("Is it met?"), choices=[ALL, *SAID.items()]
    )
    v2x = forms.ChoiceField(required=False, label=gettext_lazy("Can give energy back"), choices=V2X)
    proof = forms.ChoiceField(required=False, label=gettext_lazy("Proof"), choices=PROOFS)
    view = forms.ChoiceField(required=False, label=gettext_lazy("Shown as"), choices=VIEWS)

    def __init__(self, data: Any, *, user: User, now: datetime) -> None:
        super().__init__(data)
        self._now = now
        fields: Any = self.fields
        concessions = Concession.objects.supervised_by(user)
        fields["operator"].queryset = Operator.objects.supervised_by(user).order_by("name")
        asked = Requirement.objects.filter(
            subject=Requirement.Subject.STATION, uses__concession__in=concessions.order_by().values("pk")
        ).distinct()
        rows = asked.order_by("code").values_list("code", "title")
        fields["requirement"].choices = [("", _("any")), *((code, f"{code} {title}") for code, title in rows)]

    def narrow(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        self.is_valid()
        chosen = self.cleaned_data
        if text := chosen.get("q"):
            rows = rows.filter(
                Q(identity__icontains=text)
                | Q(name__icontains=text)
                | Q(site__name__icontains=text)
                | Q(site__address__icontains=text)
            )
        if operator := chosen.get("operator"):
            rows = rows.filter(site__operator=operator)
        rows = self._by_proof(self._by_v2x(rows, chosen.get("v2x")), chosen.get("proof"))
        return self._by_standing(rows, chosen.get("requirement", ""), chosen.get("standing", ""))

    def _by_v2x(self, rows: QuerySet[Any], wanted: str | None) -> QuerySet[Any]:
        if not wanted:
            return rows
        says = Q(capabilities__operation_modes__isnull=False)
        for modes in ONE_WAY:
            says &= ~Q(capabilities__operation_modes=modes)
        seen = Judgement.objects.filter(
            station=OuterRef("pk"), requirement__code__in=SEEN_IN, status=Status.PROVEN
        )
        able = rows.filter(says | Exists(seen))
        # Not known is null, which is neither: so those that are able are taken away by key.
        return able if wanted == YES else rows.exclude(pk__in=able.order_by().values("pk"))

    def _by_proof(self, rows: QuerySet[Any], wanted: str | None) -> QuerySet[Any]:
        since = self._now - timedelta(days=settings.EVIDENCE_VALID_DAYS)
        match wanted:
            case "none":
                return rows.filter(proven_at=None)
            case "valid":
                return rows.filter(proven_at__gt=since)
            case "old":
                return rows.filter(proven_at__lte=since)
        return rows

    def _by_standing(self, rows: QuerySet[Any], code: str, standing: str) -> QuerySet[Any]:
        """Of one requirement; not met also of any. What nobody wrote down of what is asked now is not known."""
        judged = Judgement.objects.filter(station__isnull=False).as_they_count(self._now)
        if code:
            asked = ConcessionRequirement.objects.filter(requirement__code=code)
            if standing == UNKNOWN:
                asked = asked.filter(
                    Q(requirement__horizon=Requirement.Horizon.EXISTING) | Q(applies_now=True)
                )
            rows = rows.filter(site__concession__in=asked.order_by().values("concession"))
            judged = judged.filter(requirement__code=code)
        match standing:
            case "met":
                return rows.filter(pk__in=judged.filter(counts_as__in=MET).values("station"))
            case "not":
                return rows.filter(
                    pk__in=judged.with_owed().filter(counts_as=Status.DEVIATION, owed=True).values("station")
                )
            case "unknown":
                known = judged.filter(counts_as__in=[*MET, Status.DEVIATION, *EXCUSED])
                return rows.exclude(pk__in=known.values("station"))
        return rows

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        if chosen.get("standing") in {MEETS, UNKNOWN} and not chosen.get("requirement"):
            self.add_error("requirement", _("Choose the requirement that is meant."))
            chosen.pop("standing")
        return chosen
