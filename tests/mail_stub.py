"""A real SMTP server for tests: it records what it was handed, and answers as told."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, cast

from tests.waiting import wait_for


@dataclass(frozen=True)
class Mail:
    sender: str
    to: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return cast(EmailMessage, message_from_bytes(self.raw, policy=SMTP))


@dataclass
class MailStub:
    """`answers` gives the reply to a command (RCPT by its address, DATA's end as "."); None hangs up without a word.

    `commands` are those that came, without the mail itself.
    """

    answers: dict[str, str | None] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        stub = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                stub._serve(self)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def wait_for_mails(self, count: int) -> list[Mail]:
        wait_for(lambda: len(self.mails) >= count, 10, f"{count} mails")
        return self.mails

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _serve(self, peer: Any) -> None:
        def say(text: str) -> None:
            peer.wfile.write(f"{text}\r\n".encode())

        sender, to = "", []
        say("220 stub")
        while line := peer.rfile.readline().decode().strip():
            self.commands.append(line)
            verb = line.split(" ")[0].upper()
            key = line.partition("<")[2].partition(">")[0] if verb in ("MAIL", "RCPT") else verb
            if key in self.answers or verb in self.answers:
                answer = self.answers.get(key, self.answers.get(verb))
                if answer is None:
                    return
                say(answer)
                continue
            if verb == "EHLO":
                lines = ["stub", *self.extensions]
                for position, name in enumerate(lines):
                    say(f"250{' ' if position == len(lines) - 1 else '-'}{name}")
            elif verb == "DATA":
                say("354 go on")
                body = b""
                while not body.endswith(b"\r\n.\r\n"):
                    body += peer.rfile.readline()
                answer = self.answers.get(".", "250 taken")
                if answer is None:
                    return
                if answer.startswith("250"):
                    self.mails.append(Mail(sender, list(to), body[:-5]))
                say(answer)
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                sender, to = (key, []) if verb == "MAIL" else (sender, to)
                if verb == "RCPT":
                    to.append(key)
                say("250 ok")
