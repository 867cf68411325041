"""The form of a new signer."""

from __future__ import annotations

from django import forms

from accounts.forms import ServiceForm
from workflows.forms.fields import LamportsField


class SignerForm(ServiceForm):
    """A key that comes in is never sent back, not even beside an error."""

    name = forms.CharField(max_length=200)
    secret_key = forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.PasswordInput(render_value=False),
        label="Secret key",
        help_text="Base58, or the 64 numbers of a key file. Empty: a new key is made.",
    )
    max_lamports_per_day = LamportsField(
        required=False, label="Per day", help_text="Of all workflows together, in any 24 hours. Empty: no limit."
    )
