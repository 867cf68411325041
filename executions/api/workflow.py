"""`workflows/` with `run/`, `test/` and `pause/`."""

from __future__ import annotations

from dataclasses import asdict
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
from executions.preview import preview
from executions.services import execution_run
from workflows.api.workflow import DefinitionField, WorkflowSerializer
from workflows.api.workflow import WorkflowViewSet as WorkflowsWithoutRun
from workflows.errors import invalid
from workflows.services import workflow_pause, workflow_resume
from workflows.specs.documents import load
from workflows.specs.errors import SpecErrors


class RunSerializer(StrictSerializer):
    data = serializers.DictField(required=False, help_text="What filter and templates find as event.data.")


class StartedSerializer(serializers.Serializer):
    execution_id = serializers.CharField()


class TestSerializer(StrictSerializer):
    __test__ = False

    event = serializers.DictField(required=False, help_text="Fields in place of those of the trigger's sample event.")
    execution_id = serializers.RegexField(
        "^[0-9a-f]{64}$", required=False, help_text="A past execution of this workflow: its event is tried again."
    )
    definition = DefinitionField(required=False, help_text="Tried in place of the workflow's own.")
    draft = serializers.BooleanField(default=False, help_text="Try the draft.")


class RefusalSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class PreviewedTransactionSerializer(serializers.Serializer):
    status = serializers.ChoiceField(choices=["simulated", "failed"])
    slot = serializers.IntegerField(allow_null=True)
    fee_lamports = serializers.IntegerField(allow_null=True)
    compute_units = serializers.IntegerField(allow_null=True)
    logs = serializers.ListField(child=serializers.CharField())
    outflow_lamports = serializers.IntegerField(allow_null=True, help_text="Fee and rent included.")
    outflow_tokens = serializers.DictField(child=serializers.IntegerField(), help_text="{mint: base units}")
    recipients = serializers.ListField(child=serializers.CharField())
    programs = serializers.ListField(child=serializers.CharField())


class PreviewedMessageSerializer(serializers.Serializer):
    channel = serializers.CharField()
    channel_name = serializers.CharField()
    channel_type = serializers.CharField()
    outcome = serializers.CharField()
    sent = serializers.BooleanField(help_text="Whether the notification's `on` has this outcome.")
    title = serializers.CharField()
    text = serializers.CharField()
    color = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.DictField())
    payload = serializers.DictField(allow_null=True, help_text="What the channel would be sent, where that is JSON.")
    error = RefusalSerializer(allow_null=True)


class PreviewSerializer(serializers.Serializer):
    event = serializers.DictField()
    source = serializers.ChoiceField(choices=["sample", "given", "past"])
    version = serializers.IntegerField(allow_null=True, help_text="null for a draft or another definition.")
    matches = serializers.BooleanField(help_text="Whether the trigger asks for such an event.")
    status = serializers.CharField(allow_null=True, help_text="How it would end; null when the trigger does not match.")
    filter_met = serializers.BooleanField()
    filter_trace = serializers.DictField(help_text="The filter, with what each condition saw.")
    transaction = PreviewedTransactionSerializer(allow_null=True)
    limits = RefusalSerializer(many=True, help_text="Every limit that would refuse it.")
    needs_approval = serializers.BooleanField()
    error = RefusalSerializer(allow_null=True)
    notifications = PreviewedMessageSerializer(many=True)


class PausedWorkflowSerializer(WorkflowSerializer):
    may_still_land = MayStillLandField()

    class Meta(WorkflowSerializer.Meta):
        fields = (*WorkflowSerializer.Meta.fields, "may_still_land")  # type: ignore[assignment]


class WorkflowViewSet(WorkflowsWithoutRun):
    """Workflows: what to watch, what to ask of it, what to do, whom to tell."""

    operator_actions = (*WorkflowsWithoutRun.operator_actions, "run", "test", "pause", "resume")
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

    @extend_schema(request=TestSerializer, responses={200: PreviewSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        """What it would do with an event: filter, simulated transaction, limits, messages. Nothing is signed or sent.

        With an empty body the event is a sample of its trigger.
        """
        body = self.body(TestSerializer)
        event = body.get("event")
        tried = preview(
            workflow=self.workflow(pk),
            definition=body.get("definition"),
            use_draft=body["draft"],
            event=None if event is None else self._storable(event, "event"),
            execution_id=body.get("execution_id"),
        )
        return Response(asdict(tried))

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
    def _storable(data: dict[str, Any], name: str = "data") -> dict[str, Any]:
        """The data within the bounds of any document: it is stored, shown, filtered and rendered."""
        try:
            plain, problems = load(data)
        except SpecErrors as error:
            problems = list(error.errors)
        if problems:
            raise invalid(SpecErrors(problems).under(name).errors)
        return plain
