"""The ledger. A row changes only by the transitions in executions.states, each in one short transaction.

Executions are found and grouped by plain numbers (`execution_id` columns are the key's id) instead of foreign keys with
constraints, so that old executions can be dropped by the month while the keys, which keep an event from running twice,
stay.
"""

from executions.models.execution import Execution, ExecutionKey, RateUnit, StatusCount
from executions.models.message import Delivery, Quiet, SendWindow
from executions.models.payment import Approval, Attempt, LandedMemo, Reservation, SignerHistory
from executions.models.process import Heartbeat, Tally

__all__ = [
    "Approval",
    "Attempt",
    "Delivery",
    "Execution",
    "ExecutionKey",
    "Heartbeat",
    "LandedMemo",
    "Quiet",
    "RateUnit",
    "Reservation",
    "SendWindow",
    "SignerHistory",
    "StatusCount",
    "Tally",
]
