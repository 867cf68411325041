"""`workflows/` with `run/` and `pause/`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ReasonSerializer, StrictSerializer
from executions.api.pause import MayStillLandField
from executions.pauses import may_still_land
from executions.services import execution_run
from workflows.api.workflow import WorkflowSerializer
from workflows.api.workflow import WorkflowViewSet as WorkflowsWithoutRun
from workflows.errors import invalid
from workflows.services import workflow_pause, workflow_resume
from workflows.specs.documents import load
from workflows.specs.errors import SpecErrors


class RunSerializer(StrictSerializer):
    data = serializers.DictField(required=False, help_text="What filter and templates find as event.data.")


class StartedSerializer(serializers.Serializer):
    execution_id = serializers.CharField()


class PausedWorkflowSerializer(WorkflowSerializer):
    may_still_land = MayStillLandField()

    class Meta(WorkflowSerializer.Meta):
        fields = (*WorkflowSerializer.Meta.fields, "may_still_land")  # type: ignore[assignment]


class WorkflowViewSet(WorkflowsWithoutRun):
    """Workflows: what to watch, what to ask of it, what to do, whom to tell."""

    operator_actions = (*WorkflowsWithoutRun.operator_actions, "run", "pause", "resume")
    may_conflict = (*WorkflowsWithoutRun.may_conflict, "run")

    @extend_schema(request=RunSerializer, responses={202: StartedSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: UUID) -> Response:
        """Run it now, within the same limits as for an event. With an `Idempotency-Key`, once."""
        data = self.storable(self.body(RunSerializer).get("data", {}))
        key = request.headers.get("Idempotency-Key")

        def work() -> Any:
            execution_id = execution_run(actor=self.actor, workflow=self.workflow(pk), data=data, key=key)
            return {"execution_id": execution_id}

        return self.answer_once(request, status.HTTP_202_ACCEPTED, work)

    @extend_schema(request=ReasonSerializer, responses={200: PausedWorkflowSerializer})
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: UUID) -> Response:
        """When this returns, nothing more is signed for the workflow and nothing is sent for the first time."""
        reason = self.body(ReasonSerializer)["reason"]
        workflow = workflow_pause(actor=self.actor, workflow=self.workflow(pk), reason=reason)
        return Response({**self.shown(workflow), "may_still_land": may_still_land(workflow=workflow)})

    @extend_schema(request=None)
    @pause.mapping.delete
    def resume(self, request: Request, pk: UUID) -> Response:
        """Lift the pause; what waited runs."""
        return Response(self.shown(workflow_resume(actor=self.actor, workflow=self.workflow(pk))))

    @staticmethod
    def storable(data: dict[str, Any], name: str = "data") -> dict[str, Any]:
        """The data within the bounds of any document: it is stored, shown, filtered and rendered."""
        try:
            plain, problems = load(data)
        except SpecErrors as error:
            problems = list(error.errors)
        if problems:
            raise invalid(SpecErrors(problems).under(name).errors)
        return plain
