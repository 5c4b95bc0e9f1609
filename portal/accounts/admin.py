"""People, for superusers: who signs in. What they may do is set on their party (stations.admin)."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from portal.accounts.api_tokens import ApiToken
from portal.accounts.models import User
from stations.admin import ROWS_A_PAGE

# Roles are memberships of a party; Django's groups would be a second, silent way to be allowed something.
admin.site.unregister(Group)
# Sessions and linked accounts are people's own business; a provider is set in the environment, not in rows.
admin.site.unregister([SocialAccount, SocialApp, SocialToken, UserSession])
# Registered again below.
admin.site.unregister(Authenticator)
# Django's own form knows no second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    ordering = ["email"]
    list_display = ["email", "name", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    list_per_page = ROWS_A_PAGE
    show_full_result_count = False
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        (_("Access"), {"fields": ["is_active", "is_staff", "is_superuser"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Tokens of the API: made by their people, and deleted here where their people cannot."""

    list_display = ["name", "prefix", "user", "operator", "municipality", "expires_at", "last_used_at"]
    list_select_related = ["user", "operator", "municipality"]
    search_fields = ["name", "prefix", "user__email"]
    fields = [
        *("name", "prefix", "user", "operator", "municipality", "expires_at", "last_used_at"),
        *("scopes", "is_whole", "made_at", "revoked_at"),
    ]
    list_per_page = ROWS_A_PAGE
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Authenticator)
class SecondFactorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """Who lost the phone and the recovery codes: the factor is deleted here, and set up anew at the next visit."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_filter = ["type"]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]
    fields = ["user", "type", "created_at", "last_used_at"]
    list_per_page = ROWS_A_PAGE
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False
