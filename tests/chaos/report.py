"""The table at the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.chaos.checks import Facts, Sum

SHOWN = 20


def say(text: str) -> None:
    """One line or more for whoever watches, at once."""
    print(text, flush=True)  # noqa: T201


def table(sums: Sequence[Sum]) -> str:
    """One line for each sum, and under one that does not agree what differs."""
    width = max(len(one.name) for one in sums)
    lines = []
    for one in sums:
        lines.append(f"{'ok  ' if one.agrees else 'FAIL'}  {one.name:{width}}  {one.left:>14,}  {one.right:>14,}")
        lines += [f"        {what}" for what in one.differing[:SHOWN]]
        if len(one.differing) > SHOWN:
            lines.append(f"        … and {len(one.differing) - SHOWN} more")
    return "\n".join(lines)


def figures(facts: Facts, restarts: Mapping[str, int]) -> str:
    """What the run consisted of, for those who wonder whether it was hard enough."""
    statuses: dict[str, int] = {}
    for execution in facts.executions:
        statuses[execution.status] = statuses.get(execution.status, 0) + 1
    expired = sum(one.status == "expired" for one in facts.attempts)
    repeated = sum(one.maybe_repeated for one in facts.deliveries)
    merged = sum(bool(one.event.get("catch_up")) for one in facts.executions)
    return "\n".join(
        [
            f"executions: {', '.join(f'{count} {status}' for status, count in sorted(statuses.items()))}",
            f"attempts: {len(facts.attempts)}, of which {expired} expired and were signed anew",
            f"messages: {len(facts.deliveries)}, of which {repeated} marked maybe_repeated; catch-up events: {merged}",
            f"restarts: {', '.join(f'{count} {name}' for name, count in restarts.items())}",
        ]
    )
