"""Text as Discord reads and counts it: markdown escaped, parts cut to their limits with a word about it. Pure.

Lengths are code points, as Discord's engineers say that its API counts them:
https://github.com/discord/discord-api-docs/issues/1315
"""

from __future__ import annotations

import re

from executions.channels.texts import cut, last_part, visible

# Whatever opens or closes something in Discord's markdown, mentions and time stamps included; a backslash before
# punctuation shows the punctuation.
_MARKUP = re.compile(r"([\\*_~`|<>\[\]()#@])")
# At the beginning of a line these make lists and quotes.
_LINE_START = re.compile(r"^(\s*)([-+]|[0-9]+\.)")
# A bare URL becomes a link by itself: what a stranger wrote on chain must not be one click away.
_LINK = re.compile(r":(?=//)")
_BACKTICK = "ˋ"


def escape(text: str) -> str:
    """`text` on one line, so that Discord shows it as it is."""
    marked = _LINK.sub(r"\\:", _MARKUP.sub(r"\\\1", visible(text)))
    return _LINE_START.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", marked)


def code(text: str, limit: int) -> str:
    """In a code span, where nothing is escaped and only the backtick ends it."""
    return f"`{cut(visible(text).replace('`', _BACKTICK), limit - 2)}`"


def block(text: str, limit: int) -> str:
    """In a code block; what is too long loses its beginning, because logs say at their end what went wrong."""
    fence = "```"
    room = limit - 2 * len(fence) - 2
    return f"{fence}\n{last_part(text.replace('`', _BACKTICK), room)}\n{fence}"
