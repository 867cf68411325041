"""The form of a recipe: a name, a signer if it pays, and a field for each of its blanks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms

from accounts.errors import FieldProblem
from accounts.forms import ServiceForm
from workflows.forms.fields import LamportsField
from workflows.gallery import Blank, Recipe, blank_at, fill
from workflows.models import Channel, Signer
from workflows.specs.settings import MAX_NAME

_MOST_BASE_UNITS = 2**64 - 1


class RecipeForm(ServiceForm):
    """Valid, it gives `definition`, `settings` and `signer_id` for the service that makes a workflow."""

    name = forms.CharField(max_length=MAX_NAME)

    def __init__(
        self, data: Any = None, *, recipe: Recipe, signers: Iterable[Signer], channels: Iterable[Channel]
    ) -> None:
        initial = {"name": recipe.title, **{blank.name: blank.initial for blank in recipe.blanks}}
        super().__init__(data, initial=initial)
        self.recipe = recipe
        channel_choices = [(str(channel.pk), channel.name) for channel in channels]
        for blank in recipe.blanks:
            self.fields[blank.name] = _field(blank, channel_choices)
        if recipe.pays:
            choices = [
                ("", "Choose later: it cannot be enabled without"),
                *((str(one.pk), one.name) for one in signers),
            ]
            self.fields["signer"] = forms.ChoiceField(choices=choices, required=False, help_text="Pays and signs.")

    @property
    def definition(self) -> dict[str, Any]:
        """The recipe's definition with the answers in it."""
        return fill(self.recipe, self.cleaned_data)[0]

    @property
    def settings(self) -> dict[str, Any]:
        """Its settings, and the name."""
        about = {"name": self.cleaned_data["name"], "description": self.recipe.about}
        return {**about, **fill(self.recipe, self.cleaned_data)[1]}

    @property
    def signer_id(self) -> str | None:
        return self.cleaned_data.get("signer") or None

    def field_of(self, problem: FieldProblem) -> str | None:
        """The blank that stands where the problem is, else as in every form."""
        return blank_at(self.recipe, problem.path) or super().field_of(problem)


def _field(blank: Blank, channels: list[tuple[str, str]]) -> forms.Field:
    words: dict[str, Any] = {"label": blank.label, "help_text": blank.help}
    match blank.kind:
        case "lamports":
            return LamportsField(**words)
        case "base_units":
            return forms.IntegerField(min_value=0, max_value=_MOST_BASE_UNITS, **words)
        case "percent":
            return forms.IntegerField(min_value=1, max_value=100, **words)
        case "channel":
            return forms.ChoiceField(choices=[("", "Choose a channel"), *channels], **words)
        case _:
            return forms.CharField(max_length=200, **words)
