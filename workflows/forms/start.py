"""The form by which a workflow is begun: what it needs before there is anything to build."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.forms import ServiceForm
from workflows.drafting.commands import new_part
from workflows.models import Signer
from workflows.specs.settings import MAX_NAME
from workflows.specs.triggers import TRIGGER_TYPES

TRIGGERS = (
    ("balance_change", "The balance of an account changes"),
    ("token_receipt", "Tokens arrive"),
    ("nft_receipt", "An NFT arrives"),
    ("account_change", "An account changes"),
    ("program_account_change", "An account of a program changes"),
    ("program_log", "A program writes a log line or an event"),
    ("transaction_status", "A transaction ends"),
    ("schedule", "A time comes"),
    ("webhook", "A request comes in"),
    ("manual", "Somebody starts it"),
)


class StartForm(ServiceForm):
    """Valid, it gives what `workflow_create` takes: version 1 does nothing, the draft begins with the trigger."""

    name = forms.CharField(max_length=MAX_NAME)
    trigger = forms.ChoiceField(choices=TRIGGERS, label="What starts it")
    signer = forms.ChoiceField(required=False, help_text="Pays and signs. A workflow that only tells needs none.")

    def __init__(self, data: Any = None, *, signers: Iterable[Signer] = ()) -> None:
        super().__init__(data)
        known = [(str(signer.pk), signer.name) for signer in signers]
        self.fields["signer"].choices = [("", "None: it cannot pay"), *known]  # type: ignore[attr-defined]

    @property
    def definition(self) -> dict[str, Any]:
        return {"schema": 1, "trigger": {"type": "manual"}, "actions": [], "notifications": []}

    @property
    def draft(self) -> dict[str, Any] | None:
        kind = self.cleaned_data["trigger"]
        return None if kind == "manual" else {**self.definition, "trigger": new_part(kind, TRIGGER_TYPES[kind])}

    @property
    def settings(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"]}

    @property
    def signer_id(self) -> str | None:
        return self.cleaned_data["signer"] or None
