"""`workflows/` with `run/`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer
from executions.services import execution_run
from workflows.api.workflow import WorkflowViewSet as WorkflowsWithoutRun
from workflows.errors import invalid
from workflows.specs.documents import load
from workflows.specs.errors import SpecErrors


class RunSerializer(StrictSerializer):
    data = serializers.DictField(required=False, help_text="What filter and templates find as event.data.")


class StartedSerializer(serializers.Serializer):
    execution_id = serializers.CharField()


class WorkflowViewSet(WorkflowsWithoutRun):
    """Workflows: what to watch, what to ask of it, what to do, whom to tell."""

    operator_actions = (*WorkflowsWithoutRun.operator_actions, "run")
    may_conflict = (*WorkflowsWithoutRun.may_conflict, "run")

    @extend_schema(request=RunSerializer, responses={202: StartedSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: UUID) -> Response:
        """Run it now, within the same limits as for an event. With an `Idempotency-Key`, once."""
        data = self._storable(self.body(RunSerializer).get("data", {}))
        key = request.headers.get("Idempotency-Key")

        def work() -> Any:
            execution_id = execution_run(actor=self.actor, workflow=self.workflow(pk), data=data, key=key)
            return {"execution_id": execution_id}

        return self.answer_once(request, status.HTTP_202_ACCEPTED, work)

    @staticmethod
    def _storable(data: dict[str, Any]) -> dict[str, Any]:
        """The data within the bounds of any document: it is stored, shown, filtered and rendered."""
        try:
            plain, problems = load(data)
        except SpecErrors as error:
            problems = list(error.errors)
        if problems:
            raise invalid(SpecErrors(problems).under("data").errors)
        return plain
