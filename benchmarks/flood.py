"""A WebSocket server that acknowledges every subscription and then sends notifications as fast as they are read.

For benchmarks only: `python -m benchmarks.flood PORT SUBSCRIPTIONS NOTIFICATIONS KIND`, KIND being `account` or `logs`.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from itertools import count

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

FIRST_SLOT = 1_000_000
SLOT_S = 0.4
LINES_A_SLOT = 500
OWNER = "11111111111111111111111111111111"
PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"


class Slots:
    """The slots that one socket is told, each with the one before it as its parent: those between were skipped."""

    def __init__(self) -> None:
        self._newest = 0

    def frame(self, slot: int) -> bytes:
        parent, self._newest = self._newest, slot
        return (
            b'{"jsonrpc":"2.0","method":"slotNotification","params":'
            b'{"result":{"slot":%d,"parent":%d,"root":%d},"subscription":0}}' % (slot, parent, max(0, slot - 32))
        )


def account_frame(number: int, slot: int, lamports: int) -> bytes:
    return (
        b'{"jsonrpc":"2.0","method":"accountNotification","params":{"result":{"context":{"slot":%d},"value":'
        b'{"lamports":%d,"data":["","base64"],"owner":"%s","executable":false,"rentEpoch":18446744073709551615,'
        b'"space":0}},"subscription":%d}}' % (slot, lamports, OWNER.encode(), number)
    )


def logs_frame(number: int, slot: int, index: int) -> bytes:
    logs = [
        f"Program {PROGRAM} invoke [1]",
        "Program log: Instruction: Transfer",
        f"Program {PROGRAM} consumed 4645 of 200000 compute units",
        f"Program {PROGRAM} success",
    ]
    value = {"signature": f"{index:087d}".replace("0", "z"), "err": None, "logs": logs}
    result = {"context": {"slot": slot}, "value": value}
    params = {"subscription": number, "result": result}
    return orjson.dumps({"jsonrpc": "2.0", "method": "logsNotification", "params": params})


async def flood(
    socket: ServerConnection, subscriptions: int, notifications: int, kind: str, told: asyncio.Event
) -> None:
    numbers: list[int] = []
    next_number, quiet_slot, slots = count(1), count(5), Slots()
    await socket.send(slots.frame(next(quiet_slot)), text=True)
    while len(numbers) < subscriptions:
        request = orjson.loads(await socket.recv())
        number = 0 if request["method"] == "slotSubscribe" else next(next_number)
        numbers += [number] if number else []
        await socket.send(orjson.dumps({"jsonrpc": "2.0", "id": request["id"], "result": number}), text=True)
    # The catch-up samples have to be in. A socket that tells no slot is dropped meanwhile.
    while not told.is_set():
        await socket.send(slots.frame(next(quiet_slot)), text=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), SLOT_S)
    a_slot = subscriptions if kind == "account" else LINES_A_SLOT  # an account is told once in a slot
    for index in range(notifications):
        slot = FIRST_SLOT + index // a_slot
        number = numbers[index % subscriptions]
        frame = account_frame(number, slot, index + 1) if kind == "account" else logs_frame(number, slot, index)
        if index % a_slot == 0:
            await socket.send(slots.frame(slot), text=True)
        await socket.send(frame, text=True)
    print("sent", flush=True)
    for slot in count(FIRST_SLOT + notifications):
        await asyncio.sleep(SLOT_S)
        await socket.send(slots.frame(slot), text=True)


async def main() -> None:
    port, subscriptions, notifications, kind = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

    told = asyncio.Event()

    async def handle(socket: ServerConnection) -> None:
        # The listener hangs up when it is stopped, or killed.
        with contextlib.suppress(ConnectionClosed):
            await flood(socket, subscriptions, notifications, kind, told)

    async with serve(handle, "127.0.0.1", port, compression=None, ping_interval=None):
        print("ready", flush=True)
        # A line on standard input says when.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        told.set()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
