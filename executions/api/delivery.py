"""`deliveries/`: every message to every channel, and the dead letters sent again. Shapes: executions.outbox."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import StrictSerializer, TeamViewSet
from executions.api.execution import DELIVERY_STATUSES
from executions.filters import DeliveryFilter
from executions.models import Delivery
from executions.outbox import delivery_get, delivery_list, delivery_rows
from executions.resends import deliveries_resend, delivery_resend
from workflows.selectors import channel_get


class DeliverySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    channel = serializers.UUIDField()
    channel_name = serializers.CharField()
    workflow = serializers.UUIDField(allow_null=True)
    execution = serializers.CharField(allow_null=True, help_text="Null for a test message.")
    outcome = serializers.CharField(help_text="success, failed, filtered, throttled, reverted, paused or test.")
    status = serializers.ChoiceField(choices=DELIVERY_STATUSES)
    attempts = serializers.IntegerField()
    maybe_repeated = serializers.BooleanField(help_text="An answer was lost, so it may have arrived twice.")
    error = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)


class ResendSerializer(StrictSerializer):
    channel = serializers.UUIDField(required=False, help_text="Only this channel's.")


class ResentSerializer(serializers.Serializer):
    resent = serializers.IntegerField()


class DeliveryViewSet(TeamViewSet):
    """Messages, newest first."""

    serializer_class = DeliverySerializer
    filter_backends = (DjangoFilterBackend,)
    filterset_class = DeliveryFilter
    lookup_value_converter = "int"
    keyset = ("id",)
    operator_actions = ("resend", "resend_all")
    may_conflict = ("resend", "resend_all")
    # The channel that the body names.
    may_be_missing = ("resend_all",)

    def get_queryset(self) -> QuerySet[Delivery]:
        return Delivery.objects.none() if getattr(self, "swagger_fake_view", False) else delivery_list(team=self.team)

    def list(self, request: Request) -> Response:
        return self.listed(self.filter_queryset(self.get_queryset()), delivery_rows)

    def retrieve(self, request: Request, pk: int) -> Response:
        return Response(delivery_rows([delivery_get(team=self.team, delivery_id=pk)])[0])

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def resend(self, request: Request, pk: int) -> Response:
        """Send a dead letter again, with the whole ladder of attempts before it."""
        delivery_resend(actor=self.actor, delivery=delivery_get(team=self.team, delivery_id=pk))
        return Response(
            delivery_rows([delivery_get(team=self.team, delivery_id=pk)])[0], status=status.HTTP_202_ACCEPTED
        )

    @extend_schema(operation_id="deliveries_resend_all", request=ResendSerializer, responses={202: ResentSerializer})
    @action(detail=False, methods=["post"], url_path="resend", filterset_class=None)
    def resend_all(self, request: Request) -> Response:
        """Send all dead letters again, or those of one channel; up to 1000, the oldest first. Those of channels that
        are switched off stay."""
        given = self.body(ResendSerializer)
        channel = channel_get(team=self.team, channel_id=given["channel"]) if "channel" in given else None
        return Response(
            {"resent": deliveries_resend(actor=self.actor, channel=channel)}, status=status.HTTP_202_ACCEPTED
        )
