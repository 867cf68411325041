"""All parts together: started one by one, stopped in an order, or all at once when there is no time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from solflow.supervisor.console import Console
from solflow.supervisor.part import Part, PartSpec


class Supervisor:
    """Lives in one event loop; every part that it started is stopped by `stop`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._parts: dict[str, Part] = {}

    def start(self, spec: PartSpec) -> Part:
        """Begin to run `spec` and keep it running."""
        part = self._parts[spec.name] = Part(spec, self.console)
        return part

    async def start_and_wait(self, specs: Sequence[PartSpec], timeout_s: float) -> None:
        """Start parts side by side; when this returns all of them answer.

        Raises:
            StartError: one died first, or took longer than `timeout_s`.
        """
        parts = [self.start(spec) for spec in specs]
        await asyncio.gather(*(part.until_ready(timeout_s) for part in parts))

    async def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stop the groups of parts in `order`, side by side within a group; parts never started are passed over."""
        for group in order:
            await asyncio.gather(*(self._parts[name].stop() for name in group if name in self._parts))

    def force(self) -> None:
        """Make every part end now; `stop`, wherever it is, comes to its end soon."""
        for part in self._parts.values():
            part.force()
