"""Each status as colour class, icon and word: hue is never the only sign."""

from __future__ import annotations

from typing import NamedTuple

from chain.rpc.pool import LAGGING_SLOTS


class Look(NamedTuple):
    css: str
    icon: str
    word: str


EXECUTION = {
    "pending": Look("s-idle", "clock", "Queued"),
    "processing": Look("s-run", "loader-circle", "Running"),
    "success": Look("s-ok", "circle-check", "Succeeded"),
    "failed": Look("s-fail", "octagon-x", "Failed"),
    "filtered": Look("s-idle", "circle-slash", "Filtered out"),
    "throttled": Look("s-wait", "gauge", "Throttled"),
}
WAITING = {
    "approval": Look("s-wait", "user", "Needs approval"),
    "pause": Look("s-wait", "circle-pause", "Paused"),
    "confirmation": Look("s-run", "loader-circle", "Confirming"),
    "person": Look("s-wait", "triangle-alert", "Needs a decision"),
}
DRY_RUN = Look("s-idle", "flask-conical", "Dry run")
WORKFLOW = {
    "active": Look("s-ok", "circle-play", "Active"),
    "paused": Look("s-wait", "circle-pause", "Paused"),
    "disabled": Look("s-idle", "circle-dashed", "Disabled"),
}
TRANSACTION = {
    "simulated": Look("s-idle", "flask-conical", "Simulated"),
    "signed": Look("s-run", "loader-circle", "Signed"),
    "sent": Look("s-run", "loader-circle", "Sent"),
    "confirmed": Look("s-ok", "circle-check", "Confirmed"),
    "finalized": Look("s-ok", "badge-check", "Finalized"),
    "failed": Look("s-fail", "octagon-x", "Failed on chain"),
    "expired": Look("s-idle", "timer-off", "Expired"),
    "unknown": Look("s-wait", "circle-question-mark", "Unknown"),
}
ENDPOINT = {
    "closed": Look("s-ok", "circle-check", "Healthy"),
    "half_open": Look("s-wait", "clock", "On trial"),
    "open": Look("s-fail", "octagon-x", "Resting"),
    "lagging": Look("s-wait", "triangle-alert", "Lagging"),
}
SOCKET = {
    True: Look("s-ok", "circle-check", "Connected"),
    False: Look("s-fail", "octagon-x", "Not connected"),
}
GAP = {
    "open": Look("s-run", "loader-circle", "Being read back"),
    "filled": Look("s-ok", "circle-check", "Filled"),
    "lost": Look("s-fail", "octagon-x", "Lost"),
}
DELIVERY = {
    "pending": Look("s-wait", "clock", "On its way"),
    "delivered": Look("s-ok", "circle-check", "Delivered"),
    "dead": Look("s-fail", "octagon-x", "Not delivered"),
}


def execution_look(status: str, waiting_for: str | None = None, dry_run: bool = False) -> Look:
    """What a person should read: what it waits for outranks the status, and a dry run never reads as a success."""
    if waiting_for:
        return WAITING[waiting_for]
    if dry_run and status == "success":
        return DRY_RUN
    return EXECUTION[status]


def endpoint_look(state: str, slot_lag: int | None) -> Look:
    """How an endpoint does: its breaker, and behind a healthy one how far it lags."""
    lags = state == "closed" and slot_lag is not None and slot_lag > LAGGING_SLOTS
    return ENDPOINT["lagging" if lags else state]


def workflow_look(enabled: bool, paused: bool) -> Look:
    """A disabled workflow reads as disabled, paused or not."""
    if not enabled:
        return WORKFLOW["disabled"]
    return WORKFLOW["paused" if paused else "active"]
