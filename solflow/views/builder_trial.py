"""The builder's test run, and how a notification of the draft would read. Nothing is signed, sent or stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.errors import Invalid, ServiceError
from executions.message_previews import OUTCOMES, MessagePreview, preview_message
from executions.preview import preview, subject
from listener.past_previews import preview_past
from solflow.ui.builder.trial import Trial, trial_of
from workflows.drafting.paths import Document, value_at
from workflows.models import Workflow
from workflows.specs.fields import is_signature

NOT_A_SIGNATURE = "The signature must be 64 bytes in base58."
WRONG_DRAFT = "The draft has problems. It can be tried when they are mended."


@dataclass(frozen=True, slots=True)
class Asked:
    """On what to try: a past execution's event, a past transaction, or, with neither, a sample of the trigger."""

    execution_id: str = ""
    signature: str = ""

    @classmethod
    def of(cls, posted: Mapping[str, Any]) -> Asked:
        """From the panel's form."""
        return cls(posted.get("event", "").replace("\x00", ""), posted.get("signature", "").strip())


def tried(workflow: Workflow, document: Document, asked: Asked) -> Trial | str:
    """The document tried, or in one sentence why it could not be."""
    if asked.signature and not is_signature(asked.signature):
        return NOT_A_SIGNATURE
    try:
        tries = subject(workflow=workflow, definition=document)
    except Invalid:
        return WRONG_DRAFT
    signer = workflow.signer.address if workflow.signer is not None else ""
    try:
        if asked.signature:
            past = preview_past(subject=tries, signature=asked.signature)
            return trial_of(past.preview, signer=signer, past=past)
        seen = preview(subject=tries, execution_id=asked.execution_id or None)
        return trial_of(seen, signer=signer)
    except ServiceError as error:
        return error.detail


def messages_of(
    workflow: Workflow, document: Document, card: str, channels: Mapping[str, Any]
) -> list[tuple[str, str, MessagePreview]]:
    """For each occasion on which the notification at `card` tells: the occasion, the channel's kind, the message.

    Empty while a text or the trigger is wrong: that is said beside its field.
    """
    part = value_at(document, card)
    if not card.startswith("notifications[") or not isinstance(part, Mapping):
        return []
    channel = channels.get(str(part.get("channel")))
    kind = channel.type if channel is not None else "discord"
    texts = {name: part[name] for name in ("template", "title", "message", "color") if name in part}
    occasions = part.get("on")
    told = []
    for occasion in OUTCOMES:
        if not isinstance(occasions, list) or occasion not in occasions:
            continue
        try:
            message = preview_message(
                kind=kind,
                notification=texts,
                outcome=occasion,
                workflow=workflow,
                draft_trigger=document.get("trigger", {}),
            )
        except Invalid:
            return []
        told.append((occasion, kind, message))
    return told
