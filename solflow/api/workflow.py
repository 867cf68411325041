"""`workflows/` whole: what may have to read the chain before it changes what is watched."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import Invalid
from executions.api.workflow import WorkflowViewSet as WorkflowsUnwatched
from listener.services import workflow_enable, workflow_publish, workflow_update
from solflow.api.trial import TestSerializer, TrialSerializer, tried
from workflows.api.workflow import WorkflowSerializer, changes_of
from workflows.specs.settings import WorkflowSettings, dump_settings


class WorkflowViewSet(WorkflowsUnwatched):
    """Workflows: what to watch, what to ask of it, what to do, whom to tell."""

    operator_actions = (*WorkflowsUnwatched.operator_actions, "test")
    may_conflict = (*WorkflowsUnwatched.may_conflict, "enable", "publish", "update", "partial_update", "test")
    may_be_unavailable = ("enable", "publish", "update", "partial_update", "test")
    may_be_invalid = ("duplicate", "enable", "publish")

    def update(self, request: Request, pk: UUID) -> Response:
        """Replace everything: what is left out becomes its default."""
        given = self.document()
        for name in ("name", "definition"):
            if name not in given:
                raise Invalid.field(name, "required", "is missing")
        defaults = {**dump_settings(WorkflowSettings(name="-")), "signer": None, "draft": None}
        return self._change(pk, {**defaults, **given})

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change what is named. A changed definition is a new version, and live at once if the workflow is enabled."""
        return self._change(pk, self.document())

    @extend_schema(request=None, responses=WorkflowSerializer)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: UUID) -> Response:
        """From now on events run it; those up to the slot that is read while enabling never do."""
        return Response(self.shown(workflow_enable(actor=self.actor, workflow=self.workflow(pk))))

    @extend_schema(request=None, responses=WorkflowSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: UUID) -> Response:
        """Make the draft the definition, live at once if the workflow is enabled."""
        return Response(self.shown(workflow_publish(actor=self.actor, workflow=self.workflow(pk))))

    @extend_schema(request=TestSerializer, responses={200: TrialSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        """What it would do with an event: filter, simulated transaction, limits, messages. Nothing is signed or sent.

        With an empty body the event is a sample of its trigger.
        """
        body = self.body(TestSerializer)
        if body.get("event") is not None:
            body["event"] = self.storable(body["event"], "event")
        return Response(tried(self.workflow(pk), body))

    def _change(self, pk: UUID, given: dict[str, Any]) -> Response:
        workflow = self.workflow(pk)
        changes = changes_of(given, enabled=workflow.enabled)
        return Response(self.shown(workflow_update(actor=self.actor, workflow=workflow, changes=changes)))
