"""`executions/`: what happened. Shapes come from executions.selectors; the serializers here describe them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer, TeamViewSet
from executions import history
from executions.approvals import execution_approve, execution_reject
from executions.filters import ExecutionFilter, newest_shown
from executions.models import Execution
from executions.resolutions import Claim, execution_resolve
from executions.selectors import execution_detail, execution_get, execution_list, execution_rows
from executions.services import execution_replay, execution_retry
from executions.states import FINAL, AttemptStatus, DeliveryStatus, Status, WaitingFor

EXECUTION_STATUSES = tuple(status.value for status in Status)
WAITING_FOR = tuple(reason.value for reason in WaitingFor)
ATTEMPT_STATUSES = tuple(status.value for status in AttemptStatus)
TRANSACTION_STATUSES = ("simulated", *ATTEMPT_STATUSES)
DELIVERY_STATUSES = tuple(status.value for status in DeliveryStatus)


@extend_schema_field({})
class AnyJSONField(serializers.JSONField):
    """A JSON value of any kind, null included."""


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class StepSerializer(serializers.Serializer):
    name = serializers.CharField()
    at = serializers.DateTimeField()
    detail = AnyJSONField()


class TransactionSerializer(serializers.Serializer):
    signature = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=TRANSACTION_STATUSES)
    slot = serializers.IntegerField(allow_null=True)
    fee_lamports = serializers.IntegerField(allow_null=True)
    compute_units = serializers.IntegerField(allow_null=True)
    logs = serializers.ListField(child=serializers.CharField(), allow_null=True)
    attempts = serializers.IntegerField()


class NotificationSerializer(serializers.Serializer):
    channel = serializers.UUIDField()
    status = serializers.ChoiceField(choices=DELIVERY_STATUSES)
    outcome = serializers.CharField()
    attempts = serializers.IntegerField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    maybe_repeated = serializers.BooleanField()
    error = serializers.CharField(allow_null=True)


class AttemptSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    signature = serializers.CharField()
    status = serializers.ChoiceField(choices=ATTEMPT_STATUSES)
    blockhash = serializers.CharField()
    last_valid_block_height = serializers.IntegerField()
    slot = serializers.IntegerField(allow_null=True)
    fee_lamports = serializers.IntegerField(allow_null=True)
    compute_units = serializers.IntegerField(allow_null=True)
    error = AnyJSONField()
    sends = serializers.IntegerField()
    signed_at = serializers.DateTimeField()
    last_sent_at = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    finalized_at = serializers.DateTimeField(allow_null=True)


class ApprovalSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["waiting", "approved", "refused", "expired"])
    lamports = serializers.IntegerField(help_text="What was shown; no more is covered.")
    tokens = serializers.DictField(child=serializers.IntegerField(), help_text="Base units by mint.")
    asked_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    needed = serializers.IntegerField(help_text="How many people have to approve.")
    approved_by = serializers.ListField(child=serializers.CharField(), help_text="Who has until now.")
    answered_by = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class ExecutionRow(serializers.Serializer):
    execution_id = serializers.CharField()
    workflow = serializers.UUIDField()
    workflow_version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=EXECUTION_STATUSES)
    waiting_for = serializers.ChoiceField(choices=WAITING_FOR, allow_null=True)
    dry_run = serializers.BooleanField()
    trigger = serializers.CharField(help_text="The trigger's type.")
    transaction = TransactionSerializer(allow_null=True)
    notifications = NotificationSerializer(many=True)
    error = ErrorSerializer(allow_null=True)
    replay_of = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)


class ExecutionSerializer(ExecutionRow):
    event = serializers.DictField()
    steps = StepSerializer(many=True)
    filter_trace = AnyJSONField(help_text="What each condition saw, and whether it was met.")
    simulation = AnyJSONField()
    approval = ApprovalSerializer(allow_null=True)
    attempts = AttemptSerializer(many=True)


class ReplaySerializer(StrictSerializer):
    use_current = serializers.BooleanField(
        required=False,
        default=True,
        help_text="Run the workflow's current version; false: the one that the original ran.",
    )


class ResolveSerializer(StrictSerializer):
    outcome = serializers.ChoiceField(choices=[claim.value for claim in Claim])
    sign_again = serializers.BooleanField(
        required=False,
        default=False,
        help_text="With not_landed: build and sign a new transaction instead of ending as failed.",
    )


class ExecutionIdSerializer(serializers.Serializer):
    execution_id = serializers.CharField()


class ExecutionViewSet(TeamViewSet):
    """What happened, newest first."""

    serializer_class = ExecutionSerializer
    filter_backends = (DjangoFilterBackend,)
    filterset_class = ExecutionFilter
    lookup_field = "execution_id"
    lookup_value_converter = "execution_id"
    operator_actions = ("retry", "replay", "resolve", "approve", "reject")
    may_conflict = ("retry", "replay", "resolve", "approve", "reject")
    may_be_unavailable = ("resolve",)

    def get_queryset(self) -> QuerySet[Execution]:
        return Execution.objects.none() if getattr(self, "swagger_fake_view", False) else execution_list(team=self.team)

    def execution(self, execution_id: str) -> Execution:
        return execution_get(team=self.team, execution_id=execution_id)

    @extend_schema(responses=ExecutionRow(many=True))
    def list(self, request: Request) -> Response:
        """Without events and steps."""

        def load() -> Response:
            return self.listed(self.filter_queryset(self.get_queryset()), execution_rows)

        def is_over(answer: Response) -> bool:
            return all(row["status"] in FINAL for row in answer.data["results"])

        asked = request.query_params
        if not history.is_past(newest_shown(asked.get("cursor"), asked.get("created_before"))):
            return load()
        return history.read(load, is_over=is_over, user_id=request.user.pk)

    def retrieve(self, request: Request, execution_id: str) -> Response:
        def load() -> tuple[Execution, dict[str, Any]]:
            execution = self.execution(execution_id)
            return execution, execution_detail(execution)

        _, detail = history.read(load, is_over=lambda found: history.is_over(found[0]), user_id=request.user.pk)
        return Response(detail)

    @extend_schema(request=None, responses={202: ExecutionIdSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def retry(self, request: Request, execution_id: str) -> Response:
        """Run a failed or throttled execution again, unless a transaction of it may still land."""
        row = execution_retry(actor=self.actor, execution=self.execution(execution_id))
        return self._started(row.execution_id)

    @extend_schema(request=ReplaySerializer, responses={202: ExecutionIdSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def replay(self, request: Request, execution_id: str) -> Response:
        """Run the stored event as a new execution, which names this one in `replay_of`."""
        given: dict[str, Any] = self.body(ReplaySerializer)
        started = execution_replay(actor=self.actor, execution=self.execution(execution_id), **given)
        return self._started(started)

    @extend_schema(request=None, responses={200: ExecutionSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def approve(self, request: Request, execution_id: str) -> Response:
        """Let a payment above the workflow's `approval_above_lamports` be signed, if no more goes out than `approval`
        shows. 409 if it does not wait for that."""
        execution_approve(actor=self.actor, execution=self.execution(execution_id))
        return Response(execution_detail(self.execution(execution_id)))

    @extend_schema(request=None, responses={200: ExecutionSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def reject(self, request: Request, execution_id: str) -> Response:
        """Refuse it: the execution ends as failed, and nothing is signed."""
        execution_reject(actor=self.actor, execution=self.execution(execution_id))
        return Response(execution_detail(self.execution(execution_id)))

    @extend_schema(request=ResolveSerializer, responses={200: ExecutionSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def resolve(self, request: Request, execution_id: str) -> Response:
        """Say what became of a parked execution's transaction. The chain is asked once more first: what it knows is
        recorded, and the opposite claim refused."""
        given = self.body(ResolveSerializer)
        execution_resolve(
            actor=self.actor,
            execution=self.execution(execution_id),
            claim=Claim(given["outcome"]),
            sign_again=given["sign_again"],
        )
        return Response(execution_detail(self.execution(execution_id)))

    def _started(self, execution_id: str) -> Response:
        return Response({"execution_id": execution_id}, status=status.HTTP_202_ACCEPTED)
