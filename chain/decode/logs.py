"""Who wrote which log line: the runtime's own lines ("invoke", "success", "failed") carry the stack of programs.

1. `Program <id> invoke [<depth>]` puts a program on top of the stack at that depth, `success` and `failed` take it off.
2. `Program log: `, `Program data: ` and `Program return: <id> ` lines belong to the program on top. A program cannot
   forge the others: all it writes gets one of these beginnings.
3. A line without a beginning of the runtime's is written by a built-in program (the system program's error texts).
4. `Log truncated` ends it: the runtime drops every line that does not fit any more and still keeps shorter ones, so an
   attacker who fills the log can make a victim's end line vanish and have its own words stand below the victim's name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["log", "data", "return"]

_ID = r"[1-9A-HJ-NP-Za-km-z]{32,44}"
_INVOKE = re.compile(rf"Program ({_ID}) invoke \[(\d{{1,3}})\]")
_END = re.compile(rf"Program ({_ID}) (?:success|failed(?:: .*)?)", re.DOTALL)
_WRITTEN = re.compile(rf"Program (?:(log|data): ?|(return): {_ID} ?)(.*)", re.DOTALL)
# What the runtime says about a program in its frame. The program has no hand in it.
_RUNTIME = re.compile(
    rf"Program (?:{_ID} consumed \d+ of \d+ compute units|consumption: \d+ units remaining|failed to complete: .*)",
    re.DOTALL,
)
# No line of the runtime's own begins so.
_BY_PROGRAMS = ("Program log:", "Program data:", "Program return:")
TRUNCATED = "Log truncated"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line that `program_id` wrote. `text` is without the runtime's beginning; a return value's is its base64.

    `n` counts the lines that this program wrote in this transaction, from 0; `depth` is 1 at the top; `instruction` is
    the top-level instruction as counted by the log, from 0; `log_index` is the line's place in the whole log.
    """

    program_id: str
    depth: int
    text: str
    n: int
    kind: Kind
    instruction: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """The lines that programs wrote, in order. `truncated`: more were written than the log holds."""

    lines: tuple[LogLine, ...]
    truncated: bool

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)


def told_logs(logs: Sequence[str] | None, err: Any) -> tuple[str, ...]:
    """The log as far as the node tells it. One that it does not tell of a transaction that ran is a log that was cut
    before its first line; what failed before it ran has none."""
    if logs is None:
        return (TRUNCATED,) if err is None else ()
    return tuple(logs)


def attribute(logs: Sequence[str]) -> Attribution:
    """Attributes the log of one transaction. Never raises: lines that fit nowhere belong to nobody and are left out."""
    stack: list[str] = []
    lines: list[LogLine] = []
    written: Counter[str] = Counter()
    instruction = -1
    for log_index, line in enumerate(logs):
        if not line.startswith(_BY_PROGRAMS):
            if line == TRUNCATED:
                return Attribution(tuple(lines), truncated=True)
            if invoked := _INVOKE.fullmatch(line):
                depth = int(invoked[2])
                # The depth is the runtime's word: it repairs a stack whose end lines went missing.
                del stack[max(depth - 1, 0) :]
                stack.append(invoked[1])
                instruction += depth == 1
                continue
            if ended := _END.fullmatch(line):
                if ended[1] in stack:
                    del stack[len(stack) - 1 - stack[::-1].index(ended[1]) :]
                continue
            if _RUNTIME.fullmatch(line):
                continue
        if stack:
            program_id = stack[-1]
            kind, text = _content(line)
            lines.append(LogLine(program_id, len(stack), text, written[program_id], kind, instruction, log_index))
            written[program_id] += 1
    return Attribution(tuple(lines), truncated=False)


def invokes_itself(logs: Sequence[str], program_id: str) -> bool:
    """Whether the program called itself in this transaction, as it does to emit events (`emit_cpi!`); True also where
    the log is cut or leaves out a call, so that it may have."""
    if TRUNCATED in logs:
        return True
    begin = f"Program {program_id} invoke ["
    if sum(line.startswith(begin) for line in logs) < 2:
        return False
    stack: list[str] = []
    for line in logs:
        if invoked := _INVOKE.fullmatch(line):
            above = int(invoked[2]) - 1
            if above > len(stack):
                return True
            del stack[max(above, 0) :]
            if invoked[1] == program_id and stack and stack[-1] == program_id:
                return True
            stack.append(invoked[1])
        elif (ended := _END.fullmatch(line)) and ended[1] in stack:
            del stack[len(stack) - 1 - stack[::-1].index(ended[1]) :]
    return False


def text_of(line: str) -> str:
    """What a line would say if a program wrote it: for a look before attribution, which costs twenty times as much."""
    return _content(line)[1]


def _content(line: str) -> tuple[Kind, str]:
    if line.startswith("Program log: "):
        return "log", line[13:]
    written = _WRITTEN.fullmatch(line)
    if written is None:
        return "log", line
    if written[2]:
        return "return", written[3]
    return ("data" if written[1] == "data" else "log"), written[3]
