"""The body and the answer of `workflows/{id}/test/`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from accounts.api import StrictSerializer
from accounts.errors import Invalid
from executions.api.preview import PreviewSerializer, RefusalSerializer
from executions.preview import preview, subject
from listener.past_previews import preview_past
from workflows.api.workflow import DefinitionField
from workflows.models import Workflow
from workflows.specs.fields import is_signature

EVENTS = ("event", "execution_id", "signature")


class SignatureField(serializers.CharField):
    """64 bytes in base58."""

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_signature(text):
            raise serializers.ValidationError("must be a transaction signature: 64 bytes in base58", code="invalid")
        return text


class TestSerializer(StrictSerializer):
    """At most one of event, execution_id and signature; with none of them it is a sample of the trigger."""

    __test__ = False

    event = serializers.DictField(required=False, help_text="Fields in place of those of the trigger's sample event.")
    execution_id = serializers.RegexField(
        "^[0-9a-f]{64}$", required=False, help_text="A past execution of this workflow: its event is tried again."
    )
    signature = SignatureField(
        required=False,
        max_length=88,
        help_text="A past transaction: what it is to the trigger, and what would be done. 404 where it is not known.",
    )
    definition = DefinitionField(required=False, help_text="Tried in place of the workflow's own.")
    draft = serializers.BooleanField(default=False, help_text="Try the draft.")


class PastEventSerializer(serializers.Serializer):
    """An event that the transaction could be to the trigger."""

    index = serializers.CharField(help_text="Its place in the transaction, the last part of an execution id's key.")
    account = serializers.CharField(allow_null=True)
    summary = serializers.CharField()
    matches = serializers.BooleanField()
    reason = RefusalSerializer(allow_null=True, help_text="Why it does not match.")
    filter_met = serializers.BooleanField(allow_null=True, help_text="null where it does not match.")


class PastTransactionSerializer(serializers.Serializer):
    signature = serializers.CharField()
    slot = serializers.IntegerField()
    success = serializers.BooleanField()
    error = serializers.JSONField(allow_null=True, help_text="The runtime's.")
    reason = RefusalSerializer(allow_null=True, help_text="Why nothing of it matches; null where something does.")
    events = PastEventSerializer(many=True)


class TrialSerializer(PreviewSerializer):
    past_transaction = PastTransactionSerializer(
        allow_null=True, help_text="Where a signature was given; `event` is the first of its events that would run."
    )


def tried(workflow: Workflow, body: dict[str, Any]) -> dict[str, Any]:
    """What a checked body asks to try, tried."""
    given = [name for name in EVENTS if body.get(name) is not None]
    if len(given) > 1:
        raise Invalid.field(given[1], "conflict", f"give one of {', '.join(EVENTS)}; {given[0]} is given too")
    tries = subject(workflow=workflow, definition=body.get("definition"), use_draft=body["draft"])
    if "signature" in given:
        past = preview_past(subject=tries, signature=body["signature"])
        return {**asdict(past.preview), "past_transaction": asdict(past.transaction)}
    seen = preview(subject=tries, event=body.get("event"), execution_id=body.get("execution_id"))
    return {**asdict(seen), "past_transaction": None}
