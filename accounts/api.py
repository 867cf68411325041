"""What every API view shares: who asks, what they sent, and doing a thing once for one `Idempotency-Key`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from accounts import idempotency, wording
from accounts.actors import Actor
from accounts.errors import Invalid
from accounts.models import AuditEntry, Team
from accounts.selectors import audit_entries

if TYPE_CHECKING:
    from django.db.models import QuerySet


MAX_SHOWN_KEY = 100


class StrictSerializer(serializers.Serializer):
    """A serializer that refuses keys it does not know: a mistyped key that is ignored is a setting that is not set.

    A change may be sent as what was read, with the new values in it. So where the context names the `row` that is
    changed, keys that its answer `shows` are passed over; those in `unchangeable` must be what they are.
    """

    unchangeable: tuple[str, ...] = ()

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise serializers.ValidationError({api_settings.NON_FIELD_ERRORS_KEY: [wording.not_an_object(data)]})
        problems = dict(self._problems_of_keys(data))
        if problems:
            raise serializers.ValidationError(problems)
        try:
            return super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(
                wording.worded(cast(dict[str, Any], error.detail), self.fields, data)
            ) from error

    def _problems_of_keys(self, data: Mapping[str, Any]) -> Iterator[tuple[str, ErrorDetail]]:
        row, shows = self.context.get("row"), self.context.get("shows", ())
        for key in data:
            if key in self.fields:
                continue
            if row is not None and key in self.unchangeable:
                if data[key] != getattr(row, key):
                    stays = f"{key} cannot be changed: it is {getattr(row, key)}."
                    yield key, ErrorDetail(stays, code="unchangeable")
            elif row is None or key not in shows:
                known = f"is not a known key; known: {', '.join(self.fields)}"
                yield key[:MAX_SHOWN_KEY], ErrorDetail(known, code="unknown_key")


class NoBody(serializers.Serializer):
    """For the document: nothing is sent, or nothing is answered."""


class ReasonSerializer(StrictSerializer):
    """The body of every pause."""

    reason = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class TeamViewSet(GenericViewSet):
    """Base of the API's resources: everything belongs to the team of whoever asks.

    `operator_actions` names what an operator may do; every other write needs an admin. `may_conflict` names the
    actions that can be answered with 409, for the document.
    """

    operator_actions: tuple[str, ...] = ()
    may_conflict: tuple[str, ...] = ()
    lookup_value_converter = "uuid"

    def perform_authentication(self, request: Request) -> None:
        """Everybody is counted as soon as they are known. DRF would count only whom it lets through."""
        try:
            super().perform_authentication(request)
        finally:
            super().check_throttles(request)

    def check_throttles(self, request: Request) -> None:
        """Nothing: `perform_authentication` has counted."""

    @property
    def actor(self) -> Actor:
        return cast(Actor, self.request._request.actor)  # type: ignore[attr-defined]

    @property
    def team(self) -> Team:
        return self.actor.team

    def body(
        self, serializer_class: type[serializers.Serializer], *, partial: bool = False, row: Any = None
    ) -> dict[str, Any]:
        """The request's body as the serializer accepts it; of a change to `row`, as StrictSerializer says."""
        shows = () if row is None else cast(serializers.Serializer, self.get_serializer()).fields
        context = {"row": row, "shows": shows}
        serializer = serializer_class(data=self.request.data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    def document(self) -> dict[str, Any]:
        """The request's body as it came, for those whose keys are checked further in; it must be an object."""
        if not isinstance(self.request.data, dict):
            raise Invalid("the body must be a JSON object")
        return self.request.data

    def shown(self, row: Any) -> Any:
        """A row as this resource shows it."""
        return self.get_serializer(row).data

    def listed(self, rows: QuerySet[Any], shown: Callable[[list[Any]], Any] | None = None) -> Response:
        """A page of `rows`, through the resource's serializer unless `shown` is given."""
        page = self.paginate_queryset(rows)
        data = shown(page) if shown else self.get_serializer(page, many=True).data  # type: ignore[arg-type]
        return self.get_paginated_response(data)

    def answer_once(self, request: Request, status: int, work: Callable[[], Any]) -> Response:
        """Do `work` and answer with what it returns; with an `Idempotency-Key`, at most once (accounts.idempotency)."""
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return Response(work(), status=status)

        def do() -> idempotency.Answer:
            return idempotency.Answer(status, json.loads(JSONRenderer().render(work())))

        answer = idempotency.once(
            team=self.team, user_id=cast(int, request.user.pk), path=request.path, key=key, body=request.data, work=do
        )
        headers = {"Idempotency-Replayed": "true"} if answer.replayed else None
        return Response(answer.body, status=answer.status, headers=headers)


class AuditEntrySerializer(serializers.ModelSerializer):
    detail = serializers.JSONField()

    class Meta:
        model = AuditEntry
        fields = ("id", "at", "actor", "address", "action", "target_type", "target_id", "target_name", "detail")
        read_only_fields = fields


class AuditViewSet(TeamViewSet):
    """The team's audit log, newest first."""

    serializer_class = AuditEntrySerializer
    keyset = ("id",)

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return AuditEntry.objects.none() if getattr(self, "swagger_fake_view", False) else audit_entries(team=self.team)

    def list(self, request: Request) -> Response:
        return self.listed(self.get_queryset())
