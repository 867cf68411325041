from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts import audit
from accounts.admin_base import ReadOnlyAdmin, actor_in
from accounts.models import (
    ApiToken,
    AuditEntry,
    AuditSeal,
    AuditUnsealed,
    IdempotencyKey,
    Installation,
    Invitation,
    Member,
    Passkey,
    PasskeyChallenge,
    SecondFactor,
    Session,
    Team,
)
from accounts.people import users
from accounts.second_factor.services import second_factor_remove

# Whoever may enter here is a superuser, and roles are memberships: permissions of groups mean nothing.
admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin, DjangoUserAdmin):
    """Deactivates and promotes by services, which keep an admin; sets a password for whoever has lost theirs."""

    list_display = ("username", "is_active", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_active", "is_superuser")
    fieldsets = (
        (
            None,
            {"fields": ("username", "email", "is_active", "is_superuser", "last_login", "date_joined", "set_password")},
        ),
    )
    readonly_fields = ("set_password",)
    actions = ("deactivate", "activate", "promote", "demote", "end_second_factor")

    @admin.display(description="Password")
    def set_password(self, user: User) -> str:
        return format_html('<a href="{}">Set another</a>', reverse("admin:auth_user_password_change", args=[user.pk]))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        match = request.resolver_match
        to_set_a_password = match is not None and match.url_name == "auth_user_password_change"
        return to_set_a_password and self.has_operate_permission(request)

    @admin.action(description="Deactivate: no sign-in, no tokens", permissions=["operate"])
    def deactivate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self.serve(request, rows, users.user_deactivate, "Deactivated", team_of=users.team_of)

    @admin.action(description="Activate", permissions=["operate"])
    def activate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self.serve(request, rows, users.user_activate, "Activated", team_of=users.team_of)

    @admin.action(description="Let into this admin (superuser)", permissions=["operate"])
    def promote(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self.serve(request, rows, users.superuser_make, "Superusers now", team_of=users.team_of)

    @admin.action(description="Keep out of this admin", permissions=["operate"])
    def demote(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self.serve(request, rows, users.superuser_end, "Superusers no more", team_of=users.team_of)

    @admin.action(description="Remove the second factor", permissions=["operate"])
    def end_second_factor(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self.serve(request, rows, second_factor_remove, "Removed", team_of=users.team_of)

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            return super().user_change_password(request, *args, **kwargs)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        actor = actor_in(request, users.team_of(obj))
        audit.record(actor, "password_changed", "user", obj.pk, target_name=obj.get_username())
        return super().log_change(request, obj, message)


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ("name", "created_at")


@admin.register(Member)
class MemberAdmin(ReadOnlyAdmin):
    list_display = ("user", "team", "role", "created_at")
    list_filter = ("role", "team")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "user", "team", "shown", "created_at", "last_used_at", "expires_at", "revoked_at")
    exclude = ("digest",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "role", "created_at", "expires_at", "used_at", "revoked_at")
    list_select_related = ("team",)
    exclude = ("digest",)


@admin.register(SecondFactor)
class SecondFactorAdmin(ReadOnlyAdmin):
    list_display = ("user", "enabled_at")


@admin.register(Passkey)
class PasskeyAdmin(ReadOnlyAdmin):
    list_display = ("user", "name", "rp_id", "created_at", "last_used_at")
    list_select_related = ("user",)


@admin.register(PasskeyChallenge)
class PasskeyChallengeAdmin(ReadOnlyAdmin):
    list_display = ("user", "purpose", "expires_at")
    list_select_related = ("user",)


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = ("user", "address", "device", "seen_at", "expire_date")
    fields = ("user", "address", "device", "seen_at", "expire_date")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "target_type", "target_name", "target_id", "team")
    list_filter = ("action", "target_type")
    show_full_result_count = False


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    list_display = ("id", "at", "hash")


@admin.register(AuditUnsealed)
class AuditUnsealedAdmin(ReadOnlyAdmin):
    list_display = ("entry_id",)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    list_display = ("key", "route", "team", "status", "created_at")
    list_select_related = ("team",)
    exclude = ("body_hash",)


@admin.register(Installation)
class InstallationAdmin(ReadOnlyAdmin):
    list_display = ("epoch", "genesis_hash", "paused_at", "paused_reason")
