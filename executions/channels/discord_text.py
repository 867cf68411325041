"""Text as Discord reads and counts it: markdown escaped, parts cut to their limits with a word about it. Pure.

Lengths are code points, as Discord's engineers say that its API counts them:
https://github.com/discord/discord-api-docs/issues/1315
"""

from __future__ import annotations

import re
import unicodedata

CUT = "… (cut)"
EMPTY = "n/a"

# Whatever opens or closes something in Discord's markdown, mentions and time stamps included; a backslash before
# punctuation shows the punctuation.
_MARKUP = re.compile(r"([\\*_~`|<>\[\]()#@])")
# At the beginning of a line these make lists and quotes.
_LINE_START = re.compile(r"^(\s*)([-+]|[0-9]+\.)")
# A bare URL becomes a link by itself: what a stranger wrote on chain must not be one click away.
_LINK = re.compile(r":(?=//)")
_BACKTICK = "ˋ"
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})


def escape(text: str) -> str:
    """`text` on one line, so that Discord shows it as it is."""
    marked = _LINK.sub(r"\\:", _MARKUP.sub(r"\\\1", visible(text)))
    return _LINE_START.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", marked)


def visible(text: str) -> str:
    """Without control, bidirectional and zero-width characters; line breaks become blanks."""
    return _visible(" ".join(text.splitlines()))


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, saying so where something was left out; never empty."""
    if not text.strip():
        return EMPTY[:limit]
    if len(text) <= limit:
        return text
    # A backslash left at the end would escape the first character of what says that it was cut.
    kept = text[: max(limit - len(CUT), 0)].rstrip("\\")
    return (kept + CUT)[:limit]


def code(text: str, limit: int) -> str:
    """In a code span, where nothing is escaped and only the backtick ends it."""
    return f"`{cut(visible(text).replace('`', _BACKTICK), limit - 2)}`"


def block(text: str, limit: int) -> str:
    """In a code block; what is too long loses its beginning, because logs say at their end what went wrong."""
    fence = "```"
    room = limit - 2 * len(fence) - 2
    plain = "\n".join(_visible(line) for line in text.splitlines()).replace("`", _BACKTICK).strip() or EMPTY
    if len(plain) > room:
        mark = "(cut) …"
        plain = mark + plain[len(plain) - (room - len(mark)) :]
    return f"{fence}\n{plain}\n{fence}"


def _visible(line: str) -> str:
    return "".join(character for character in line if unicodedata.category(character) not in _INVISIBLE)
