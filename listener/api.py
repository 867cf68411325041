"""What the listener watches, what it missed, how its endpoints do. Read only; `solflow.api` mounts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TeamViewSet
from listener.models import Gap, Subscription
from listener.selectors import endpoints, gap_list, subscription_list

if TYPE_CHECKING:
    from django.db.models import QuerySet


class SubscriptionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Subscription
        fields = (
            "id",
            "kind",
            "address",
            "commitment",
            "checkpoint_slot",
            "events_seen",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class GapSerializer(serializers.ModelSerializer):
    kind = serializers.CharField(source="subscription.kind", read_only=True)
    address = serializers.CharField(source="subscription.address", read_only=True)

    class Meta:
        model = Gap
        fields = (
            "id",
            "subscription",
            "kind",
            "address",
            "status",
            "from_slot",
            "to_slot",
            "done_slot",
            "reason",
            "note",
            "created_at",
            "closed_at",
        )
        read_only_fields = fields


class EndpointSerializer(serializers.Serializer):
    """One endpoint as one listener experiences it, by host only. Null is what its protocol does not have."""

    host = serializers.CharField()
    protocol = serializers.ChoiceField(choices=("http", "ws"))
    listener = serializers.CharField()
    seen_at = serializers.DateTimeField()
    slot = serializers.IntegerField(default=None, allow_null=True)
    last_error = serializers.CharField(default=None, allow_null=True)
    state = serializers.CharField(default=None, allow_null=True, help_text="Of the breaker.")
    latency_s = serializers.FloatField(default=None, allow_null=True)
    calls = serializers.IntegerField(default=None, allow_null=True)
    errors = serializers.IntegerField(default=None, allow_null=True)
    slot_lag = serializers.IntegerField(default=None, allow_null=True)
    is_open = serializers.BooleanField(default=None, allow_null=True)
    subscriptions = serializers.IntegerField(default=None, allow_null=True)
    acknowledged = serializers.IntegerField(default=None, allow_null=True)
    reconnects = serializers.IntegerField(default=None, allow_null=True)


@extend_schema_serializer(many=False)
class EndpointPageSerializer(serializers.Serializer):
    """As other lists; there is one page."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = EndpointSerializer(many=True)


class SubscriptionViewSet(TeamViewSet):
    """What the team's enabled workflows watch on the chain."""

    serializer_class = SubscriptionSerializer

    def get_queryset(self) -> QuerySet[Subscription]:
        if getattr(self, "swagger_fake_view", False):
            return Subscription.objects.none()
        return subscription_list(team=self.team)

    def list(self, request: Request) -> Response:
        return self.listed(self.get_queryset())


class GapViewSet(TeamViewSet):
    """Stretches of slots that were not seen live: open, filled or lost."""

    serializer_class = GapSerializer

    def get_queryset(self) -> QuerySet[Gap]:
        return Gap.objects.none() if getattr(self, "swagger_fake_view", False) else gap_list(team=self.team)

    def list(self, request: Request) -> Response:
        return self.listed(self.get_queryset())


class EndpointViewSet(TeamViewSet):
    """The RPC and WebSocket endpoints, as the live listeners experience them."""

    serializer_class = EndpointSerializer
    pagination_class = None

    @extend_schema(responses=EndpointPageSerializer)
    def list(self, request: Request) -> Response:
        return Response({"next": None, "previous": None, "results": EndpointSerializer(endpoints(), many=True).data})
