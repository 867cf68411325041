"""What people are told of an execution, before any channel's markup and limits. Pure: JSON in, `Message` out.

A template decides how much is told, the outcome what is said of it; a notification's own title, message and colour
replace those of the template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from executions import message_lines as lines
from executions.channels.base import Line, Message
from executions.explorer import Explorer
from executions.figures import short, signed, sol
from workflows.templating import render

Execution = Mapping[str, Any]
Lines = Callable[[Execution, Explorer], Iterator[Line]]


class Outcome(NamedTuple):
    """`title` is completed by the workflow's name; `text` says what it means where the name alone does not."""

    color: int
    title: str
    text: str = ""


# Tells of the workflow, where the others tell of an execution.
PAUSED = "paused"
RECOVERED = "recovered"
APPROVAL = "approval"
_RUN_BY = {"manual": "Run by hand", "schedule": "Run by schedule", "webhook": "Run by a webhook"}

OUTCOMES: Mapping[str, Outcome] = {
    "success": Outcome(0x14B887, "{name} succeeded"),
    "failed": Outcome(0xF0483E, "{name} failed"),
    "filtered": Outcome(0x8B8F9A, "{name}: filtered out", "The event did not meet the filter. Nothing was sent."),
    "throttled": Outcome(
        0xE5A00D, "{name} was throttled", "The workflow has used up its executions of this hour. A person may retry it."
    ),
    "reverted": Outcome(
        0xF97316,
        "Correction: {name} is not done",
        "Its transaction was confirmed and then vanished in a fork. SolFlow goes on with it and will tell how it ends.",
    ),
    RECOVERED: Outcome(0x0FA3B1, "{name} works again"),
    PAUSED: Outcome(
        0xB45309,
        "{name} is paused",
        "Nothing more is signed for it until a person resumes it. Its events are recorded and wait.",
    ),
    APPROVAL: Outcome(
        0x2563EB,
        "{name} needs your approval",
        "Nothing is signed before a person says yes.",
    ),
    "test": Outcome(
        0x5B3DF5,
        "Test message from SolFlow",
        "If you can read this, the channel works. No workflow ran, nothing was paid.",
    ),
}


def build(
    outcome: str,
    notification: Mapping[str, Any],
    execution: Execution,
    workflow: Mapping[str, Any],
    *,
    explorer: Explorer,
    escape: Callable[[str], str],
) -> Message:
    """The message for one notification (`template`, `title`, `message`, `color`) of an execution in the API's shape.

    That a workflow was paused has a `reason` in place of those four, and the execution that brought it about.

    `workflow` has `id` and `name`; `escape` is the channel's, applied to every value that somebody else wrote.

    Raises:
        TemplateError: the notification's own text is malformed, which saving it would have refused.
    """
    said = OUTCOMES[outcome]
    ran_dry = bool(execution.get("dry_run")) and outcome != PAUSED
    context = template_context(execution, workflow)
    transaction = execution.get("transaction") or {}
    name = escape(str(workflow["name"]))
    template = notification.get("template") or "default"
    title, text = notification.get("title"), notification.get("message")
    return Message(
        title=render(title, context, escape=escape)
        if title
        else said.title.format(name=name) + (" (dry run)" if ran_dry else ""),
        text=render(text, context, escape=escape) if text else _text(said, notification, execution, escape),
        color=_color(notification.get("color"), said.color),
        lines=tuple((_paused if outcome == PAUSED else TEMPLATES[template])(execution, explorer)),
        url=explorer.transaction(transaction["signature"]) if transaction.get("signature") else None,
        footer=f"SolFlow · {workflow['name']} · version {execution.get('workflow_version')} · {explorer.network}",
        at=execution.get("completed_at") or execution.get("created_at"),
        type=f"workflow.{outcome}" if outcome == PAUSED else f"execution.{outcome}",
        about={
            "workflow": dict(workflow),
            "execution": dict(execution),
            **({"reason": notification["reason"]} if notification.get("reason") else {}),
        },
    )


def build_test(channel_name: str, *, explorer: Explorer, at: str) -> Message:
    """The message that proves a channel."""
    said = OUTCOMES["test"]
    footer = f"SolFlow · {channel_name} · {explorer.network}"
    return Message(said.title, said.text, said.color, footer=footer, at=at, type="test")


def template_context(execution: Execution, workflow: Mapping[str, Any]) -> dict[str, Any]:
    """What `{{ … }}` sees in a notification: `execution` without the parts that have names of their own."""
    apart = ("event", "transaction", "steps", "notifications")
    return {
        "event": execution.get("event") or {},
        "workflow": {**workflow, "version": execution.get("workflow_version")},
        "execution": {key: value for key, value in execution.items() if key not in apart},
        "transaction": execution.get("transaction") or {},
    }


def _text(said: Outcome, notification: Mapping[str, Any], execution: Execution, escape: Callable[[str], str]) -> str:
    """The event in one sentence, then what the outcome means; why it failed, where no line says it."""
    reason = notification.get("reason")
    if reason:
        return f"{escape(str(reason)[:1].upper() + str(reason)[1:])}\n{said.text}"
    failures = notification.get("failures")
    if failures:
        some = "a failure" if failures == 1 else f"{failures} failures in a row"
        return f"It succeeded after {some}.\n{escape(seen(execution.get('event') or {}))}"
    sentences = [escape(seen(execution.get("event") or {})), said.text]
    error = execution.get("error")
    if notification.get("template") == "minimal" and error:
        sentences.append(escape(str(error.get("detail") or error.get("code"))))
    return "\n".join(sentence for sentence in sentences if sentence)


def seen(event: Mapping[str, Any]) -> str:
    """An event in one sentence, in plain text."""
    account = short(str(event.get("account") or ""))
    delta, kind = event.get("lamports_delta"), event.get("type")
    if kind == "balance_change" and isinstance(delta, int):
        return f"{account} {'received' if delta >= 0 else 'spent'} {sol(abs(delta))}"
    if kind in ("account_change", "program_account_change"):
        by = f", {signed(sol(delta))}" if isinstance(delta, int) and delta else ""
        return f"{account} changed{by}"
    if kind == "program_log":
        return f"{account} logged {event.get('name') or 'a line that matches'}"
    return _RUN_BY.get(str(kind), account)


def _color(wanted: Any, otherwise: int) -> int:
    if isinstance(wanted, str):
        return int(wanted.removeprefix("#"), 16)
    return wanted if isinstance(wanted, int) else otherwise


def _default(execution: Execution, explorer: Explorer) -> Iterator[Line]:
    yield from lines.event_lines(execution.get("event") or {}, explorer)
    yield from lines.transaction_lines(execution.get("transaction"), explorer)
    yield from lines.error_lines(execution)


def _success(execution: Execution, explorer: Explorer) -> Iterator[Line]:
    yield from lines.all_transaction_lines(execution.get("transaction"), explorer)
    yield from lines.event_lines(execution.get("event") or {}, explorer)
    yield from lines.error_lines(execution)


def _error(execution: Execution, explorer: Explorer) -> Iterator[Line]:
    yield from lines.error_lines(execution)
    yield from lines.transaction_lines(execution.get("transaction"), explorer)
    yield from lines.log_lines(execution.get("transaction"))
    yield from lines.event_lines(execution.get("event") or {}, explorer)
    yield Line("Execution", str(execution.get("execution_id") or ""), "code")


def _minimal(execution: Execution, explorer: Explorer) -> Iterator[Line]:
    return iter(())


def _detailed(execution: Execution, explorer: Explorer) -> Iterator[Line]:
    yield from lines.error_lines(execution)
    yield from lines.all_event_lines(execution.get("event") or {}, explorer)
    yield from lines.all_transaction_lines(execution.get("transaction"), explorer)
    yield from lines.log_lines(execution.get("transaction"))
    yield from lines.record_lines(execution)


def _paused(execution: Execution, explorer: Explorer) -> Iterator[Line]:
    transaction = execution.get("transaction") or {}
    if transaction.get("signature"):
        yield from lines.transaction_lines(transaction, explorer)
    yield Line("Execution", str(execution.get("execution_id") or ""), "code")


TEMPLATES: Mapping[str, Lines] = {
    "default": _default,
    "success": _success,
    "error": _error,
    "minimal": _minimal,
    "detailed": _detailed,
}
