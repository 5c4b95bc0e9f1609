"""Limits in the admin: to look at, each party its own. They are set on the pages, by the services that check them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from smartcharging.models import DesiredProfile, ReportedSchedule
from smartcharging.policies import DriftPolicy, SafeLimit
from stations.admin import PartyAdmin


class RecordAdmin(PartyAdmin):
    """Rows that only the product itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(DesiredProfile)
class DesiredProfileAdmin(RecordAdmin):
    list_display = ("name", "station", "evse_number", "purpose", "stack_level", "state", "requested_at")
    list_filter = ("state", "purpose")
    list_select_related = ("station",)
    search_fields = ("name", "station__identity")


@admin.register(ReportedSchedule)
class ReportedScheduleAdmin(RecordAdmin):
    list_display = ("station", "evse_number", "read_at", "state")
    list_filter = ("state",)
    list_select_related = ("station",)


@admin.register(DriftPolicy)
class DriftPolicyAdmin(PartyAdmin):
    """What an operator wants done with limits that a station has lost; its administrators choose."""

    list_display = ("operator", "on_drift")
    list_select_related = ("operator",)


@admin.register(SafeLimit)
class SafeLimitAdmin(PartyAdmin):
    """What stands under all limits of an operator's stations; its administrators choose."""

    list_display = ("operator", "station", "limit_a")
    list_select_related = ("operator", "station")
    autocomplete_fields = ("station",)
