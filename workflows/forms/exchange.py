"""The form that takes an export: one file, and what is wrong with it beside it."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.errors import FieldProblem, ServiceError
from accounts.forms import ServiceForm


class ImportForm(ServiceForm):
    file = forms.FileField(
        label="Export",
        help_text="The file that Export gave, at most 1 MiB. The command import_workflows takes larger ones.",
        widget=forms.FileInput(attrs={"accept": "application/json,.json"}),
    )

    from_other_network = forms.BooleanField(
        label="Import it nevertheless",
        help_text="Look at every address before you enable anything.",
        required=False,
    )

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files)
        self.problems: list[FieldProblem] = []

    @property
    def is_of_other_network(self) -> bool:
        """Whether it was refused for that, or is sent again after it was: only then is there something to agree to."""
        return "from_other_network" in self.data or any(one.code == "other_network" for one in self.problems)

    @property
    def document(self) -> bytes:
        """The file as it is."""
        raw: bytes = self.cleaned_data["file"].read()
        return raw

    def refuse(self, error: ServiceError) -> None:
        """Every problem is one of the file: they are listed by their paths in it, and counted beside it."""
        self.problems = list(error.errors)
        some = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        self.add_error("file", f"It has {some}." if self.problems else error.detail)
