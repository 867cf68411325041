"""What only a local chain can do: `solflow_…` methods for tests, on the same port as the others.

| method | parameters | does |
| --- | --- | --- |
| `solflow_setFaults` | `{kind: rule or list of rules}` | adds faults (see `faults.py`); answers all of them |
| `solflow_clearFaults` | `[kinds]` or nothing | lifts them |
| `solflow_getFaults` | | the faults in force, with their seeds and how often each fired |
| `solflow_dropSockets` | | cuts all WebSockets now; answers how many |
| `solflow_warp` | `slots`, `{"skipped": bool}` | ends so many slots at once, or skips them (no blocks then) |
| `solflow_pause`, `solflow_resume` | | stops and starts the ending of slots |
| `solflow_setAccount` | `address`, `{"lamports", "data", "owner", "executable"}` | overwrites what is named; base64 |
| `solflow_rollback` | `blocks` | a fork that is not finalized loses: the newest blocks vanish with their transactions |
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

from solders.account import Account

from chain.local.errors import invalid_params
from chain.local.faults import FaultPlan
from chain.local.ledger import Ledger
from chain.local.methods.call import Call, Method, checked_u64, parse_pubkey
from chain.local.programs import SYSTEM
from chain.local.ticker import Ticker

_MAX_WARP_SLOTS = 1_000_000


class DevMethods:
    """The methods, bound to the parts of the node that they move."""

    def __init__(
        self,
        ledger: Ledger,
        faults: FaultPlan,
        ticker: Ticker,
        end_slot: Callable[[int], None],
        drop_sockets: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._faults = faults
        self._ticker = ticker
        self._end_slot = end_slot
        self._drop_sockets = drop_sockets

    def table(self) -> dict[str, Method]:
        """Method name to method."""
        return {
            "solflow_setFaults": self._set_faults,
            "solflow_clearFaults": self._clear_faults,
            "solflow_getFaults": lambda call: self._faults.as_json(),
            "solflow_dropSockets": lambda call: self._drop_sockets(),
            "solflow_warp": self._warp,
            "solflow_pause": self._pause,
            "solflow_resume": self._resume,
            "solflow_setAccount": self._set_account,
            "solflow_rollback": self._rollback,
        }

    def _set_faults(self, call: Call) -> Any:
        faults = call.optional(0)
        if not isinstance(faults, dict):
            raise invalid_params("Invalid params: expected an object of faults.")
        return self._faults.set(faults)

    def _clear_faults(self, call: Call) -> Any:
        self._faults.clear(call.optional(0))
        return self._faults.as_json()

    def _warp(self, call: Call) -> Any:
        slots, config = call.integer(0), call.config(1)
        if not 1 <= slots <= _MAX_WARP_SLOTS:
            raise invalid_params(f"Invalid params: 1 to {_MAX_WARP_SLOTS} slots.")
        if config.flag("skipped"):
            self._end_slot(slots)
        else:
            for _ in range(slots):
                self._end_slot(0)
        return self._ledger.tip.slot

    def _pause(self, call: Call) -> Any:
        self._ticker.pause()
        return self._ledger.tip.slot

    def _resume(self, call: Call) -> Any:
        self._ticker.resume()
        return self._ledger.tip.slot

    def _set_account(self, call: Call) -> Any:
        address, fields = call.pubkey(0), call.optional(1)
        if not isinstance(fields, dict):
            raise invalid_params("Invalid params: expected the account's fields.")
        old = self._ledger.svm.get_account(address) or Account(0, b"", SYSTEM)
        try:
            data = old.data if fields.get("data") is None else base64.b64decode(fields["data"], validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise invalid_params("Invalid params: data must be base64.") from None
        account = Account(
            lamports=old.lamports if fields.get("lamports") is None else checked_u64(fields["lamports"]),
            data=data,
            owner=old.owner if fields.get("owner") is None else parse_pubkey(fields["owner"]),
            executable=bool(fields.get("executable", old.executable)),
            rent_epoch=old.rent_epoch,
        )
        self._ledger.set_account(address, account)
        return self._ledger.tip.slot

    def _rollback(self, call: Call) -> Any:
        try:
            return self._ledger.rollback(call.integer(0)).slot
        except ValueError as error:
            raise invalid_params(f"Invalid params: {error}") from None
