"""The supervisor with small real processes: restarts, ends, output, and what cannot start."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest

from solflow.embedded.errors import EmbeddedError
from solflow.supervisor.console import Console
from solflow.supervisor.part import PartSpec, StartError
from solflow.supervisor.supervisor import Supervisor

IGNORES_SIGTERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"


class Bench:
    """A supervisor whose terminal is a string."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.screen = io.StringIO()
        self.supervisor = Supervisor(Console(["part", "other"], folder / "logs", self.screen))

    def spec(self, code: str, **more: Any) -> PartSpec:
        """A part that runs this Python code."""
        return PartSpec(
            **{
                "name": "part",
                "command": lambda: [sys.executable, "-u", "-c", code],
                "environment": {},
                "folder": self.folder,
                **more,
            }
        )

    async def until(self, text: str, times: int = 1) -> None:
        async with asyncio.timeout(10):
            while self.screen.getvalue().count(text) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    @property
    def lines(self) -> list[str]:
        return self.screen.getvalue().splitlines()


@pytest.fixture
def bench(tmp_path: Path) -> Callable[[Callable[[Bench], Awaitable[None]]], Bench]:
    """Run a coroutine with a bench, and stop whatever it started."""

    def run(story: Callable[[Bench], Awaitable[None]]) -> Bench:
        async def with_end() -> Bench:
            made = Bench(tmp_path)
            try:
                await story(made)
            finally:
                await made.supervisor.stop([["part"], ["other"]])
            return made

        return asyncio.run(with_end())

    return run


def test_a_part_that_ends_is_started_again_and_that_is_said(bench):
    async def story(b: Bench) -> None:
        b.supervisor.start(b.spec("print('hello'); raise SystemExit(3)"))
        await b.until("hello", times=2)

    assert bench(story).lines[:3] == [
        "part  | hello",
        "part  | ended with code 3; starting it again in 0.2 s",
        "part  | hello",
    ]


def test_a_part_that_is_run_once_is_not_started_again(bench):
    async def story(b: Bench) -> None:
        await b.supervisor.start(b.spec("print('hello')", restarts=False)).until_over()

    assert bench(story).lines == ["part  | hello"]


def test_a_part_that_is_run_once_and_fails_says_so(bench):
    async def story(b: Bench) -> None:
        await b.supervisor.start(b.spec("raise SystemExit(5)", restarts=False)).until_over()

    assert bench(story).lines == ["part  | ended with code 5"]


def test_the_last_line_needs_no_line_end_and_bad_bytes_do_no_harm(bench):
    async def story(b: Bench) -> None:
        code = "import os; os.write(1, b'caf\\xe9\\nlast')"
        await b.supervisor.start(b.spec(code, restarts=False)).until_over()

    assert bench(story).lines == ["part  | caf\ufffd", "part  | last"]


def test_a_line_without_an_end_does_not_fill_the_memory(bench):
    async def story(b: Bench) -> None:
        await b.supervisor.start(b.spec("print('x' * 3_000_000, end='')", restarts=False)).until_over()

    assert len(bench(story).lines) >= 2


def test_a_part_that_ignores_its_signal_is_killed_when_its_time_is_over(bench):
    async def story(b: Bench) -> None:
        b.supervisor.start(b.spec(IGNORES_SIGTERM, stop_timeout_s=0.3))
        await b.until("up")

    assert bench(story).lines == ["part  | up", "part  | did not stop in 0 s: SIGKILL"]


def test_a_part_gets_the_signal_that_it_understands(bench):
    async def story(b: Bench) -> None:
        # A shell's background jobs ignore SIGINT, and so would what they start.
        code = "import signal, time\nsignal.signal(2, signal.default_int_handler)\n"
        code += "try:\n print('up')\n time.sleep(60)\nexcept KeyboardInterrupt: print('bye')"
        b.supervisor.start(b.spec(code, stop_signal=SIGINT))
        await b.until("up")

    assert bench(story).lines == ["part  | up", "part  | bye"]


def test_what_a_part_left_behind_in_its_group_ends_with_it(bench):
    async def story(b: Bench) -> None:
        code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
        await asyncio.wait_for(b.supervisor.start(b.spec(code, restarts=False)).until_over(), 10)

    bench(story)


def test_a_group_is_stopped_before_the_next_is_asked(bench):
    says_when_asked = "import signal, sys, time\ndef bye(*_): time.sleep({pause}); print('{name}'); sys.exit()\n"
    says_when_asked += "signal.signal(15, bye); print('up'); time.sleep(60)"

    async def story(b: Bench) -> None:
        b.supervisor.start(b.spec(says_when_asked.format(pause=0.3, name="first")))
        b.supervisor.start(b.spec(says_when_asked.format(pause=0, name="second"), name="other"))
        await b.until("up", times=2)

    assert bench(story).lines[-2:] == ["part  | first", "other | second"]


def test_a_part_that_dies_before_it_is_ready_fails_the_start_with_its_reason(bench):
    async def story(b: Bench) -> None:
        with pytest.raises(StartError, match="part could not start: ended with code 4"):
            await b.supervisor.start_and_wait([b.spec("raise SystemExit(4)", is_ready=lambda: False)], 10)

    bench(story)


def test_a_part_that_cannot_be_prepared_fails_the_start_with_what_to_do(bench):
    async def story(b: Bench) -> None:
        def prepare() -> None:
            raise EmbeddedError("install the wheel")

        with pytest.raises(StartError, match="part could not start: install the wheel"):
            await b.supervisor.start_and_wait([b.spec("pass", prepare=prepare, is_ready=lambda: False)], 10)

    bench(story)


def test_a_part_that_is_never_ready_fails_the_start(bench):
    async def story(b: Bench) -> None:
        with pytest.raises(StartError, match="part was not ready after 0 s"):
            await b.supervisor.start_and_wait([b.spec("import time; time.sleep(60)", is_ready=lambda: False)], 0.3)

    bench(story)


def test_forcing_ends_a_part_that_would_take_its_time(bench):
    async def story(b: Bench) -> None:
        b.supervisor.start(b.spec(IGNORES_SIGTERM))
        await b.until("up")
        stopping = asyncio.create_task(b.supervisor.stop([["part"]]))
        b.supervisor.force()
        await asyncio.wait_for(stopping, 3)

    bench(story)
