"""Master data at /beheer/, each party within its own: one base class decides who sees and who changes what."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db import models
from django.db.models.query import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from stations.domain.tariff_terms import BadTariff
from stations.forms import NewTokenForm, TariffForm, TokenForm
from stations.models import (
    Concession,
    Evse,
    Membership,
    Municipality,
    Operator,
    Site,
    Station,
    Tariff,
    Token,
    TokenGroup,
)
from stations.models.access import PartyQuerySet, Role, memberships_of, parties_of
from stations.services import expect_evses, rotate_secret
from stations.tariff_words import sentences

if TYPE_CHECKING:  # generic in the stubs only
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin, TabularInline = admin.ModelAdmin, admin.TabularInline

# Django's hundred take longer to show than any other page.
ROWS_A_PAGE = 50


def _roles_of(request: HttpRequest) -> frozenset[str]:
    return frozenset(membership.role for membership in memberships_of(request.user))


def _known_of(request: HttpRequest) -> dict[Any, bool]:
    """What was asked already of rows: the frame of a form asks the same of its row for each button and inline."""
    known: dict[Any, bool] | None = getattr(request, "party_rows", None)
    if known is None:
        known = {}
        request.party_rows = known  # type: ignore[attr-defined]
    return known


def _holds(
    request: HttpRequest, within: Callable[[Any], PartyQuerySet], obj: models.Model, what: str
) -> bool:
    """Whether `obj` is among the rows that are the visitor's, asked once for a page."""
    known, key = _known_of(request), (what, type(obj), obj.pk)
    if key not in known:
        known[key] = within(request.user).filter(pk=obj.pk).exists()
    return known[key]


class OperatorsOwn(PartyQuerySet):
    """Rows that only their operator sees."""

    municipality_lookup = ""


class PartyAdmin(ModelAdmin):
    """Rows within the user's parties: who sees one may read it, who administers its operator may change it.

    `superuser_only`: changing (not reading) is for superusers, for what parties agree on with one another.
    """

    superuser_only = False
    # To count all rows beside those found tells nobody anything.
    show_full_result_count = False
    list_per_page = ROWS_A_PAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self._rows().visible_to(request.user)

    def _rows(self) -> PartyQuerySet:
        rows = self.model.objects.all()
        return rows if isinstance(rows, PartyQuerySet) else OperatorsOwn(self.model)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._has_party(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        if obj is None:
            return self._has_party(request)
        return _holds(request, self._rows().visible_to, obj, "seen")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may_change(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may_change(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self._may_change(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        """Only what the user administers can be chosen: nobody gives a row to another party."""
        related = db_field.related_model.objects.all()
        if isinstance(related, PartyQuerySet):
            options["queryset"] = related.administered_by(request.user)
        elif not request.user.is_superuser:
            options["queryset"] = related.none()
        return super().formfield_for_foreignkey(db_field, request, **options)

    def _has_party(self, request: HttpRequest) -> bool:
        user: Any = request.user
        return bool(user.is_active and (user.is_superuser or _roles_of(request)))

    def _may_change(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        user: Any = request.user
        if not user.is_active or user.is_superuser:
            return bool(user.is_active)
        if self.superuser_only:
            return False
        if obj is None:
            return not _roles_of(request).isdisjoint((Role.ADMINISTRATOR,))
        return _holds(request, self._rows().administered_by, obj, "administered")


class SuperuserInline(TabularInline):
    """Read by whoever reads the row it is on, changed by superusers."""

    extra = 0
    # Of people there are as many as drivers: to be looked up, not to be scrolled through.
    autocomplete_fields = ["user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).select_related("user", "operator", "municipality")
        return rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request)


class OfficialInline(SuperuserInline):
    model = Membership
    fields = ["user", "role"]
    verbose_name = _("official")
    verbose_name_plural = _("officials")


class StaffInline(SuperuserInline):
    model = Membership
    fields = ["user", "role"]
    verbose_name = _("member of staff")
    verbose_name_plural = _("staff")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        """A municipality reads who its operators are, not who works there."""
        rows: QuerySet[Membership] = super().get_queryset(request)
        if getattr(request.user, "is_superuser", False):
            return rows
        mine = parties_of(request.user, roles=tuple(Role), party="operator")
        return rows.filter(operator__in=mine)


@admin.register(Municipality)
class MunicipalityAdmin(PartyAdmin):
    superuser_only = True
    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """An operator reads the name of its municipality, not who works there."""
        user: Any = request.user
        if (
            obj is None
            or user.is_superuser
            or obj.pk in parties_of(user, roles=tuple(Role), party="municipality")
        ):
            return [OfficialInline]
        return []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return self.prepopulated_fields if obj is None else {}


@admin.register(Operator)
class OperatorAdmin(PartyAdmin):
    superuser_only = True
    list_display = ["name", "slug"]
    inlines = [StaffInline]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {"slug": ["name"]} if obj is None else {}


@admin.register(Concession)
class ConcessionAdmin(PartyAdmin):
    superuser_only = True
    list_display = ["name", "municipality", "starts_on", "ends_on", "officials_may_probe"]
    filter_horizontal = ["operators"]


@admin.register(Site)
class SiteAdmin(PartyAdmin):
    list_display = ["name", "operator", "concession", "address"]
    list_filter = [("operator", RelatedOnlyFieldListFilter), ("concession", RelatedOnlyFieldListFilter)]
    search_fields = ["name", "address"]
    list_select_related = ["operator", "concession"]


class EvseInline(TabularInline):
    """As much as the station itself may be changed, its EVSEs may be."""

    model = Evse
    extra = 0
    fields = ["number", "socket_phases", "socket_a"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        stations: Any = admin.site.get_model_admin(Station)
        return bool(stations.has_change_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_add_permission(request, obj)


@admin.register(Station)
class StationAdmin(PartyAdmin):
    """The secret is in no form: it is made here and shown once."""

    list_display = ["identity", "name", "site", "ocpp_version", "status", "firmware"]
    list_filter = [("site__operator", RelatedOnlyFieldListFilter), "ocpp_version"]
    list_select_related = ["site"]
    search_fields = ["identity", "name"]
    autocomplete_fields = ["site"]
    fieldsets = [
        (None, {"fields": ["site", "identity", "name", "ocpp_version"]}),
        (_("Grid connection"), {"fields": ["connection_phases", "connection_a"]}),
        (_("Prices"), {"fields": ["tariff"]}),
        (
            _("As the station said"),
            {"fields": ["vendor", "model", "serial_number", "firmware", "booted_at", "status"]},
        ),
    ]
    readonly_fields = ["vendor", "model", "serial_number", "firmware", "booted_at", "status"]
    inlines = [EvseInline]
    actions = ["rotate_secrets"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The identity is the station's address: another one would be another station."""
        return [*self.readonly_fields, "identity"] if obj else list(self.readonly_fields)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001  # Django's
        super().save_related(request, form, formsets, change)
        if not change:
            expect_evses(station=form.instance)
            self._show(request, form.instance, rotate_secret(station=form.instance))

    @admin.action(description=_("Give a new password"), permissions=["change"])
    def rotate_secrets(self, request: HttpRequest, queryset: QuerySet[Station]) -> None:
        mine = Station.objects.administered_by(request.user)
        for station in mine.filter(pk__in=queryset.values("pk")):
            secret = rotate_secret(station=station)
            self.log_change(request, station, str(_("Gave a new password.")))
            self._show(request, station, secret)

    def _show(self, request: HttpRequest, station: Station, secret: str) -> None:
        text = _("Password of %(station)s, shown only now: %(password)s")
        self.message_user(request, text % {"station": station, "password": secret}, messages.WARNING)


@admin.register(TokenGroup)
class TokenGroupAdmin(PartyAdmin):
    list_display = ["name", "operator", "group_id"]
    list_filter = [("operator", RelatedOnlyFieldListFilter)]
    list_select_related = ["operator"]
    search_fields = ["name"]


@admin.register(Token)
class TokenAdmin(PartyAdmin):
    """A token's number goes in, and never comes out."""

    list_display = ["__str__", "operator", "kind", "group", "blocked", "expires_at"]
    list_filter = [("operator", RelatedOnlyFieldListFilter), "blocked", "kind"]
    list_select_related = ["operator", "group"]
    search_fields = ["label"]
    autocomplete_fields = ["group", "user"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002  # Django's
        """Only a new token has a number to give."""
        form = TokenForm if obj else NewTokenForm
        return super().get_form(request, obj, change, form=form, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["operator", "kind", "group", "label", "blocked", "expires_at"]
        fields += ["offline_allowed", "concurrent_allowed", "only_at"]
        if obj is None:
            fields.insert(0, "id_token")
        # Which driver a card belongs to is the driver's own to say, or a superuser's.
        is_superuser = getattr(request.user, "is_superuser", False)
        return [*fields, "user", "held_since"] if is_superuser else fields


@admin.register(Tariff)
class TariffAdmin(PartyAdmin):
    form = TariffForm
    list_display = ["name", "operator", "currency", "valid_from", "valid_until"]
    list_filter = [("operator", RelatedOnlyFieldListFilter)]
    list_select_related = ["operator"]
    fieldsets = [
        (None, {"fields": ["operator", "name", "valid_from", "valid_until", "currency", "tax_included"]}),
        (_("Simple prices"), {"fields": ["per_kwh", "start_fee", "per_hour_parked", "vat"]}),
        (_("All rules (OCPI)"), {"fields": ["elements", "min_price", "max_price", "credits_export"]}),
        (_("What it says"), {"fields": ["in_words"]}),
    ]
    readonly_fields = ["in_words"]

    @admin.display(description=_("in plain words"))
    def in_words(self, tariff: Tariff) -> str:
        if not tariff.elements:
            return str(_("Save it to read here what it says."))
        try:
            told = sentences(tariff.parsed())
        except BadTariff as bad:
            return str(bad)
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in told))
