"""The form of an IDL: a file or pasted text."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.errors import FieldProblem
from accounts.forms import ServiceForm
from workflows.specs.idls import MAX_BYTES
from workflows.specs.storable_json import NotStorable, loads

LONGEST_NAME = 200


class IdlForm(ServiceForm):
    """Valid, `document` is the parsed JSON and `name` what it is to be called."""

    file = forms.FileField(required=False, help_text="target/idl/<program>.json of an Anchor project.")
    text = forms.CharField(
        required=False, widget=forms.Textarea, label="Or its text", help_text="What `anchor idl fetch` prints."
    )
    name = forms.CharField(
        required=False, max_length=LONGEST_NAME, help_text="Empty: the name that the IDL gives its program."
    )
    program_id = forms.CharField(
        required=False, max_length=44, label="Program", help_text="Empty: the address that the IDL names."
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        file, text = given.get("file"), given.get("text") or ""
        if bool(file) == bool(text):
            self.add_error("file", "Give either a file or its text.")
            return given
        if file and file.size > MAX_BYTES:
            self.add_error("file", f"It must not be larger than {MAX_BYTES // 1024} KiB.")
            return given
        try:
            given["document"] = loads(file.read() if file else text.encode())
        except (ValueError, NotStorable) as error:
            self.add_error("file" if file else "text", f"This is no JSON: {error}")
            return given
        given["name"] = given.get("name") or _named(given["document"])
        if not given["name"]:
            self.add_error("name", "The IDL does not name its program: give it a name.")
        return given

    def field_of(self, problem: FieldProblem) -> str | None:
        if problem.path.startswith("document"):
            return "file" if self.cleaned_data.get("file") else "text"
        return super().field_of(problem)

    def refuse(self, error: Any) -> None:
        """With the place in the document: the field says only that it is in there."""
        for problem in error.errors:
            inner = problem.path.removeprefix("document").lstrip(".")
            self.add_error(self.field_of(problem), f"{inner}: {problem.detail}" if inner else problem.detail)
        if not error.errors:
            self.add_error(None, error.detail)


def _named(document: Any) -> str:
    """By its metadata, as Anchor writes it since 0.30, or by itself as before."""
    if not isinstance(document, dict):
        return ""
    metadata = document.get("metadata")
    name = (metadata.get("name") if isinstance(metadata, dict) else None) or document.get("name")
    return name[:LONGEST_NAME] if isinstance(name, str) else ""
