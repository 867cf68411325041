"""Text as Telegram counts it: UTF-16 code units, and formatting as ranges beside the text. Pure.

Ranges instead of markup: nothing that anybody wrote can be read as markup, or break a message by not being it.
Source: https://core.telegram.org/bots/api#messageentity
"""

from __future__ import annotations

from typing import Any

from executions.channels.texts import CUT, EMPTY


def units(text: str) -> int:
    """The length of `text` as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def cut_units(text: str, limit: int) -> str:
    """At most `limit` units, saying so where something was left out; never empty."""
    if not text.strip():
        return EMPTY
    if units(text) <= limit:
        return text
    return _first(text, limit - units(CUT)) + CUT


def last_units(text: str, limit: int) -> str:
    """At most `limit` units of the end of `text`."""
    if units(text) <= limit:
        return text
    mark = "(cut) …"
    # Half a pair at the beginning is dropped.
    return mark + text.encode("utf-16-le")[-2 * (limit - units(mark)) :].decode("utf-16-le", "ignore")


def _first(text: str, limit: int) -> str:
    return text.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")


class Writer:
    """A text that is written piece by piece, with what each piece is."""

    def __init__(self, limit: int) -> None:
        self.text = ""
        self.entities: list[dict[str, Any]] = []
        self._limit = limit
        self._length = 0

    @property
    def room(self) -> int:
        """Units that are left."""
        return self._limit - self._length

    def add(self, text: str, *kinds: str, url: str | None = None) -> None:
        """Append `text`, which has to fit, as `kinds` of entities and as a link to `url`."""
        length = units(text)
        shared = {"offset": self._length, "length": length}
        self.entities += [{"type": kind, **shared} for kind in kinds]
        if url is not None:
            self.entities.append({"type": "text_link", "url": url, **shared})
        self.text += text
        self._length += length
