"""`channels/` with a test message."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer
from executions.message_previews import OUTCOMES, MessagePreview, preview_message
from executions.notify import channel_test
from workflows.api.channel import ChannelViewSet as ChannelsWithoutTest
from workflows.selectors import workflow_get


class TestDeliverySerializer(serializers.Serializer):
    delivery_id = serializers.IntegerField()


class NotificationTextsSerializer(StrictSerializer):
    """As in a definition, where they are checked; `null` is as good as left out."""

    template = serializers.CharField(required=False)
    title = serializers.CharField(required=False, allow_null=True)
    message = serializers.CharField(required=False, allow_null=True, trim_whitespace=False)
    color = serializers.CharField(required=False, allow_null=True)


class MessagePreviewRequest(StrictSerializer):
    notification = NotificationTextsSerializer(required=False, default=dict)
    outcome = serializers.ChoiceField(choices=OUTCOMES, required=False, default="success")
    workflow = serializers.UUIDField(required=False, help_text="Whose events it is about.")


class EventFieldSerializer(serializers.Serializer):
    path = serializers.CharField()
    kind = serializers.CharField()
    about = serializers.CharField()


class MessagePreviewSerializer(serializers.Serializer):
    title = serializers.CharField()
    text = serializers.CharField()
    color = serializers.IntegerField()
    lines = serializers.ListField(child=serializers.DictField())
    payload = serializers.DictField(allow_null=True, help_text="What the channel would be sent, where that is JSON.")
    source = serializers.ChoiceField(choices=["sample", "past"])
    event = serializers.DictField()
    fields = EventFieldSerializer(many=True, help_text="What the texts may name.")  # type: ignore[assignment]


class ChannelViewSet(ChannelsWithoutTest):
    """Where messages go."""

    operator_actions = ("test", "preview", "enable", "disable")

    @extend_schema(request=None, responses={202: TestDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        """Send a test message; the worker sends it."""
        delivery_id = channel_test(actor=self.actor, channel=self.channel(pk))
        return Response({"delivery_id": delivery_id}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=MessagePreviewRequest, responses=MessagePreviewSerializer)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, pk: UUID) -> Response:
        """A notification as it would read here, about the workflow's newest execution that ended so, or a sample."""
        given, channel = self.body(MessagePreviewRequest), self.channel(pk)
        workflow = workflow_get(team=self.team, workflow_id=given["workflow"]) if "workflow" in given else None
        texts = {name: value for name, value in given["notification"].items() if value is not None}
        shown = preview_message(kind=channel.type, notification=texts, outcome=given["outcome"], workflow=workflow)
        return Response(_shown(shown))


def _shown(shown: MessagePreview) -> dict[str, Any]:
    """In the API's shape."""
    message = shown.message
    return {
        "title": message.title,
        "text": message.text,
        "color": message.color,
        "lines": [{"name": line.name, "value": line.value, "kind": line.kind} for line in message.lines],
        "payload": shown.payload,
        "source": shown.source,
        "event": shown.event,
        "fields": [{"path": field.path, "kind": field.kind, "about": field.about} for field in shown.fields],
    }
