"""Which triggers and actions this version can run. A definition may name the others; it cannot be enabled. Pure."""

from __future__ import annotations

from workflows.specs.errors import SpecError
from workflows.specs.texts import spec_error
from workflows.specs.workflow import WorkflowSpec

SERVED_TRIGGERS = frozenset(
    {
        "balance_change",
        "account_change",
        "program_account_change",
        "token_receipt",
        "nft_receipt",
        "program_log",
        "transaction_status",
        "schedule",
        "webhook",
        "manual",
    }
)
SERVED_ACTIONS = frozenset({"transfer_sol", "transfer_token", "call_program", "memo"})


def unserved(spec: WorkflowSpec) -> list[SpecError]:
    """What keeps the workflow from being enabled, by path; empty when all of it runs."""
    problems = []
    trigger = spec.trigger
    if trigger.type not in SERVED_TRIGGERS:
        problems.append(spec_error("trigger.type", "not_served", trigger.type, what=f"the trigger {trigger.type}"))
    for index, action in enumerate(spec.actions):
        if action.type not in SERVED_ACTIONS:
            path = f"actions[{index}].type"
            problems.append(spec_error(path, "not_served", action.type, what=f"the action {action.type}"))
    return problems
