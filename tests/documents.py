"""The examples in docs/: every ```json block, what each claims to be, and the shell of the API's page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import base58

from solflow.parts import ROOT

DOCS = ROOT / "docs"
AN_ADDRESS = "9B5XszUGdMaxCZ7uSQhPzdks5ZQSmWxrmzCSvtJ6Ns6g"
AN_ID = "7d3c9a52-0f57-4f27-8a57-3f4f4ba3b5a1"
A_SIGNATURE = base58.b58encode(bytes(range(1, 65))).decode()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """One JSON value of a page, placeholders filled in."""

    page: str
    value: Any

    def __str__(self) -> str:
        return f"{self.page}-{json.dumps(self.value)[:60]}"


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Language and text of each block of code."""
    yield from BLOCK.findall(page.read_text())


def examples() -> list[Example]:
    return [
        Example(page.stem, value)
        for page in pages()
        for language, text in blocks(page)
        if language == "json"
        for value in values(text)
    ]


def values(text: str) -> Iterator[Any]:
    """The JSON values that stand one after the other; raises ValueError for what is none."""
    decoder = json.JSONDecoder()
    rest = filled(text).strip()
    while rest:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].strip()


def filled(text: str) -> str:
    """`<list id>` and the like as an id, `<signature>` as one, any other `<…>` as an address."""
    text = re.sub(r"<(?:[\w ]+ )?id>", AN_ID, text)
    text = text.replace("<signature>", A_SIGNATURE)
    return re.sub(r"<[a-z][\w ]*>", AN_ADDRESS, text)


def in_tables(page: Path) -> list[Any]:
    """JSON objects that stand in backticks."""
    return [json.loads(filled(text)) for text in re.findall(r"`(\{\".*?\})`(?: \||$)", page.read_text(), re.MULTILINE)]
