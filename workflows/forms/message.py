"""The form by which the words of a notification are tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from accounts.forms import ServiceForm
from workflows.models import Channel, Workflow
from workflows.specs.notifications import MAX_MESSAGE, MAX_TITLE

TEMPLATES = ("default", "success", "error", "minimal", "detailed")


class MessageForm(ServiceForm):
    """`channel` and `workflow` are ids of the team's; without a workflow a sample is told."""

    channel = forms.ChoiceField(help_text="In its markup, within its limits.")
    workflow = forms.ChoiceField(required=False, label="About", help_text="Its newest execution that ended so.")
    outcome = forms.ChoiceField()
    template = forms.ChoiceField(choices=[(name, name) for name in TEMPLATES])
    title = forms.CharField(max_length=MAX_TITLE, required=False, help_text="In place of the template's.")
    message = forms.CharField(
        max_length=MAX_MESSAGE,
        required=False,
        strip=False,
        widget=forms.Textarea,
        help_text="{{ event.lamports_delta }} stands for what the event holds; + - * // and % compute.",
    )
    color = forms.CharField(max_length=8, required=False, label="Colour", help_text="Like #5865f2.")

    def __init__(
        self,
        data: Any = None,
        *,
        channels: Sequence[Channel],
        workflows: Sequence[Workflow],
        outcomes: Sequence[str],
        **options: Any,
    ) -> None:
        super().__init__(data, **options)
        self.fields["channel"].choices = [  # type: ignore[attr-defined]
            (str(one.pk), f"{one.name} ({one.get_type_display()})") for one in channels
        ]
        named = [(str(one.pk), one.name) for one in workflows]
        self.fields["workflow"].choices = [("", "A sample"), *named]  # type: ignore[attr-defined]
        self.fields["outcome"].choices = [(one, one) for one in outcomes]  # type: ignore[attr-defined]

    @property
    def notification(self) -> dict[str, Any]:
        """What was typed, as a definition has it."""
        texts = ("template", "title", "message", "color")
        return {name: self.cleaned_data[name] for name in texts if self.cleaned_data[name]}
