"""One supervised process: started, its output passed on, started again when it dies, stopped when asked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solflow.embedded.errors import EmbeddedError
from solflow.supervisor import lifeline
from solflow.supervisor.backoff import deaths_after, delay_s
from solflow.supervisor.console import Console

READ_BYTES = 65_536
LONGEST_LINE_BYTES = 1_000_000
FINISHED = "ended with code 0"
# What is in the pipe when a process has ended; longer only if it left somebody in another session who holds it open.
LAST_LINES_TIMEOUT_S = 2.0


class StartError(Exception):
    """A part ended before it was ready for the first time, or took too long."""


def always_ready() -> bool:
    return True


def nothing_to_prepare() -> None:
    return


@dataclass(frozen=True)
class PartSpec:
    """What to run. `command` and `prepare` are called before every start, so that a restart finds what has changed."""

    name: str
    command: Callable[[], Sequence[str]]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    prepare: Callable[[], None] = nothing_to_prepare
    is_ready: Callable[[], bool] = always_ready
    restarts: bool = True
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 5.0
    # Sent instead of waiting any longer, and by the kernel when the supervisor itself is killed.
    force_signal: signal.Signals = signal.SIGKILL


class Part:
    """A process in a session of its own: the terminal's Ctrl-C reaches the supervisor alone, which knows the order."""

    def __init__(self, spec: PartSpec, console: Console) -> None:
        self.spec = spec
        self.deaths = 0
        self.last_end = ""
        self._console = console
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._supervision = asyncio.create_task(self._supervise(), name=f"part {spec.name}")

    async def until_ready(self, timeout_s: float) -> None:
        """Return when the part answers; raise StartError when it dies first or `timeout_s` have passed."""
        deadline = time.monotonic() + timeout_s
        while self._process is None or not await asyncio.to_thread(self.spec.is_ready):
            if self.deaths:
                raise StartError(f"{self.spec.name} could not start: {self.last_end}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.spec.name} was not ready after {timeout_s:.0f} s")
            await asyncio.sleep(0.05)

    async def until_over(self) -> None:
        """Return when the part is not supervised any more: stopped, or ended and not to be restarted."""
        await asyncio.wait([self._supervision])

    async def stop(self) -> None:
        """Ask the process to end, make it end after `stop_timeout_s`; when this returns nothing of it runs."""
        self._stopping.set()
        self._signal(self.spec.stop_signal)
        for number in (self.spec.force_signal, signal.SIGKILL):
            done, _ = await asyncio.wait([self._supervision], timeout=self.spec.stop_timeout_s)
            if done:
                break
            self._console.say(self.spec.name, f"did not stop in {self.spec.stop_timeout_s:.0f} s: {number.name}")
            self._signal(number)
        await self._supervision

    def force(self) -> None:
        """End the process now; `stop` notices."""
        self._stopping.set()
        self._signal(self.spec.force_signal)

    async def _supervise(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                await asyncio.to_thread(self.spec.prepare)
                self.last_end = ended(await self._run_once())
            except (EmbeddedError, OSError) as error:
                self.last_end = str(error)
            if self._stopping.is_set():
                return
            if not self.spec.restarts:
                if self.last_end != FINISHED:
                    self._console.say(self.spec.name, self.last_end)
                return
            self.deaths = deaths_after(self.deaths, time.monotonic() - started)
            pause_s = delay_s(self.deaths)
            self._console.say(self.spec.name, f"{self.last_end}; starting it again in {pause_s:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _run_once(self) -> int:
        """Start the process, pass its lines on until it ends, and leave nothing of its group behind."""
        if self._stopping.is_set():
            return 0
        # A pipe of our own: with asyncio's, waiting for the process would be waiting for all who inherited its output.
        read_end, write_end = os.pipe()
        reading = asyncio.create_task(self._pass_lines_on(read_end), name=f"output of {self.spec.name}")
        try:
            process = await asyncio.create_subprocess_exec(
                *lifeline.tied_to_us(self.spec.command(), self.spec.force_signal),
                env=dict(self.spec.environment),
                cwd=self.spec.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        self._process = process
        if self._stopping.is_set():  # asked while it was being started: the signal had nobody to reach
            self._signal(self.spec.stop_signal)
        code = await process.wait()
        self._process = None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.wait([reading], timeout=LAST_LINES_TIMEOUT_S)
        reading.cancel()
        return code

    async def _pass_lines_on(self, read_end: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb")
        )
        rest = b""
        try:
            while chunk := await reader.read(READ_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) > LONGEST_LINE_BYTES:
                    lines, rest = [*lines, rest], b""
                for line in lines:
                    self._console.say(self.spec.name, line.decode(errors="replace").rstrip("\r"))
            if rest:
                self._console.say(self.spec.name, rest.decode(errors="replace"))
        finally:
            transport.close()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def ended(code: int) -> str:
    """A process's return code in words."""
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
