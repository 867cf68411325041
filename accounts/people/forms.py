"""The forms of people's pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone

from accounts.actors import Actor
from accounts.forms import ServiceForm
from accounts.models import Role
from accounts.permissions import SCOPE_OF
from accounts.services import SCOPES
from accounts.sign_in_delays import wait_s

LEVELS = {
    Role.VIEWER: ("read", "Read"),
    Role.OPERATOR: ("run", "Read and run"),
    Role.ADMIN: ("write", "Read, run and write"),
}
LIFETIMES = [("30", "30 days"), ("90", "90 days"), ("365", "One year"), ("", "Never")]


class SignInForm(AuthenticationForm):
    """Django's, which also says how long to wait."""

    def get_invalid_login_error(self) -> ValidationError:
        seconds = wait_s(self.request, self.cleaned_data.get("username", "")) if self.request else 0
        if seconds:
            return ValidationError(f"Too many attempts. Try again in {seconds} s.", code="delayed")
        return super().get_invalid_login_error()


class CodeForm(ServiceForm):
    code = forms.CharField(max_length=40, label="Code", help_text="From your app, or one of your recovery codes.")


class ConfirmForm(CodeForm):
    """What makes a session that somebody else has taken over worth less: the password is asked for again."""

    password = forms.CharField(label="Your password", strip=False, max_length=1024, widget=forms.PasswordInput)
    code = forms.CharField(max_length=40, label="Code", help_text="What your app shows now.")

    field_order = ("password", "code")


class PasskeyForm(CodeForm):
    name = forms.CharField(max_length=100, label="Name", help_text="Where it is, to know it by later: Work laptop.")

    field_order = ("name", "code")


class TokenForm(ServiceForm):
    name = forms.CharField(max_length=200, label="Name", help_text="What uses it, to know it by later.")
    level = forms.ChoiceField(label="May")
    days = forms.ChoiceField(label="Expires after", choices=LIFETIMES, initial="90", required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A token never does more than its owner may; offering it would only disappoint.
        level = self.fields["level"]
        assert isinstance(level, forms.ChoiceField)
        level.choices = [LEVELS[role] for role in SCOPE_OF if actor.may(role)]

    @property
    def scopes(self) -> tuple[str, ...]:
        """The chosen level and those below it."""
        return SCOPES[: SCOPES.index(self.cleaned_data["level"]) + 1]

    @property
    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class InvitationForm(ServiceForm):
    name = forms.CharField(max_length=200, label="Whom it is for")
    role = forms.ChoiceField(
        choices=Role.choices, label="Role", help_text="Viewers see, operators run and pause, admins edit."
    )


class AcceptForm(ServiceForm):
    username = forms.CharField(max_length=150, label="User name")
    password = forms.CharField(
        label="Password", strip=False, max_length=1024, widget=forms.PasswordInput, help_text="At least 12 characters."
    )
