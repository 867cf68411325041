"""Email: the message as text, with a page beside it for programs that show one. Sent by the installation's server.

Sources: RFC 5321 (SMTP), RFC 5322 (messages).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape as html_escape
from typing import Any

from executions.channels.base import ChannelError, Destination, Line, MailServer, Message, Outbound, Pace
from executions.channels.smtp import submit
from executions.channels.texts import cut, last_part, visible, visible_lines

MAX_PER_MINUTE = 60
MAX_SUBJECT, MAX_TEXT, MAX_VALUE = 200, 20_000, 8000


class Email:
    """The channel kind `email`; config: `to`, a list of addresses."""

    max_per_minute = MAX_PER_MINUTE

    def destination(self, config: Mapping[str, Any]) -> Destination:
        """The addresses together; and the one server that takes all mail."""
        return Destination("email:" + ",".join(sorted(config["to"])), "email")

    def escape(self, text: str) -> str:
        """There is no markup to escape."""
        return visible(text)

    def preview(self, message: Message) -> None:
        return None

    def send(self, config: Mapping[str, Any], message: Message, outbound: Outbound) -> Pace:
        """Hand the message to the mail server; a return means that it has taken the responsibility.

        Raises:
            ChannelError: refused, failed, or nobody can tell.
        """
        if outbound.mail is None:
            raise ChannelError("EMAIL_URL is not set for the worker: no mail server to send by", permanent=True)
        submit(outbound.mail, config["to"], written(message, outbound.mail, config["to"]), outbound.deadline)
        return Pace()


def written(message: Message, server: MailServer, to: list[str]) -> bytes:
    """The message as it goes over the wire."""
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = cut(visible(message.title), MAX_SUBJECT)
    mail["From"] = f"SolFlow <{server.sender}>"
    mail["To"] = ", ".join(to)
    mail["Date"] = format_datetime(datetime.now(UTC))
    # The same for every attempt, so that mail programs show a repetition once.
    mail["Message-ID"] = f"<{message.id}@{server.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(_as_text(message))
    mail.add_alternative(_as_html(message), subtype="html")
    return mail.as_bytes()


def _as_text(message: Message) -> str:
    parts = [visible(message.title), visible_lines(message.text)[:MAX_TEXT]]
    parts.append("\n".join(_text_line(line) for line in message.lines))
    parts += [message.url or "", f"-- \n{visible(message.footer)}"]
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _text_line(line: Line) -> str:
    if line.kind == "block":
        indented = "\n".join(f"    {row}" for row in last_part(line.value, MAX_VALUE).splitlines())
        return f"{visible(line.name)}:\n{indented}"
    link = f"  {line.url}" if line.url else ""
    return f"{visible(line.name)}: {cut(visible(line.value), MAX_VALUE)}{link}"


def _as_html(message: Message) -> str:
    title, text = html_escape(visible(message.title)), html_escape(visible_lines(message.text)[:MAX_TEXT])
    heading = f'<a href="{html_escape(message.url)}">{title}</a>' if message.url else title
    rows = "".join(_html_line(line) for line in message.lines)
    return (
        '<!DOCTYPE html><html><body style="font:14px/1.5 sans-serif">'
        f'<div style="border-left:4px solid #{message.color:06x};padding:4px 16px">'
        f'<h1 style="font-size:17px;margin:0 0 8px">{heading}</h1>'
        f'<p style="white-space:pre-line;margin:0 0 12px">{text}</p><table style="border-spacing:0">{rows}</table>'
        f'<p style="color:#666;font-size:12px;margin:12px 0 0">{html_escape(visible(message.footer))}</p>'
        "</div></body></html>\n"
    )


def _html_line(line: Line) -> str:
    style = "padding:2px 16px 2px 0;vertical-align:top"
    if line.kind == "block":
        value = f'<pre style="margin:0;font-size:12px">{html_escape(last_part(line.value, MAX_VALUE))}</pre>'
    else:
        value = html_escape(cut(visible(line.value), MAX_VALUE))
        value = f"<code>{value}</code>" if line.kind == "code" else value
        value = f'<a href="{html_escape(line.url)}">{value}</a>' if line.url else value
    name = html_escape(visible(line.name))
    return f'<tr><td style="{style};color:#666">{name}</td><td style="{style}">{value}</td></tr>'
