from django.contrib import admin

from accounts.admin_base import ReadOnlyAdmin
from accounts.models import (
    ApiToken,
    AuditEntry,
    AuditSeal,
    AuditUnsealed,
    IdempotencyKey,
    Installation,
    Invitation,
    Member,
    Team,
)


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
