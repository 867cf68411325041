"""The forms of an address list: its entries are lines, as people paste them."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from accounts.forms import ServiceForm
from workflows.specs.exchange import MAX_ENTRIES, MAX_LABEL
from workflows.specs.fields import is_address

# An address, then its label after a comma, a semicolon, a tab or blanks; quotes as spreadsheets write them.
LINE = re.compile(r"\"?(?P<address>[^\s,;\"]+)\"?(?:\s*[,;\t]\s*|\s+|$)(?P<label>.*)")
HEADER = re.compile(r"\"?(address|wallet|account|public ?key)\"?\s*([,;\t]|$)", re.IGNORECASE)
PROBLEMS_TOLD = 5
LONGEST_TEXT = 1_000_000


class EntriesField(forms.CharField):
    """`[{"address", "label"}]` from lines; empty lines, `#` comments and a header line are passed over."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_TEXT, strip=False, **options)

    def to_python(self, value: Any) -> Any:
        text: str = super().to_python(value) or ""
        entries: list[dict[str, str]] = []
        line_of: dict[str, int] = {}
        problems: list[str] = []
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#") or (number == 1 and HEADER.match(line.strip())):
                continue
            address, label = _entry(line.strip())
            if problem := _problem(address, label, line_of.get(address)):
                problems.append(f"Line {number}: {problem}")
            else:
                line_of[address] = number
                entries.append({"address": address, "label": label})
        if problems:
            more = len(problems) - PROBLEMS_TOLD
            raise forms.ValidationError([*problems[:PROBLEMS_TOLD], *([f"And {more} more lines."] if more > 0 else [])])
        if len(entries) > MAX_ENTRIES:
            raise forms.ValidationError(f"These are {len(entries):,} addresses; a list holds {MAX_ENTRIES:,}.")
        return entries

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{entry['address']}, {entry['label']}".rstrip(", ") for entry in value)


def _entry(line: str) -> tuple[str, str]:
    match = LINE.match(line)
    if match is None:
        return line, ""
    return match["address"], match["label"].strip().strip('"').strip()


def _problem(address: str, label: str, earlier: int | None) -> str:
    if not is_address(address):
        return f"{address[:44]} is no address; it must be base58 of 32 bytes."
    if len(label) > MAX_LABEL:
        return f"the label has {len(label)} characters; {MAX_LABEL} are allowed."
    return f"the address is on line {earlier} already." if earlier else ""


HOW = "One a line: the address, then what you call it. Lines copied from a spreadsheet are fine."


class AddressListForm(ServiceForm):
    """A list as a whole."""

    name = forms.CharField(max_length=200)
    entries = EntriesField(required=False, label="Addresses", help_text=HOW)


class ImportForm(ServiceForm):
    """Addresses to add to a list."""

    entries = EntriesField(label="Addresses to add", help_text=f"{HOW} One that is in the list gets the new label.")
