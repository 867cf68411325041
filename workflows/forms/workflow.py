"""The form of a workflow: its settings as fields, its definition as JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django import forms

from accounts.errors import FieldProblem, ServiceError
from accounts.forms import ServiceForm
from workflows.forms.fields import AddressesField, LamportsField, TokenLimitsField
from workflows.models import Signer, Workflow
from workflows.specs.settings import MAX_DESCRIPTION, MAX_NAME, WorkflowSettings, dump_settings
from workflows.specs.workflow import readable

SETTINGS = tuple(WorkflowSettings.model_fields)
CHANGED_MEANWHILE = "Somebody else changed this workflow since you opened it. Open it again and repeat your change."
FIRST_DEFINITION = {
    "schema": 1,
    "trigger": {"type": "balance_change", "address": "", "direction": "increase", "min_change": "0.1 SOL"},
    "actions": [],
    "notifications": [],
}


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """A problem at a path of the definition."""

    path: str
    detail: str


class WorkflowForm(ServiceForm):
    """Bound, it gives `definition`, `signer_id` and `settings` for the services; unbound, it shows a workflow."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=MAX_NAME)
    signer = forms.ChoiceField(required=False, help_text="Pays and signs. A workflow that only tells needs none.")
    description = forms.CharField(required=False, max_length=MAX_DESCRIPTION, widget=forms.Textarea)
    definition = forms.CharField(strip=False, widget=forms.Textarea, label="Definition as JSON")
    dry_run = forms.BooleanField(required=False, help_text="Does everything but sign.")
    commitment = forms.ChoiceField(
        choices=Workflow.Commitment,
        help_text="How sure the chain must be of an event. Processed ones may be taken back.",
    )
    ordered = forms.BooleanField(required=False, label="In order", help_text="One execution after the other.")
    max_event_age_s = forms.IntegerField(
        required=False,
        label="Oldest event, in seconds",
        help_text="What waited longer, for example during a pause, is not run.",
    )
    max_lamports_per_tx = LamportsField(label="Per transaction", help_text="All that leaves the signer, fees included.")
    max_lamports_per_day = LamportsField(required=False, label="Per day", help_text="Any 24 hours. Empty: no limit.")
    max_executions_per_hour = forms.IntegerField(label="Executions per hour", help_text="More are throttled.")
    max_tokens_per_tx = TokenLimitsField(
        required=False,
        label="Tokens per transaction",
        help_text="A line for each mint that may leave: mint, blank, base units. Empty: no token may.",
    )
    max_tokens_per_day = TokenLimitsField(required=False, label="Tokens per day", help_text="In the same way.")
    allowed_recipients = AddressesField(
        required=False, label="Recipients", help_text="One address a line. Empty: any; the word none: nobody."
    )
    allowed_programs = AddressesField(
        required=False, label="Programs", help_text="One address a line. Empty: those that the definition names."
    )
    approval_above_lamports = LamportsField(
        required=False, label="Approval above", help_text="A person has to agree to more. Empty: never asked."
    )
    approval_expires_s = forms.IntegerField(label="Approval expires after, in seconds")
    approvers = forms.IntegerField(
        required=False, label="People who have to approve", help_text="Empty: one. Nobody counts twice."
    )
    pause_after_failures = forms.IntegerField(
        required=False,
        label="Pause after failures",
        help_text="So many in a row pause the workflow and tell its channels. Empty: never.",
    )

    def __init__(self, data: Any = None, *, signers: Iterable[Signer] = (), workflow: Workflow | None = None) -> None:
        super().__init__(data, initial=_initial(workflow))
        self.workflow = workflow
        self.definition_errors: list[DefinitionProblem] = []
        known = [(str(signer.pk), signer.name) for signer in signers]
        self.fields["signer"].choices = [("", "None: it cannot pay"), *known]  # type: ignore[attr-defined]

    def clean_approvers(self) -> int:
        return self.cleaned_data["approvers"] or 1

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = self.cleaned_data
        if self.workflow is not None and cleaned.get("seen") != _mark(self.workflow):
            raise forms.ValidationError(CHANGED_MEANWHILE)
        return cleaned

    @property
    def settings(self) -> dict[str, Any]:
        """What was filled in beside definition and signer."""
        return {name: self.cleaned_data[name] for name in SETTINGS}

    @property
    def signer_id(self) -> str | None:
        return self.cleaned_data["signer"] or None

    @property
    def changes(self) -> dict[str, Any]:
        """Everything, as services take changes."""
        definition = self.cleaned_data["definition"]
        return {**self.settings, "definition": definition, "signer": self.signer_id}

    def refuse(self, error: ServiceError) -> None:
        """As every form; the problems of the definition go beside its text, line by line, and are counted below it."""
        of_definition = [problem for problem in error.errors if self.field_of(problem) == "definition"]
        self.definition_errors = [_placed(problem) for problem in of_definition]
        elsewhere = [problem for problem in error.errors if problem not in of_definition]
        if elsewhere or not error.errors:
            super().refuse(type(error)(error.detail, errors=elsewhere))
        if of_definition:
            some = "1 problem" if len(of_definition) == 1 else f"{len(of_definition)} problems"
            self.add_error("definition", f"{some}, listed above the text.")


def _initial(workflow: Workflow | None) -> dict[str, Any]:
    if workflow is None or workflow.version is None:
        settings = dump_settings(WorkflowSettings(name="-"))
        return {**settings, "name": "", "definition": json.dumps(FIRST_DEFINITION, indent=2)}
    return {
        **{name: getattr(workflow, name) for name in SETTINGS},
        "seen": _mark(workflow),
        "signer": str(workflow.signer_id or ""),
        "definition": json.dumps(readable(workflow.version.definition), indent=2, ensure_ascii=False),
    }


def _mark(workflow: Workflow) -> str:
    """What changes whenever the workflow does."""
    return workflow.updated_at.isoformat()


def _placed(problem: FieldProblem) -> DefinitionProblem:
    return DefinitionProblem(problem.path.removeprefix("definition").removeprefix("."), problem.detail)
