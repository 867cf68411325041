from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin_base import ReadOnlyAdmin
from workflows.models import (
    AddressEntry,
    AddressList,
    Channel,
    Idl,
    Schedule,
    Signer,
    WebhookSecret,
    Workflow,
    WorkflowVersion,
)
from workflows.services import signer_pause, signer_resume, workflow_disable, workflow_pause, workflow_resume

PAUSED_HERE = "paused in the admin"


class WorkflowAdmin(ReadOnlyAdmin):
    """Registered by solflow.admin, which adds enabling: that reads the chain."""

    list_display = ("name", "team", "enabled", "trigger_type", "signer", "dry_run", "paused_at", "created_at")
    list_filter = ("enabled", "trigger_type", "team")
    list_select_related = ("team", "signer")
    search_fields = ("name",)
    actions: tuple[str, ...] = ("disable", "pause", "resume")

    @admin.action(description="Disable", permissions=["operate"])
    def disable(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self.serve(request, rows, lambda actor, row: workflow_disable(actor=actor, workflow=row), "Disabled")

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self.serve(
            request, rows, lambda actor, row: workflow_pause(actor=actor, workflow=row, reason=PAUSED_HERE), "Paused"
        )

    @admin.action(description="Lift the pause", permissions=["operate"])
    def resume(self, request: HttpRequest, rows: QuerySet[Workflow]) -> None:
        self.serve(request, rows, lambda actor, row: workflow_resume(actor=actor, workflow=row), "Pause lifted")


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(ReadOnlyAdmin):
    list_display = ("workflow", "number", "created_at", "created_by")
    list_select_related = ("workflow",)


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ("workflow", "cron", "timezone", "missed", "next_due_at")
    list_select_related = ("workflow",)


@admin.register(WebhookSecret)
class WebhookSecretAdmin(ReadOnlyAdmin):
    list_display = ("workflow", "auth", "created_at", "expires_at")
    list_filter = ("auth",)
    list_select_related = ("workflow",)
    exclude = ("locked", "digest")


@admin.register(Signer)
class SignerAdmin(ReadOnlyAdmin):
    list_display = ("name", "address", "backend", "team", "max_lamports_per_day", "paused_at", "deleted_at")
    list_filter = ("backend", "team")
    list_select_related = ("team",)
    search_fields = ("name", "address")
    exclude = ("sealed",)
    actions = ("pause", "resume")

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, rows: QuerySet[Signer]) -> None:
        self.serve(
            request, rows, lambda actor, row: signer_pause(actor=actor, signer=row, reason=PAUSED_HERE), "Paused"
        )

    @admin.action(description="Lift the pause", permissions=["operate"])
    def resume(self, request: HttpRequest, rows: QuerySet[Signer]) -> None:
        self.serve(request, rows, lambda actor, row: signer_resume(actor=actor, signer=row), "Pause lifted")


@admin.register(Channel)
class ChannelAdmin(ReadOnlyAdmin):
    list_display = ("name", "type", "team", "shown", "disabled_at", "deleted_at")
    list_filter = ("type", "team")
    list_select_related = ("team",)
    search_fields = ("name",)
    exclude = ("sealed", "sealed_key")


@admin.register(AddressList)
class AddressListAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "version", "updated_at")
    list_select_related = ("team",)
    search_fields = ("name",)


@admin.register(AddressEntry)
class AddressEntryAdmin(ReadOnlyAdmin):
    list_display = ("address", "label", "list")
    list_select_related = ("list",)
    search_fields = ("address", "label")


@admin.register(Idl)
class IdlAdmin(ReadOnlyAdmin):
    list_display = ("name", "program_id", "team", "updated_at")
    list_select_related = ("team",)
    search_fields = ("name", "program_id")
