"""The forms of channels, one a kind: its fields are the keys of its config (workflows.specs.channels)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from accounts.errors import FieldProblem
from accounts.forms import ServiceForm
from workflows.models import Channel
from workflows.specs.channels import SERVED


class ChannelForm(ServiceForm):
    """`shown` is the mask of the channel that is changed: its secrets may be left empty and then stay."""

    kind: ClassVar[str]
    explanation: ClassVar[str] = ""
    secrets: ClassVar[tuple[str, ...]] = ("webhook_url",)
    name = forms.CharField(max_length=200)

    def __init__(self, data: Any = None, *, shown: Mapping[str, Any] | None = None, **options: Any) -> None:
        initial = {key: self.as_text(value) for key, value in (shown or {}).items() if key not in self.secrets}
        super().__init__(data, initial={**initial, **options.pop("initial", {})}, **options)
        for secret in self.secrets if shown else ():
            field = self.fields[secret]
            field.required = False
            field.widget.attrs["placeholder"] = shown[secret] if shown else ""
            field.help_text = "Leave it empty to keep the one that is stored."

    @property
    def config(self) -> dict[str, Any]:
        """What was typed, without what was left empty."""
        return {key: value for key, value in self.cleaned_data.items() if key != "name" and value not in ("", None)}

    @property
    def keys(self) -> list[Any]:
        """The fields below the name."""
        return [field for field in self if field.name != "name"]

    @staticmethod
    def as_text(value: Any) -> str:
        return ", ".join(value) if isinstance(value, list) else str(value)

    def field_of(self, problem: FieldProblem) -> str | None:
        return super().field_of(FieldProblem(problem.path.removeprefix("config."), problem.code, problem.detail))


class DiscordForm(ChannelForm):
    kind = "discord"
    explanation = "One embed a message, in the colour of its outcome. Nobody is mentioned, whatever the text says."
    webhook_url = forms.CharField(
        max_length=2048,
        label="Webhook URL",
        help_text="In Discord: channel settings, Integrations, Webhooks, Copy webhook URL.",
    )
    username = forms.CharField(max_length=80, required=False, help_text="The name it posts under.")
    avatar_url = forms.CharField(max_length=2048, required=False, label="Avatar URL")
    thread_id = forms.CharField(
        max_length=20, required=False, label="Thread", help_text="A thread of the channel: its menu, Copy thread ID."
    )


class SlackForm(ChannelForm):
    kind = "slack"
    explanation = "A title and an attachment in the colour of the outcome. Nobody is mentioned."
    webhook_url = forms.CharField(
        max_length=2048,
        label="Webhook URL",
        help_text="In Slack: your app, Incoming Webhooks, Add New Webhook to Workspace.",
    )


class TelegramForm(ChannelForm):
    kind = "telegram"
    explanation = "A bot of yours writes the message. It has to be a member of the group, or be started by the person."
    secrets = ("bot_token",)
    bot_token = forms.CharField(max_length=200, label="Bot token", help_text="From @BotFather.")
    chat_id = forms.CharField(
        max_length=33, label="Chat", help_text="Its number (groups begin with -), or a public channel's @name."
    )
    thread_id = forms.CharField(
        max_length=10, required=False, label="Topic", help_text="The number of a group's topic."
    )
    api_url = forms.CharField(
        max_length=2048, required=False, label="API URL", help_text="Only for a Bot API server of your own."
    )


class EmailForm(ChannelForm):
    kind = "email"
    explanation = "Sent by the server of EMAIL_URL, which the worker has to know."
    secrets = ()
    to = forms.CharField(max_length=5200, label="To", help_text="One address or several, with commas between them.")

    @property
    def config(self) -> dict[str, Any]:
        return {"to": [part.strip() for part in self.cleaned_data["to"].split(",") if part.strip()]}


class WebhookForm(ChannelForm):
    kind = "webhook"
    explanation = "JSON with the whole execution, signed as Standard Webhooks says, for programs."
    secrets = ("url", "secret")
    url = forms.CharField(max_length=2048, label="URL")
    secret = forms.CharField(
        max_length=200,
        required=False,
        label="Signing secret",
        help_text="Left empty, one is made and shown once. A secret of your own begins with whsec_.",
    )


FORMS: Mapping[str, type[ChannelForm]] = {
    form.kind: form for form in (DiscordForm, SlackForm, TelegramForm, EmailForm, WebhookForm)
}
KINDS = [(kind, Channel.Type(kind).label) for kind in SERVED]
