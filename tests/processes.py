"""Processes that tests start, kill and start again. None outlives the test run, not even one that was killed itself."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from solflow.parts import ROOT
from solflow.supervisor.lifeline import tied_to_us
from tests.waiting import wait_for


class ManagedProcess:
    """A command in a session of its own; its output is appended to `log`."""

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str]],
        environment: Mapping[str, str],
        log: Path,
        is_ready: Callable[[ManagedProcess], bool],
        stop_signal: signal.Signals = signal.SIGTERM,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.command = command
        self.environment = dict(environment)
        self.log = log
        self.is_ready = is_ready
        self.stop_signal = stop_signal
        self.prepare = prepare
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self.started_at = 0.0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    def launch(self, **more_environment: str) -> None:
        """Start without waiting; `more_environment` holds for this start only."""
        assert not self.running, f"{self.name} runs already"
        self.prepare()
        self.started_at = time.time()
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                tied_to_us(self.command(), signal.SIGKILL),
                env={**self.environment, **more_environment},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, timeout_s: float = 30.0) -> None:
        def ready_or_dead() -> bool:
            return not self.running or self.is_ready(self)

        wait_for(ready_or_dead, timeout_s, f"{self.name} is ready")
        assert self.running, f"{self.name} ended with code {self._process and self._process.returncode}:\n{self.tail()}"

    def start(self, **more_environment: str) -> None:
        self.launch(**more_environment)
        self.wait_until_ready()

    def kill(self) -> None:
        """kill -9, as a power cut would do it: the process and all that it started."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal without waiting; SIGKILL to the process and all that it started, others to it alone."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            if number is signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def stop(self, timeout_s: float = 15.0) -> None:
        """Ask it to end; what does not within `timeout_s` is killed and fails the test."""
        if not self.running:
            return
        assert self._process is not None
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not stop within {timeout_s:g} s:\n{self.tail()}") from None
        self.kill()  # what it left in its group

    def wait_until_dead(self, timeout_s: float = 30.0) -> int:
        """Wait for the process to end by itself; its return code (negative: the signal that killed it)."""
        assert self._process is not None
        code = self._process.wait(timeout_s)
        self.kill()
        return code

    def output(self) -> str:
        """What it wrote since its last start."""
        return self.log.read_bytes()[self._log_start :].decode(errors="replace") if self.log.exists() else ""

    def tail(self, lines: int = 60) -> str:
        everything = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(everything.splitlines()[-lines:])
