"""Slack incoming webhooks: a message becomes a title and an attachment of blocks in its colour.

Sources:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/block-kit/blocks/section-block (3000 characters; 10 fields of 2000)
https://docs.slack.dev/apis/web-api/rate-limits (one message a second)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import orjson

from executions.channels.answers import Answer, failure, told, too_many
from executions.channels.base import Destination, Line, Message, Outbound, Pace
from executions.channels.http import post
from executions.channels.slack_text import block, closed, code, escape, link, plain

MAX_PER_MINUTE = 60
# Ours, far below Slack's: a title is one line.
MAX_TITLE, MAX_NAME, MAX_FOOTER = 256, 64, 256
MAX_SECTION, MAX_FIELD, MAX_FIELDS = 3000, 2000, 10
# Of Slack's 50 blocks, with room for the text, the footer and the word about what was left out.
MAX_BLOCKS = 46
# Slack's words for "this webhook will not work again": https://docs.slack.dev/changelog (errors of incoming webhooks)
GONE_WORDS = frozenset(
    {
        "no_service", "no_service_id", "no_team", "no_active_hooks", "invalid_token", "team_disabled",
        "channel_not_found", "channel_is_archived", "action_prohibited", "user_not_found",
    }
)  # fmt: skip
GONE_STATUS = frozenset({404, 410})


class Slack:
    """The channel kind `slack`; config: `webhook_url`."""

    max_per_minute = MAX_PER_MINUTE

    def destination(self, config: Mapping[str, Any]) -> Destination:
        url = config["webhook_url"]
        return Destination(f"slack:{url}", None if "slack" in urlsplit(url).netloc else f"slack:{urlsplit(url).netloc}")

    def escape(self, text: str) -> str:
        return escape(text)

    def preview(self, message: Message) -> dict[str, Any]:
        return payload(message)

    def send(self, config: Mapping[str, Any], message: Message, outbound: Outbound) -> Pace:
        """Post the message; a return means that Slack has taken it.

        Raises:
            RateLimited: Slack asks to wait.
            ChannelError: refused, failed, or nobody can tell.
        """
        url = config["webhook_url"]
        return judge(post(url, orjson.dumps(payload(message)), {"Content-Type": "application/json"}, outbound), url)


def payload(message: Message) -> dict[str, Any]:
    """The request's JSON. `text` is also what a phone's lock screen shows; links are ours and not unfolded."""
    title = closed(message.title, MAX_TITLE)
    # A title with a link of its own cannot be one.
    is_link = message.url is not None and "<" not in title
    blocks = _blocks(message.lines)
    if message.text:
        blocks.insert(0, _section(closed(message.text, MAX_SECTION)))
    if message.footer:
        footer = {"type": "mrkdwn", "text": plain(message.footer, MAX_FOOTER), "verbatim": True}
        blocks.append({"type": "context", "elements": [footer]})
    return {
        "text": f"*{link(message.url or '', title) if is_link else title}*",
        "attachments": [{"color": f"#{message.color:06x}", "blocks": blocks}],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _blocks(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Short lines side by side, the others one below the other; the last block says how many did not fit."""
    blocks: list[dict[str, Any]] = []
    for position, line in enumerate(lines):
        if len(blocks) == MAX_BLOCKS:
            blocks.append(_section(f"{len(lines) - position} more, to be seen in SolFlow"))
            break
        if not line.short:
            blocks.append(_section(_written(line, MAX_SECTION)))
            continue
        last = blocks[-1] if blocks else {}
        if len(last.get("fields", ())) in (0, MAX_FIELDS):
            last = {"type": "section", "fields": []}
            blocks.append(last)
        last["fields"].append(_text(_written(line, MAX_FIELD)))
    return blocks


def _written(line: Line, limit: int) -> str:
    name = f"*{plain(line.name, MAX_NAME)}*\n"
    room = limit - len(name)
    if line.kind == "block":
        return name + block(line.value, room)
    if line.url and len(link(line.url, "")) + 100 < room:
        return name + link(line.url, _inline(line, room - len(link(line.url, ""))))
    return name + _inline(line, room)


def _inline(line: Line, limit: int) -> str:
    return code(line.value, limit) if line.kind == "code" else plain(line.value, limit)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, Any]:
    # verbatim: addresses and names that strangers wrote are not made into links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def judge(answer: Answer, url: str) -> Pace:
    """What Slack's answer means; it explains failures in a word of plain text."""
    if 200 <= answer.status < 300:
        return Pace()
    if answer.status == 429:
        raise too_many(answer)
    word = answer.body[:200].decode("utf-8", "replace").strip()
    raise failure(answer, told(word, url), gone=answer.status in GONE_STATUS or word in GONE_WORDS)
