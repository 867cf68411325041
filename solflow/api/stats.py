"""`stats/`: the figures of executions and of the listener together."""

from __future__ import annotations

from dataclasses import asdict

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import TeamViewSet
from executions.states import Status
from executions.stats import figures
from listener.selectors import totals


class StatusCountsSerializer(serializers.Serializer):
    def get_fields(self) -> dict[str, serializers.Field]:
        return {status.value: serializers.IntegerField() for status in Status}


class StatsSerializer(serializers.Serializer):
    executions = StatusCountsSerializer(help_text="Of all time.")
    executions_24h = StatusCountsSerializer()
    events_seen = serializers.IntegerField(help_text="Samples and transactions that the listener has taken in.")
    lamports_spent_24h = serializers.IntegerField()
    open_gaps = serializers.IntegerField()
    oldest_pending_s = serializers.IntegerField(help_text="0 when none is pending.")
    parked = serializers.IntegerField(help_text="Executions that wait for a person's decision.")


class StatsViewSet(TeamViewSet):
    """Figures, at most a second old."""

    serializer_class = StatsSerializer
    pagination_class = None

    def retrieve(self, request: Request) -> Response:
        seen = totals()
        counted = {"events_seen": seen.events_seen, "open_gaps": seen.open_gaps}
        return Response({**asdict(figures(team=self.team)), **counted})
