"""`channels/`: where messages go. Secrets come in and are never shown again, only their mask."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ReasonSerializer, StrictSerializer, TeamViewSet
from workflows.models import Channel
from workflows.selectors import channel_get, channel_list
from workflows.services import channel_create, channel_delete, channel_secret_make, channel_update
from workflows.services.channel_health import channel_switch_off, channel_switch_on


class ChannelSerializer(serializers.ModelSerializer):
    config = serializers.DictField(source="shown", help_text="Masked: host and last four characters.")

    class Meta:
        model = Channel
        fields = (
            "id",
            "name",
            "type",
            "config",
            "failing_since",
            "failures_in_row",
            "disabled_at",
            "disabled_reason",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class NewChannelSerializer(ChannelSerializer):
    signing_secret = serializers.CharField(required=False)

    class Meta(ChannelSerializer.Meta):
        fields = (*ChannelSerializer.Meta.fields, "signing_secret")
        read_only_fields = fields


class ChannelChange(StrictSerializer):
    unchangeable = ("type",)

    name = serializers.CharField(max_length=200)
    config = serializers.DictField(
        help_text='discord and slack: {"webhook_url": "…"}; telegram: {"bot_token": "…", "chat_id": "…"};'
        ' email: {"to": ["…"]}; webhook: {"url": "…", "secret": "whsec_…"}. A secret that is left out of a change, or'
        " sent back masked, stays; a webhook's is made where none is given."
    )


class NewChannel(ChannelChange):
    type = serializers.ChoiceField(choices=Channel.Type.choices)


class ChannelViewSet(TeamViewSet):
    """Where messages go."""

    serializer_class = ChannelSerializer
    may_conflict = ("create", "destroy", "signing_secret")

    def get_queryset(self) -> QuerySet[Channel]:
        if getattr(self, "swagger_fake_view", False):
            return Channel.objects.none()
        return channel_list(team=self.team)

    def channel(self, pk: UUID) -> Channel:
        return channel_get(team=self.team, channel_id=pk)

    def list(self, request: Request) -> Response:
        return self.listed(self.get_queryset())

    @extend_schema(request=NewChannel, responses={201: NewChannelSerializer})
    def create(self, request: Request) -> Response:
        """Make a channel. With an `Idempotency-Key`, once.

        `signing_secret` is a webhook's secret that was made because none was given: told in this answer only.
        """
        given, made = self.body(NewChannel), []

        def make() -> Any:
            made.append(channel_create(actor=self.actor, **given))
            return self.shown(made[0])

        response = self.answer_once(request, status.HTTP_201_CREATED, make)
        # Added here, because answers are stored under their Idempotency-Key.
        if made and made[0].made_secret:
            response.data = {**response.data, "signing_secret": made[0].made_secret}
        return response

    def retrieve(self, request: Request, pk: UUID) -> Response:
        return Response(self.shown(self.channel(pk)))

    @extend_schema(request=ChannelChange)
    def update(self, request: Request, pk: UUID, partial: bool = False) -> Response:
        channel = self.channel(pk)
        changes = self.body(ChannelChange, partial=partial, row=channel)
        return Response(self.shown(channel_update(actor=self.actor, channel=channel, changes=changes)))

    @extend_schema(request=ChannelChange)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        return self.update(request, pk, partial=True)

    @extend_schema(request=None, responses=NewChannelSerializer)
    @action(detail=True, methods=["post"], url_path="signing-secret")
    def signing_secret(self, request: Request, pk: UUID) -> Response:
        """Another signing secret for a webhook, in use at once, and told in this answer only."""
        changed = channel_secret_make(actor=self.actor, channel=self.channel(pk))
        return Response({**self.shown(changed), "signing_secret": changed.made_secret})

    @extend_schema(request=None, responses=ChannelSerializer)
    @action(detail=True, methods=["post"])
    def enable(self, request: Request, pk: UUID) -> Response:
        """Send to it again. What became a dead letter meanwhile is resent from `deliveries/`."""
        channel_switch_on(actor=self.actor, channel=self.channel(pk))
        return Response(self.shown(self.channel(pk)))

    @extend_schema(request=ReasonSerializer, responses=ChannelSerializer)
    @action(detail=True, methods=["post"])
    def disable(self, request: Request, pk: UUID) -> Response:
        """Send nothing more to it; what is due becomes dead letters."""
        reason = self.body(ReasonSerializer)["reason"]
        channel_switch_off(actor=self.actor, channel=self.channel(pk), **({"reason": reason} if reason else {}))
        return Response(self.shown(self.channel(pk)))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Soft. Refused while an enabled workflow sends to it."""
        channel_delete(actor=self.actor, channel=self.channel(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
