"""`workflows/`: what needs neither executions nor the chain. executions.api adds run and pause, solflow.api.workflow
update, publish and enable, which may read a baseline.

A request's body is judged by workflows.specs alone, the same code that judges a form and an import; the serializers
here show rows and describe the body to the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer, TeamViewSet
from accounts.errors import Invalid
from workflows.models import WebhookSecret, Workflow, WorkflowVersion
from workflows.selectors import workflow_get, workflow_list, workflow_versions
from workflows.services import (
    webhook_secret_make,
    workflow_create,
    workflow_delete,
    workflow_disable,
    workflow_duplicate,
)

DEFINITION_SCHEMA = {"$ref": "#/components/schemas/WorkflowDefinition"}
# What an answer holds and a request may send back unread.
READ_ONLY = ("id", "version", "paused_at", "paused_reason", "next_due_at", "created_at", "updated_at")


@extend_schema_field(DEFINITION_SCHEMA)
class DefinitionField(serializers.JSONField):
    """The workflow definition; its JSON Schema is in the document."""


class WorkflowSerializer(serializers.ModelSerializer):
    definition = DefinitionField(source="version.definition")
    version = serializers.IntegerField(source="version.number", read_only=True)
    signer = serializers.UUIDField(source="signer_id", allow_null=True, required=False)
    draft = serializers.DictField(allow_null=True, required=False, help_text="A definition in the making; never runs.")
    max_tokens_per_tx = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="{mint: base units}"
    )
    max_tokens_per_day = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="{mint: base units}"
    )
    allowed_recipients = serializers.ListField(
        child=serializers.CharField(), allow_null=True, required=False, help_text="null: any"
    )
    allowed_programs = serializers.ListField(
        child=serializers.CharField(), allow_null=True, required=False, help_text="null: those the definition names"
    )

    next_due_at = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="When its schedule runs it next; null unless it is enabled."
    )

    class Meta:
        model = Workflow
        fields = (
            "id",
            "name",
            "description",
            "enabled",
            "definition",
            "version",
            "draft",
            "signer",
            "commitment",
            "dry_run",
            "ordered",
            "max_event_age_s",
            "max_lamports_per_tx",
            "max_lamports_per_day",
            "max_tokens_per_tx",
            "max_tokens_per_day",
            "max_executions_per_hour",
            "allowed_recipients",
            "allowed_programs",
            "approval_above_lamports",
            "approval_expires_s",
            "approvers",
            "pause_after_failures",
            "paused_at",
            "paused_reason",
            "next_due_at",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("enabled", *READ_ONLY)


class VersionSerializer(serializers.ModelSerializer):
    version = serializers.IntegerField(source="number")
    definition = DefinitionField()

    class Meta:
        model = WorkflowVersion
        fields = ("version", "definition", "created_at", "created_by")
        read_only_fields = fields


class WebhookSecretRequestSerializer(StrictSerializer):
    keep_old = serializers.BooleanField(
        default=True, help_text="Whether the secret before it stays valid for 24 hours; false for one that leaked."
    )


class WebhookSecretSerializer(serializers.Serializer):
    url = serializers.CharField(help_text="Where to post to.")
    auth = serializers.ChoiceField(
        choices=WebhookSecret.Auth.choices, help_text="standard: signs requests. header: is the Authorization header."
    )
    secret = serializers.CharField(help_text="Never shown again.")
    old_valid_until = serializers.DateTimeField(allow_null=True)


def changes_of(body: Mapping[str, Any], *, enabled: bool) -> dict[str, Any]:
    """What a body asks to change: all of it but what answers hold in addition.

    Raises:
        Invalid: `enabled` differs from what is; switching has calls of its own, because it may have to be refused.
    """
    if "enabled" in body and body["enabled"] is not enabled:
        hint = "is changed by POST to enable/ or disable/"
        raise Invalid.field("enabled", "read_only", hint)
    return {name: value for name, value in body.items() if name not in READ_ONLY and name != "enabled"}


class WorkflowViewSet(TeamViewSet):
    """Workflows: what to watch, what to ask of it, what to do, whom to tell."""

    serializer_class = WorkflowSerializer
    operator_actions: tuple[str, ...] = ()
    may_conflict: tuple[str, ...] = ("create", "duplicate", "webhook_secret")

    def get_queryset(self) -> QuerySet[Workflow]:
        if getattr(self, "swagger_fake_view", False):
            return Workflow.objects.none()
        return workflow_list(team=self.team)

    def workflow(self, pk: UUID) -> Workflow:
        return workflow_get(team=self.team, workflow_id=pk)

    def list(self, request: Request) -> Response:
        return self.listed(self.get_queryset())

    def create(self, request: Request) -> Response:
        """Make a workflow, not enabled. With an `Idempotency-Key`, once."""
        changes = changes_of(self.document(), enabled=False)
        definition, signer = changes.pop("definition", None), changes.pop("signer", None)
        draft = changes.pop("draft", None)

        def work() -> Any:
            workflow = workflow_create(
                actor=self.actor, definition=definition, settings=changes, signer_id=signer, draft=draft
            )
            return self.shown(workflow)

        return self.answer_once(request, status.HTTP_201_CREATED, work)

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.workflow(pk)))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Soft: its executions and versions stay."""
        workflow_delete(actor=self.actor, workflow=self.workflow(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={201: WorkflowSerializer})
    @action(detail=True, methods=["post"])
    def duplicate(self, request: Request, pk: UUID) -> Response:
        """Make another that wants the same, its draft included, not enabled, its name with a number. With an
        `Idempotency-Key`, once."""

        def work() -> Any:
            return self.shown(workflow_duplicate(actor=self.actor, workflow=self.workflow(pk)))

        return self.answer_once(request, status.HTTP_201_CREATED, work)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: UUID) -> Response:
        """No event runs it any more; what runs already ends as it would have."""
        return Response(self.shown(workflow_disable(actor=self.actor, workflow=self.workflow(pk))))

    @extend_schema(request=WebhookSecretRequestSerializer, responses={201: WebhookSecretSerializer})
    @action(detail=True, methods=["post"], url_path="webhook-secret")
    def webhook_secret(self, request: Request, pk: UUID) -> Response:
        """Make the secret that senders of this workflow's webhook prove to know, or another. It is shown only here."""
        keep_old = self.body(WebhookSecretRequestSerializer)["keep_old"]
        made = webhook_secret_make(actor=self.actor, workflow=self.workflow(pk), keep_old=keep_old)
        url = request.build_absolute_uri(reverse("hook", args=[pk]))
        shown = WebhookSecretSerializer({"url": url, **asdict(made)}).data
        return Response(shown, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})

    @extend_schema(responses=VersionSerializer(many=True))
    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: UUID) -> Response:
        """Everything that was ever live, newest first."""
        rows = workflow_versions(workflow=self.workflow(pk))
        return self.listed(rows, lambda page: VersionSerializer(page, many=True).data)
