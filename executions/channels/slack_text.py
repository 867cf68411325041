"""Text as Slack reads it: `mrkdwn`, in which only &, < and > have an escape. Pure.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re

from executions.channels.texts import CUT, cut, last_part, visible

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BROKEN_ENTITY = re.compile(r"&[a-z]{0,4}$")
# A mention of people, groups or everybody; written by whoever may edit the workflow, and closed all the same.
_MENTION = re.compile(r"<(?=[!@])")
_BACKTICK = "ˋ"


def escape(text: str) -> str:
    """`text` on one line, without a way to begin a link or a mention."""
    return _escaped(visible(text))


def closed(text: str, limit: int) -> str:
    """What is markup already: nobody is mentioned, cut to `limit`."""
    plain = _MENTION.sub("&lt;", text)
    if len(plain) <= limit:
        return cut(plain, limit)
    return _BROKEN_ENTITY.sub("", plain[: limit - len(CUT)]) + CUT


def plain(text: str, limit: int) -> str:
    """A value, escaped, cut before that so that no entity breaks."""
    return _fitted(visible(text), limit)


def code(text: str, limit: int) -> str:
    return f"`{_fitted(visible(text).replace('`', _BACKTICK), limit - 2)}`"


def block(text: str, limit: int) -> str:
    """In a code block; what is too long loses its beginning."""
    room = limit - 8
    shown = last_part(text.replace("`", _BACKTICK), room)
    while len(_escaped(shown)) > room:
        shown = last_part(shown, len(shown) * 3 // 4)
    return f"```\n{_escaped(shown)}\n```"


def link(url: str, label: str) -> str:
    return f"<{_escaped(url).replace('|', '%7C')}|{label.replace('|', '/')}>"


def _fitted(text: str, limit: int) -> str:
    shown = cut(text, limit)
    while len(_escaped(shown)) > limit:
        shown = cut(shown, len(shown) * 3 // 4)
    return _escaped(shown)


def _escaped(text: str) -> str:
    return re.sub("[&<>]", lambda found: _ENTITIES[found[0]], text)
