"""Discord webhooks: a message becomes one embed within Discord's limits; an answer becomes delivered, wait, or failed.

Sources:
https://discord.com/developers/docs/resources/webhook#execute-webhook (`wait=true`: the answer comes after storing)
https://discord.com/developers/docs/resources/message#embed-object-embed-limits
https://discord.com/developers/docs/topics/rate-limits
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

from executions.channels.answers import Answer, failure, json_of, number, retry_after_s, told, too_many
from executions.channels.base import ChannelError, Destination, Line, Message, Outbound, Pace
from executions.channels.discord_text import block, code, escape
from executions.channels.http import post
from executions.channels.texts import cut, visible
from workflows.specs.channels.discord import HOSTS, PATH

# Our own bound; Discord's is not fixed and comes with its answers.
MAX_PER_MINUTE = 30

MAX_TITLE, MAX_DESCRIPTION, MAX_URL = 256, 4096, 2048
MAX_FIELDS, MAX_FIELD_VALUE = 25, 1024
MAX_TOTAL = 6000
# Ours, far below Discord's 2048 and 256: both are labels.
MAX_FOOTER, MAX_FIELD_NAME = 256, 64
# A value below this says nothing any more; the field is left out, and one more, of at most so many characters, says so.
MIN_VALUE, LEFT_OUT_FIELD = 40, 60
# Of the whole, the description may take what the fields leave, and this much in any case.
DESCRIPTION_SHARE = 2000

UNKNOWN_WEBHOOK = 10015


class Discord:
    """The channel kind `discord`; config: `webhook_url`, and if wanted `thread_id`, `username`, `avatar_url`."""

    max_per_minute = MAX_PER_MINUTE

    def destination(self, config: Mapping[str, Any]) -> Destination:
        """The webhook itself: its URL may be written with several hosts and versions."""
        parts = urlsplit(config["webhook_url"])
        if parts.netloc in HOSTS and (found := PATH.fullmatch(parts.path)):
            return Destination(f"discord:{found['id']}/{found['token']}", "discord")
        return Destination(f"discord:{parts.netloc}{parts.path}", f"discord:{parts.netloc}")

    def escape(self, text: str) -> str:
        """Markdown, mentions and links of `text` made plain."""
        return escape(text)

    def preview(self, message: Message) -> dict[str, Any]:
        return payload(message)

    def send(self, config: Mapping[str, Any], message: Message, outbound: Outbound) -> Pace:
        """Post the message; a return means that Discord has stored it.

        Raises:
            RateLimited: Discord asks to wait.
            ChannelError: refused, failed, or nobody can tell.
        """
        url = config["webhook_url"]
        sender = {key: config[key] for key in ("username", "avatar_url") if config.get(key)}
        body = orjson.dumps({**payload(message), **sender})
        to = _waiting(url, config.get("thread_id"))
        return judge(post(to, body, {"Content-Type": "application/json"}, outbound), url)


def payload(message: Message) -> dict[str, Any]:
    """The request's JSON: one embed, and nobody is mentioned, whatever the texts say."""
    title = cut(message.title, MAX_TITLE)
    footer = cut(visible(message.footer), MAX_FOOTER)
    room = MAX_TOTAL - len(title) - len(footer)
    wanted = sum(len(line.name) + len(line.value) for line in message.lines)
    description = cut(message.text, min(MAX_DESCRIPTION, max(room - wanted, DESCRIPTION_SHARE))) if message.text else ""
    embed: dict[str, Any] = {
        "title": title,
        "color": message.color,
        "fields": _fields(message.lines, room - len(description)),
        "footer": {"text": footer},
    }
    if description:
        embed["description"] = description
    if message.url and len(message.url) <= MAX_URL:
        embed["url"] = message.url
    if message.at:
        embed["timestamp"] = message.at
    return {"embeds": [embed], "allowed_mentions": {"parse": []}}


def _fields(lines: tuple[Line, ...], room: int) -> list[dict[str, Any]]:
    """As many lines as fit into `room` characters and Discord's 25; the last field says how many did not."""
    fields: list[dict[str, Any]] = []
    for position, line in enumerate(lines):
        left = len(lines) - position
        name = cut(escape(line.name), MAX_FIELD_NAME)
        available = room - len(name) - (LEFT_OUT_FIELD if left > 1 else 0)
        if available < MIN_VALUE or (left > 1 and len(fields) == MAX_FIELDS - 1):
            fields.append({"name": "Left out", "value": f"{left} more, to be seen in SolFlow", "inline": False})
            break
        value = _value(line, min(MAX_FIELD_VALUE, available))
        fields.append({"name": name, "value": value, "inline": line.short})
        room -= len(name) + len(value)
    return fields


def _value(line: Line, limit: int) -> str:
    if line.kind == "block":
        return block(line.value, limit)
    if line.url and len(line.url) + MIN_VALUE < limit:
        inner = limit - len(line.url) - 4
        return f"[{_inline(line, inner)}]({line.url})"
    return _inline(line, limit)


def _inline(line: Line, limit: int) -> str:
    return code(line.value, limit) if line.kind == "code" else cut(escape(line.value), limit)


def judge(answer: Answer, url: str) -> Pace:
    """What Discord's answer to a message means; `url` is only used to keep it out of what is told."""
    said = json_of(answer.body)
    pace = Pace(
        _whole(answer.headers.get("x-ratelimit-remaining")), number(answer.headers.get("x-ratelimit-reset-after"))
    )
    if 200 <= answer.status < 300:
        return pace
    if answer.status == 429:
        raise _limited(answer, said, pace)
    gone = answer.status == 404 and said.get("code") == UNKNOWN_WEBHOOK
    raise failure(answer, _told(said, url), gone=gone, pace=pace)


def _limited(answer: Answer, said: Mapping[str, Any], pace: Pace) -> ChannelError:
    asked = number(said.get("retry_after"))
    if asked is None:
        asked = retry_after_s(answer.headers)
    if asked is None:
        asked = pace.reset_after_s
    # Without any of Discord's own words it is the network in front of it, which counts this machine's address.
    by_address = not said and not any(name.startswith("x-ratelimit-") for name in answer.headers)
    whole = by_address or said.get("global") is True or answer.headers.get("x-ratelimit-global", "").lower() == "true"
    return too_many(answer, asked, whole_family=whole, pace=pace)


def _told(said: Mapping[str, Any], url: str) -> str:
    """Discord's own explanation."""
    message, code = said.get("message"), said.get("code")
    return told(f"{code} {message}" if isinstance(code, int) and isinstance(message, str) else message, url)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _waiting(url: str, thread_id: str | None) -> str:
    """The URL to post to: an answer only after the message is stored, by a version whose figures are seconds. A thread
    that the config names goes before one in the URL."""
    parts = urlsplit(url)
    ours = {"wait", "thread_id"} if thread_id else {"wait"}
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ours]
    if thread_id:
        query.append(("thread_id", thread_id))
    path = parts.path
    if parts.netloc in HOSTS and (found := PATH.fullmatch(path)):
        path = f"/api/v10/webhooks/{found['id']}/{found['token']}"
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode([*query, ("wait", "true")]), ""))
