"""Text that strangers wrote, made fit to be shown: no invisible characters, cut with a word about it. Pure."""

from __future__ import annotations

import unicodedata

CUT = "… (cut)"
EMPTY = "n/a"

_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})


def visible(text: str) -> str:
    """Without control, bidirectional and zero-width characters; line breaks become blanks."""
    return visible_line(" ".join(text.splitlines()))


def visible_lines(text: str) -> str:
    """As `visible`, with the line breaks."""
    return "\n".join(visible_line(line) for line in text.splitlines())


def visible_line(line: str) -> str:
    """As `visible`, of what has no line breaks."""
    return "".join(character for character in line if unicodedata.category(character) not in _INVISIBLE)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, saying so where something was left out; never empty."""
    if not text.strip():
        return EMPTY[:limit]
    if len(text) <= limit:
        return text
    # A backslash left at the end would escape the first character of what says that it was cut.
    kept = text[: max(limit - len(CUT), 0)].rstrip("\\")
    return (kept + CUT)[:limit]


def last_part(text: str, limit: int) -> str:
    """At most `limit` characters of the end, because logs say there what went wrong; never empty."""
    plain = visible_lines(text).strip() or EMPTY
    if len(plain) <= limit:
        return plain
    mark = "(cut) …"
    return mark + plain[len(plain) - (limit - len(mark)) :]
