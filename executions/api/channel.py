"""`channels/` with a test message."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from executions.notify import channel_test
from workflows.api.channel import ChannelViewSet as ChannelsWithoutTest


class TestDeliverySerializer(serializers.Serializer):
    delivery_id = serializers.IntegerField()


class ChannelViewSet(ChannelsWithoutTest):
    """Where messages go."""

    operator_actions = ("test", "enable", "disable")

    @extend_schema(request=None, responses={202: TestDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: UUID) -> Response:
        """Send a test message; the worker sends it."""
        delivery_id = channel_test(actor=self.actor, channel=self.channel(pk))
        return Response({"delivery_id": delivery_id}, status=status.HTTP_202_ACCEPTED)
