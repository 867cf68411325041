"""A webhook payload as Discord would show it: embeds, and the part of its Markdown that messages use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from solflow.ui.text import instant

_DEFAULT_COLOR = 0x1E1F22
# What is escaped or inside code is no Markdown any more, so both are taken out first, in one pass from the left.
_VERBATIM = re.compile(r"\\([!-/:-@\[-`{-~])|```(?:\w*\n)?(.+?)```|`([^`\n]+)`", re.DOTALL)
_LINK = re.compile(r"\[([^\]\n]+)\]\((https?://[^\s)]+)\)")
_LINK_START = '<a href="{}" rel="noopener noreferrer" target="_blank">'
_STYLES = (
    (re.compile(r"\*\*(.+?)\*\*", re.DOTALL), r"<strong>\1</strong>"),
    (re.compile(r"__(.+?)__", re.DOTALL), r"<u>\1</u>"),
    (re.compile(r"~~(.+?)~~", re.DOTALL), r"<s>\1</s>"),
    (re.compile(r"(?<![\w*])\*(?!\s)([^*\n]+)\*(?!\w)"), r"<em>\1</em>"),
)
_PLACE = "\ue000"


@dataclass(frozen=True)
class EmbedField:
    name: SafeString
    value: SafeString
    inline: bool


@dataclass(frozen=True)
class Embed:
    color: str
    title: SafeString
    url: str
    description: SafeString
    fields: list[EmbedField]
    footer: str
    at: Any


@dataclass(frozen=True)
class DiscordMessage:
    username: str
    content: SafeString
    embeds: list[Embed]


def discord_message(payload: Mapping[str, Any]) -> DiscordMessage:
    """The message of an execute-webhook body; whatever is missing or of another type is left out."""
    embeds = payload.get("embeds")
    return DiscordMessage(
        username=str(payload.get("username") or "SolFlow"),
        content=_shown(payload.get("content")),
        embeds=[_embed(embed) for embed in embeds if isinstance(embed, Mapping)] if isinstance(embeds, list) else [],
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _shown(value: Any) -> SafeString:
    return markdown(_text(value))


def _embed(embed: Mapping[str, Any]) -> Embed:
    color = embed.get("color")
    footer = embed.get("footer")
    fields = embed.get("fields")
    return Embed(
        color=f"#{color if isinstance(color, int) and 0 <= color <= 0xFFFFFF else _DEFAULT_COLOR:06x}",
        title=_shown(embed.get("title")),
        url=_web_address(_text(embed.get("url"))),
        description=_shown(embed.get("description")),
        fields=[
            EmbedField(_shown(item.get("name")), _shown(item.get("value")), item.get("inline") is True)
            for item in (fields if isinstance(fields, list) else [])
            if isinstance(item, Mapping)
        ],
        footer=_text(footer.get("text")) if isinstance(footer, Mapping) else "",
        at=_time(_text(embed.get("timestamp"))),
    )


def _web_address(url: str) -> str:
    return url if urlsplit(url).scheme in {"http", "https"} else ""


def _time(text: str) -> Any:
    try:
        return instant(text) if text else None
    except ValueError:
        return None


def markdown(text: str) -> SafeString:
    """Discord's bold, italic, underline, strike, code and masked links. Everything else is text, escaped first."""
    held: list[str] = []

    def hold(html: str) -> str:
        held.append(html)
        return f"{_PLACE}{len(held) - 1}{_PLACE}"

    def verbatim(found: re.Match[str]) -> str:
        character, block, code = (part and escape(part.strip("\n")) for part in found.groups())
        return hold(character or (f"<pre>{block}</pre>" if block else f"<code>{code}</code>"))

    html = str(escape(_VERBATIM.sub(verbatim, text.replace(_PLACE, ""))))
    html = _LINK.sub(lambda m: hold(_LINK_START.format(m[2])) + m[1] + hold("</a>"), html)
    for pattern, replacement in _STYLES:
        html = pattern.sub(replacement, html)
    # What is held may hold something itself: an escaped character in the address of a link.
    while _PLACE in html:
        html = re.sub(f"{_PLACE}(\\d+){_PLACE}", lambda m: held[int(m[1])], html)
    return mark_safe(html.replace("\n", "<br>"))  # noqa: S308
