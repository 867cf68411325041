"""`pause/`: stop all signing at once."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import ReasonSerializer, TeamViewSet
from accounts.selectors import installation
from executions.pauses import installation_pause, installation_resume


class PauseStateSerializer(serializers.Serializer):
    paused = serializers.BooleanField()
    paused_at = serializers.DateTimeField(allow_null=True)
    paused_reason = serializers.CharField(allow_null=True)


class MayStillLandField(serializers.ListField):
    """What every pause answers beside the state."""

    def __init__(self) -> None:
        said = "Signatures that were sent, or marked for sending, before the pause and that nobody has seen land."
        super().__init__(child=serializers.CharField(), read_only=True, help_text=said)


class PausedSerializer(PauseStateSerializer):
    may_still_land = MayStillLandField()


def state() -> dict[str, object]:
    row = installation()
    return {"paused": row.paused_at is not None, "paused_at": row.paused_at, "paused_reason": row.paused_reason or None}


class PauseViewSet(TeamViewSet):
    """The pause of everything."""

    serializer_class = PauseStateSerializer
    operator_actions = ("create", "destroy")
    may_conflict = ("destroy",)
    pagination_class = None

    def retrieve(self, request: Request) -> Response:
        """Whether signing is stopped."""
        return Response(self.shown(state()))

    @extend_schema(request=ReasonSerializer, responses={200: PausedSerializer})
    def create(self, request: Request) -> Response:
        """Stop all signing. When this returns, nothing more is signed and nothing is sent for the first time."""
        may_still_land = installation_pause(actor=self.actor, reason=self.body(ReasonSerializer)["reason"])
        return Response(PausedSerializer({**state(), "may_still_land": may_still_land}).data)

    @extend_schema(responses={200: PauseStateSerializer})
    def destroy(self, request: Request) -> Response:
        """Lift the pause; what waited runs. Refused after a restore until the chain was asked what was paid since."""
        installation_resume(actor=self.actor)
        return Response(self.shown(state()))
