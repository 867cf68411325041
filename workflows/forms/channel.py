"""The form of a new channel."""

from __future__ import annotations

from django import forms

from accounts.errors import FieldProblem
from accounts.forms import ServiceForm
from workflows.models import Channel
from workflows.specs.channels import SERVED


class ChannelForm(ServiceForm):
    """One field for the secret of its kind: the address of a webhook."""

    name = forms.CharField(max_length=200)
    type = forms.ChoiceField(choices=[(kind, Channel.Type(kind).label) for kind in SERVED])
    webhook_url = forms.CharField(
        max_length=2048,
        label="Webhook URL",
        help_text="In Discord: channel settings, Integrations, Webhooks, Copy webhook URL.",
    )

    @property
    def config(self) -> dict[str, str]:
        return {"webhook_url": self.cleaned_data["webhook_url"]}

    def field_of(self, problem: FieldProblem) -> str | None:
        return super().field_of(FieldProblem(problem.path.removeprefix("config."), problem.code, problem.detail))
