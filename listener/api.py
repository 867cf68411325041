"""What the listener watches, what it missed, how its endpoints do. Read only; `solflow.api` mounts it."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TeamViewSet
from executions import rpc_figures
from executions.rpc_figures import FAMILIES
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


class MethodSerializer(serializers.Serializer):
    """Calls of one method to an endpoint's host, by all processes, in the last 24 hours (counted by the hour)."""

    method = serializers.CharField()
    family = serializers.ChoiceField(choices=FAMILIES)
    calls = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="Calls that came to nothing there: no answer, or behind.")
    results = serializers.DictField(
        child=serializers.IntegerField(), help_text="Calls by result: ok, rejected, unavailable, behind, ambiguous."
    )
    p50_s = serializers.FloatField(allow_null=True)
    p95_s = serializers.FloatField(allow_null=True)
    credits = serializers.IntegerField(help_text="Estimated, by the prices that Helius lists.")


class EndpointSerializer(serializers.Serializer):
    """One endpoint as one listener experiences it, by host only. Null is what its protocol does not have."""

    host = serializers.CharField()
    protocol = serializers.ChoiceField(choices=("http", "ws"))
    listener = serializers.CharField()
    seen_at = serializers.DateTimeField()
    slot = serializers.IntegerField(default=None, allow_null=True)
    last_error = serializers.CharField(default=None, allow_null=True)
    state = serializers.CharField(default=None, allow_null=True, help_text="Of the worst family's breaker.")
    families = serializers.DictField(
        child=serializers.CharField(),
        default=None,
        allow_null=True,
        help_text="The breaker's state by family of methods: read, history, simulate, send.",
    )
    methods = MethodSerializer(many=True, default=None, allow_null=True)
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
        methods = defaultdict(list)
        for figures in rpc_figures.by_method(since=rpc_figures.beginning(timedelta(hours=24))):
            methods[figures.endpoint].append(figures)
        found = [
            {**endpoint, "methods": methods[endpoint["host"]]} if endpoint["protocol"] == "http" else endpoint
            for endpoint in endpoints()
        ]
        return Response({"next": None, "previous": None, "results": EndpointSerializer(found, many=True).data})
