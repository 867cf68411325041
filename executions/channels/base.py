"""What every channel is: it takes a message that knows no channel, and sends it or says why not. No I/O here.

Errors:
    ChannelError            the message was not delivered, or nobody can tell
    └── RateLimited         the receiver asks to wait; this was no attempt
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """One named fact. `code`: an address, signature or figure to copy; `block`: lines of a log; `url` makes a link."""

    name: str
    value: str
    kind: Literal["text", "code", "block"] = "text"
    short: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message before any channel's markup and limits: `lines` and `footer` hold plain text.

    `title` and `text` are written by the user, or by us, in the channel's markup, with the values in them escaped.
    `id` stays the same when it is sent again; `type` and `about` are for machines: what happened, and to what.
    """

    title: str
    text: str
    color: int
    lines: tuple[Line, ...] = ()
    url: str | None = None
    footer: str = ""
    at: str | None = None
    id: str = ""
    type: str = ""
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Pace:
    """What the receiver's answer said about its limit: so many more until so many seconds from now."""

    remaining: int | None = None
    reset_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class MailServer:
    """The installation's way to send mail. `tls`: from the first byte, by STARTTLS always or where it is offered."""

    host: str
    port: int
    sender: str
    tls: Literal["at_once", "required", "offered"] = "offered"
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Outbound:
    """How far a channel may reach, and until when: `deadline` is a `time.monotonic()` by which it has answered."""

    allowed_hosts: Sequence[str]
    deadline: float
    mail: MailServer | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a channel's messages end up. Two channels with equal destinations share the receiver's limit.

    `identity` is a secret, or holds one: it is hashed before it is stored. `family` names the receiver's whole service,
    None where a limit cannot hold for all of it.
    """

    identity: str = field(repr=False)
    family: str | None = None


class ChannelError(Exception):
    """A send that failed. The text is for people: it names the host, never more of a URL, and no secret.

    `permanent`: trying again cannot help. `maybe_delivered`: the request went out and its answer was lost.
    `gone`: the receiver says that it no longer exists, and must not be asked again.
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        maybe_delivered: bool = False,
        gone: bool = False,
        pace: Pace | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.maybe_delivered = maybe_delivered
        self.gone = gone
        self.pace = pace or Pace()


class RateLimited(ChannelError):
    """Wait `retry_after_s`, all of you. `whole_family`: for the receiver's whole service, not for one address."""

    def __init__(
        self, detail: str, *, retry_after_s: float, whole_family: bool = False, pace: Pace | None = None
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s, pace=pace)
        self.whole_family = whole_family


class Channel(Protocol):
    """One kind of channel. `config` is the opened box: JSON, as workflows.specs.channels normalised it."""

    @property
    def max_per_minute(self) -> int:
        """The most messages that one destination gets in any minute."""

    def destination(self, config: Mapping[str, Any]) -> Destination:
        """Where this goes, for the limits."""

    def escape(self, text: str) -> str:
        """A value from an event or a name, so that this channel's markup shows it as it is."""

    def preview(self, message: Message) -> Mapping[str, Any] | None:
        """The JSON that would be sent for it, without what the config adds; None where it is no JSON."""

    def send(self, config: Mapping[str, Any], message: Message, outbound: Outbound) -> Pace:
        """Send once. A return means that it was delivered.

        Raises:
            ChannelError: it was not, or nobody can tell.
        """
