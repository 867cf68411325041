"""`workflows/export/` and `workflows/import/`. What travels is judged by workflows.specs.exchange and the services; the
serializers here describe it to the OpenAPI document."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TeamViewSet
from accounts.errors import Invalid
from workflows.api.address_list import AddressListRow, EntrySerializer
from workflows.api.fields import AddressField
from workflows.api.idl import IdlRow
from workflows.api.workflow import DefinitionField, WorkflowSerializer
from workflows.exports import export_of
from workflows.models import Channel, Workflow
from workflows.selectors import workflow_list
from workflows.services import Imported, workflows_import
from workflows.specs.exchange import BESIDE_SETTINGS, FORMAT, MAX_ENTRIES, MAX_WORKFLOWS
from workflows.specs.settings import WorkflowSettings


class ExportedWorkflowSerializer(WorkflowSerializer):
    """As for creating one."""

    definition = DefinitionField()

    class Meta(WorkflowSerializer.Meta):
        fields = (*WorkflowSettings.model_fields, *BESIDE_SETTINGS)  # type: ignore[assignment]
        read_only_fields = ()


class NamedRowSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField(max_length=200)


class ExportedSignerSerializer(NamedRowSerializer):
    address = AddressField()


class ExportedChannelSerializer(NamedRowSerializer):
    type = serializers.ChoiceField(choices=Channel.Type.choices)


class ExportedAddressListSerializer(NamedRowSerializer):
    entries = EntrySerializer(many=True, max_length=MAX_ENTRIES)


class ExportedIdlSerializer(NamedRowSerializer):
    program_id = AddressField()
    document = serializers.DictField()


class ExportSerializer(serializers.Serializer):
    solflow = serializers.ChoiceField(choices=[FORMAT], help_text="The version of the format.")
    exported_at = serializers.CharField(required=False, max_length=200)
    network = serializers.CharField(required=False, max_length=200, help_text="Where the addresses mean something.")
    genesis_hash = serializers.CharField(
        required=False, allow_null=True, max_length=200, help_text="Of the chain; tells apart those of one name."
    )
    workflows = ExportedWorkflowSerializer(many=True, max_length=MAX_WORKFLOWS)
    signers = ExportedSignerSerializer(many=True, required=False)
    channels = ExportedChannelSerializer(many=True, required=False)
    address_lists = ExportedAddressListSerializer(many=True, required=False)
    idls = ExportedIdlSerializer(many=True, required=False)


class ImportedSerializer(serializers.Serializer):
    workflows = WorkflowSerializer(many=True)
    address_lists = AddressListRow(many=True, help_text="Those that the team had not.")
    idls = IdlRow(many=True, help_text="Those that the team had not.")
    warnings = serializers.ListField(
        child=serializers.CharField(), help_text="What to look at before any of them is enabled."
    )


class ExchangeViewSet(TeamViewSet):
    """Workflows from one installation to another."""

    may_conflict = ("create",)
    may_be_invalid = ("retrieve",)

    @extend_schema(
        parameters=[OpenApiParameter("workflow", UUID, many=True, description="These only; all, if none is named.")],
        responses=ExportSerializer,
    )
    def retrieve(self, request: Request) -> Response:
        """The team's workflows with what they name, without secrets."""
        named = [self._workflow(text) for text in request.query_params.getlist("workflow")]
        rows = named or workflow_list(team=self.team).select_related("signer")
        return Response(export_of(team=self.team, workflows=rows))

    @extend_schema(
        parameters=[
            OpenApiParameter("from_other_network", bool, description="Whether to take one of another `network`: true.")
        ],
        request=ExportSerializer,
        responses={201: ImportedSerializer},
    )
    def create(self, request: Request) -> Response:
        """Make every workflow of an export, none of them enabled, or nothing. With an `Idempotency-Key`, once.

        What was exported on another network is refused (`other_network`): its addresses mean something else here.
        """
        document = self.document()
        is_meant = request.query_params.get("from_other_network") == "true"

        def work() -> Any:
            return _shown(workflows_import(actor=self.actor, document=document, from_other_network=is_meant))

        return self.answer_once(request, status.HTTP_201_CREATED, work)

    def _workflow(self, text: str) -> Workflow:
        try:
            row = workflow_list(team=self.team).filter(pk=UUID(text)).first()
        except ValueError:
            row = None
        if row is None:
            raise Invalid.field("workflow", "not_found", "there is no such workflow")
        return row


def _shown(made: Imported) -> dict[str, Any]:
    return dict(ImportedSerializer(made).data)
