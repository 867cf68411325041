"""One mail to the server of EMAIL_URL: bounded in time, no password without TLS, and an honest answer.

The server is the operator's, so it may be on any address. What it refuses names no address of the receiver's but the
one that was refused.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address

from executions.channels.base import ChannelError, MailServer
from executions.channels.texts import visible

CONNECT_TIMEOUT_S = 10.0
MAX_TOLD = 200


def submit(server: MailServer, to: Sequence[str], mail: bytes, deadline: float) -> None:
    """Hand `mail` over for every address in `to`, over by `deadline` (of `time.monotonic()`).

    1. An address that is refused for now keeps the mail from all, so that the next attempt repeats nothing.
    2. One that is refused for good does not keep it from the others; then it is an error that says who has it.

    Raises:
        ChannelError: `maybe_delivered` once the mail itself was on its way.
    """
    session = _Session(server, deadline)
    try:
        session.run(to, mail)
    except ChannelError:
        raise
    except smtplib.SMTPResponseException as error:
        failure = _refused(server, error.smtp_code, error.smtp_error)
    except (smtplib.SMTPException, OSError, ValueError):
        failure = session.failure()
    else:
        return
    # Raised out here so that the library's exception, whose text may hold what was sent, is not chained to it.
    raise failure


class _Session:
    """One connection, and how far it came."""

    def __init__(self, server: MailServer, deadline: float) -> None:
        self._server = server
        self._deadline = deadline
        self._smtp: smtplib.SMTP | None = None
        self._is_underway = False

    @property
    def left_s(self) -> float:
        return self._deadline - time.monotonic()

    def run(self, to: Sequence[str], mail: bytes) -> None:
        # Timeouts of sockets count from byte to byte, so a server that drips would never meet them.
        watchdog = threading.Timer(max(self.left_s, 0.0), self._cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            smtp = self._connected()
            refused = self._addressed(smtp, to)
            self._is_underway = True
            code, said = smtp.data(mail)
            if code != 250:
                raise _refused(self._server, code, said)
            if refused:
                others = ", ".join(address for address in to if address not in refused)
                detail = f"refused for {', '.join(refused)}; {others} has it" if others else "refused"
                raise ChannelError(f"{self._server.host}: {detail}", permanent=True)
            with contextlib.suppress(smtplib.SMTPException, OSError):
                smtp.quit()
        finally:
            watchdog.cancel()
            self._cut()

    def failure(self) -> ChannelError:
        """What to say about a session without an answer."""
        late = " in time" if self.left_s <= 0 else ""
        if self._is_underway:
            return ChannelError(f"{self._server.host}: no answer to the mail{late}", maybe_delivered=True)
        what = "could not connect" if self._smtp is None or self._smtp.sock is None else "the session broke off"
        return ChannelError(f"{self._server.host}: {what}{late}")

    def _connected(self) -> smtplib.SMTP:
        server, timeout = self._server, max(min(CONNECT_TIMEOUT_S, self.left_s), 0.001)
        context = ssl.create_default_context()
        if server.tls == "at_once":
            self._smtp = smtplib.SMTP_SSL(timeout=timeout, context=context)
        else:
            self._smtp = smtplib.SMTP(timeout=timeout)
        smtp = self._smtp
        # smtplib checks the certificate against this name.
        smtp._host = server.host  # type: ignore[attr-defined]
        code, said = smtp.connect(server.host, server.port)
        if code != 220:
            raise _refused(server, code, said)
        smtp.ehlo_or_helo_if_needed()
        is_private = server.tls == "at_once"
        if not is_private and (server.tls == "required" or smtp.has_extn("starttls")):
            smtp.starttls(context=context)
            smtp.ehlo()
            is_private = True
        if server.user:
            if not is_private and not _is_loopback(server.host):
                raise ChannelError(f"{server.host} offers no TLS, and the password is not sent without", permanent=True)
            smtp.login(server.user, server.password)
        return smtp

    def _addressed(self, smtp: smtplib.SMTP, to: Sequence[str]) -> list[str]:
        """Name sender and receivers; returns those that the server refuses for good."""
        code, said = smtp.mail(self._server.sender)
        if code != 250:
            raise _refused(self._server, code, said)
        answers = {address: smtp.rcpt(address) for address in to}
        refused = {address: answer for address, answer in answers.items() if answer[0] not in (250, 251)}
        later = next((answer for answer in refused.values() if answer[0] < 500), None)
        if later is not None or len(refused) == len(to):
            raise _refused(self._server, *(later or next(iter(refused.values()))))
        return list(refused)

    def _cut(self) -> None:
        if self._smtp is not None and self._smtp.sock is not None:
            with contextlib.suppress(OSError):
                self._smtp.sock.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                self._smtp.sock.close()


def _refused(server: MailServer, code: int, said: bytes | str) -> ChannelError:
    """The server's word: 4xx is for now, 5xx for good. 421 and 450 to 452 may also mean that it has had enough."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return ChannelError(f"{server.host} answered {code}: {visible(text)[:MAX_TOLD]}", permanent=500 <= code < 600)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
