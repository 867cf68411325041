"""Telegram: a bot writes the message into a chat. The token is a part of the URL: no text here repeats either.

Sources:
https://core.telegram.org/bots/api#sendmessage (4096 UTF-16 code units, 100 entities)
https://core.telegram.org/bots/api#making-requests, #responseparameters (`retry_after`, `migrate_to_chat_id`)
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this (20 a minute to one group)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from executions.channels.answers import Answer, failure, json_of, number, told, too_many
from executions.channels.base import ChannelError, Destination, Line, Message, Outbound, Pace
from executions.channels.http import post
from executions.channels.telegram_text import Writer, cut_units, last_units, units
from executions.channels.texts import visible, visible_lines
from workflows.specs.channels.telegram import API_URL

MAX_PER_MINUTE = 20
MAX_TEXT = 4096
MAX_TITLE, MAX_MESSAGE, MAX_NAME, MAX_VALUE, MAX_FOOTER, MAX_URL = 256, 2000, 64, 1024, 256, 2048
# Each has at most three entities, of Telegram's 100.
MAX_LINES = 30
MIN_VALUE, LEFT_OUT = 40, 60
# The bot was thrown out of the chat, its token is no more, or the chat is not there: no other attempt changes that.
GONE_STATUS = frozenset({401, 403, 404})
GONE_TOLD = ("chat not found", "group chat was upgraded", "user is deactivated")


class Telegram:
    """The channel kind `telegram`; config: `bot_token`, `chat_id`, and if wanted `thread_id`, `api_url`."""

    max_per_minute = MAX_PER_MINUTE

    def destination(self, config: Mapping[str, Any]) -> Destination:
        """The chat; and the bot, which has a limit of its own over all chats."""
        bot = f"telegram:{config['bot_token']}"
        return Destination(f"{bot}:{config['chat_id']}", bot)

    def escape(self, text: str) -> str:
        """There is no markup to escape."""
        return visible(text)

    def preview(self, message: Message) -> dict[str, Any]:
        return payload(message)

    def send(self, config: Mapping[str, Any], message: Message, outbound: Outbound) -> Pace:
        """Send the message; a return means that Telegram has it.

        Raises:
            RateLimited: Telegram asks to wait.
            ChannelError: refused, failed, or nobody can tell.
        """
        url = f"{config.get('api_url') or API_URL}/bot{config['bot_token']}/sendMessage"
        body = orjson.dumps({**payload(message), **_chat(config)})
        return judge(post(url, body, {"Content-Type": "application/json"}, outbound), url)


def payload(message: Message) -> dict[str, Any]:
    """The request's JSON but for the chat."""
    writer = Writer(MAX_TEXT)
    footer = cut_units(visible(message.footer), MAX_FOOTER) if message.footer else ""
    link = message.url if message.url and len(message.url) <= MAX_URL else None
    writer.add(cut_units(visible(message.title).strip(), MAX_TITLE), "bold", url=link)
    text = visible_lines(message.text).strip()
    if text:
        writer.add("\n" + cut_units(text, MAX_MESSAGE))
    _add_lines(writer, message.lines, units(footer) + 2)
    if footer:
        writer.add("\n\n")
        writer.add(footer, "italic")
    return {"text": writer.text, "entities": writer.entities, "link_preview_options": {"is_disabled": True}}


def _add_lines(writer: Writer, lines: tuple[Line, ...], kept: int) -> None:
    """As many lines as fit, `kept` units left; the last one says how many did not."""
    if lines:
        writer.add("\n")
    for position, line in enumerate(lines):
        left = len(lines) - position
        name = f"\n{cut_units(visible(line.name), MAX_NAME)}: "
        available = writer.room - kept - units(name) - (LEFT_OUT if left > 1 else 0)
        if available < MIN_VALUE or (left > 1 and position == MAX_LINES - 1):
            writer.add(f"\n{left} more, to be seen in SolFlow")
            return
        writer.add(name)
        limit = min(available, MAX_VALUE)
        link = line.url if line.url and len(line.url) <= MAX_URL else None
        if line.kind == "block":
            writer.add("\n")
            writer.add(last_units(visible_lines(line.value).strip() or "n/a", limit - 1), "pre")
        else:
            # A code entity cannot be a link as well.
            kinds = ("code",) if line.kind == "code" and link is None else ()
            writer.add(cut_units(visible(line.value), limit), *kinds, url=link)


def _chat(config: Mapping[str, Any]) -> dict[str, Any]:
    chat = str(config["chat_id"])
    thread = {"message_thread_id": config["thread_id"]} if config.get("thread_id") else {}
    return {"chat_id": chat if chat.startswith("@") else int(chat), **thread}


def judge(answer: Answer, url: str) -> Pace:
    """What Telegram's answer means; `url` is only used to keep it out of what is told."""
    said = json_of(answer.body)
    if 200 <= answer.status < 300:
        return Pace()
    found = said.get("parameters")
    parameters: Mapping[str, Any] = found if isinstance(found, dict) else {}
    if answer.status == 429:
        raise too_many(answer, number(parameters.get("retry_after")))
    raise _failure(answer, told(said.get("description"), url), parameters)


def _failure(answer: Answer, description: str, parameters: Mapping[str, Any]) -> ChannelError:
    moved_to = parameters.get("migrate_to_chat_id")
    if isinstance(moved_to, int):
        description = f"the group became a supergroup: its chat_id is now {moved_to}"
    gone = answer.status in GONE_STATUS or isinstance(moved_to, int)
    gone = gone or any(words in description.lower() for words in GONE_TOLD)
    return failure(answer, description, gone=gone)
