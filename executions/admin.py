from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.actors import Actor
from accounts.admin_base import EstimatingPaginator, ReadOnlyAdmin
from executions.models import (
    Approval,
    Attempt,
    Delivery,
    Execution,
    ExecutionKey,
    Heartbeat,
    LandedMemo,
    Quiet,
    RateUnit,
    Reservation,
    SendWindow,
    SignerHistory,
    StatusCount,
    Tally,
)
from executions.resends import delivery_resend
from executions.resolutions import Claim, execution_resolve
from executions.services import execution_replay, execution_retry


class LargeTableAdmin(ReadOnlyAdmin):
    """Newest first by the primary key, counted roughly."""

    ordering = ("-pk",)
    paginator = EstimatingPaginator
    show_full_result_count = False


@admin.register(Approval)
class ApprovalAdmin(LargeTableAdmin):
    list_display = ("id", "execution_id", "status", "lamports", "asked_at", "expires_at", "answered_by")
    list_filter = ("status",)


@admin.register(Execution)
class ExecutionAdmin(LargeTableAdmin):
    list_display = ("execution_id", "workflow", "trigger", "status", "waiting_for", "error_code", "created_at")
    list_filter = ("status", "waiting_for", "trigger")
    list_select_related = ("workflow",)
    search_fields = ("execution_id",)
    search_help_text = "The first characters of an execution id"
    actions = ("retry", "replay", "replay_same", "resolve_landed", "resolve_sign_again", "resolve_give_up")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Execution], search_term: str
    ) -> tuple[QuerySet[Execution], bool]:
        # By the keys' index: the table itself has none on the long id.
        keys = ExecutionKey.objects.filter(execution_id__startswith=search_term.strip())
        return (queryset.filter(id__in=keys.values("id")) if search_term.strip() else queryset), False

    @admin.action(description="Retry", permissions=["operate"])
    def retry(self, request: HttpRequest, rows: QuerySet[Execution]) -> None:
        self.serve(request, rows, lambda actor, row: execution_retry(actor=actor, execution=row), "Retried")

    @admin.action(description="Replay with the current version", permissions=["operate"])
    def replay(self, request: HttpRequest, rows: QuerySet[Execution]) -> None:
        self.serve(
            request, rows, lambda actor, row: execution_replay(actor=actor, execution=row, use_current=True), "Replayed"
        )

    @admin.action(description="Replay with the version it had", permissions=["operate"])
    def replay_same(self, request: HttpRequest, rows: QuerySet[Execution]) -> None:
        self.serve(
            request,
            rows,
            lambda actor, row: execution_replay(actor=actor, execution=row, use_current=False),
            "Replayed",
        )

    @admin.action(description="Parked: it has landed", permissions=["operate"])
    def resolve_landed(self, request: HttpRequest, rows: QuerySet[Execution]) -> None:
        self._resolve(request, rows, Claim.LANDED, "Recorded as landed")

    @admin.action(
        description="Parked: it has not landed, sign again (pays twice if that is wrong)", permissions=["operate"]
    )
    def resolve_sign_again(self, request: HttpRequest, rows: QuerySet[Execution]) -> None:
        self._resolve(request, rows, Claim.NOT_LANDED, "To be signed again", sign_again=True)

    @admin.action(description="Parked: it has not landed, give up", permissions=["operate"])
    def resolve_give_up(self, request: HttpRequest, rows: QuerySet[Execution]) -> None:
        self._resolve(request, rows, Claim.NOT_LANDED, "Given up")

    def _resolve(
        self, request: HttpRequest, rows: QuerySet[Execution], claim: Claim, done: str, *, sign_again: bool = False
    ) -> None:
        def resolve(actor: Actor, row: Execution) -> object:
            return execution_resolve(actor=actor, execution=row, claim=claim, sign_again=sign_again)

        self.serve(request, rows, resolve, done)


@admin.register(StatusCount)
class StatusCountAdmin(ReadOnlyAdmin):
    list_display = ("team", "status", "change")
    list_select_related = ("team",)


@admin.register(ExecutionKey)
class ExecutionKeyAdmin(LargeTableAdmin):
    list_display = ("execution_id", "created_at")


@admin.register(Attempt)
class AttemptAdmin(LargeTableAdmin):
    list_display = ("signature", "execution_id", "number", "signer", "status", "slot", "signed_at", "finalized_at")
    list_filter = ("status",)
    list_select_related = ("signer",)
    search_fields = ("=signature",)
    exclude = ("raw",)


@admin.register(Reservation)
class ReservationAdmin(LargeTableAdmin):
    list_display = ("execution_id", "workflow", "signer", "status", "lamports", "at")
    list_filter = ("status",)
    list_select_related = ("workflow", "signer")


@admin.register(RateUnit)
class RateUnitAdmin(LargeTableAdmin):
    list_display = ("execution_id", "workflow", "at")
    list_select_related = ("workflow",)


@admin.register(Delivery)
class DeliveryAdmin(LargeTableAdmin):
    list_display = ("id", "execution_id", "channel", "outcome", "status", "attempts", "maybe_repeated", "error")
    list_filter = ("status", "outcome", "maybe_repeated")
    list_select_related = ("channel",)
    actions = ("resend",)

    @admin.action(description="Send again", permissions=["operate"])
    def resend(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        self.serve(request, rows, lambda actor, row: delivery_resend(actor=actor, delivery=row), "Due again")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "at")
    list_filter = ("kind",)


@admin.register(Tally)
class TallyAdmin(LargeTableAdmin):
    list_display = ("name", "labels", "hour", "value")
    search_fields = ("name",)


@admin.register(Quiet)
class QuietAdmin(ReadOnlyAdmin):
    list_display = ("key", "until", "gathers")


@admin.register(SendWindow)
class SendWindowAdmin(ReadOnlyAdmin):
    pass


@admin.register(LandedMemo)
class LandedMemoAdmin(LargeTableAdmin):
    list_display = ("signature", "prefix", "number", "signer", "slot", "found_at")
    list_select_related = ("signer",)
    search_fields = ("=signature", "prefix")


@admin.register(SignerHistory)
class SignerHistoryAdmin(ReadOnlyAdmin):
    list_display = ("signer", "slot", "checked_at")
    list_select_related = ("signer",)
