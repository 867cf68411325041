"""The rows that a definition names by id, so that services can check them and the worker load them at once. Pure."""

from __future__ import annotations

from workflows.specs.actions import CallProgramByIdl
from workflows.specs.conditions import placed_conditions
from workflows.specs.operators import TAKES
from workflows.specs.triggers import ProgramLog
from workflows.specs.workflow import WorkflowSpec


def channels_named(spec: WorkflowSpec) -> dict[str, list[str]]:
    """Channel ids, each with the paths where it stands."""
    named: dict[str, list[str]] = {}
    for index, notification in enumerate(spec.notifications):
        named.setdefault(notification.channel, []).append(f"notifications[{index}].channel")
    return named


def address_lists_named(spec: WorkflowSpec) -> dict[str, list[str]]:
    """Ids of address lists, each with the paths where it stands."""
    named: dict[str, list[str]] = {}
    for one in placed_conditions(spec.filter) if spec.filter is not None else ():
        if TAKES[one.condition.op] == "address_list":
            named.setdefault(str(one.condition.value), []).append(f"{one.path}.value")
    return named


def idls_named(spec: WorkflowSpec) -> dict[str, list[str]]:
    """Ids of IDLs, each with the paths where it stands."""
    named: dict[str, list[str]] = {}
    if isinstance(spec.trigger, ProgramLog) and spec.trigger.idl is not None:
        named[spec.trigger.idl] = ["trigger.idl"]
    for path, call in calls_by_idl(spec).items():
        named.setdefault(call.idl, []).append(f"{path}.idl")
    return named


def calls_by_idl(spec: WorkflowSpec) -> dict[str, CallProgramByIdl]:
    """The calls by IDL, each by the path where it stands (`actions[0]`)."""
    return {
        f"actions[{index}]": action for index, action in enumerate(spec.actions) if isinstance(action, CallProgramByIdl)
    }
