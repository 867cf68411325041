"""What every writer of workflows does in its transaction beside its own rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, models, transaction
from psycopg.errors import UniqueViolation

from accounts.errors import Refused
from workflows.models import Workflow
from workflows.selectors import workflow_get

WORKFLOWS_CHANGED = "solflow_workflows"


def lock_workflow(workflow: Workflow) -> Workflow:
    """The row as it is now, kept until the transaction ends. Lock order: pause rows, workflow, signer.

    Raises:
        Missing: it was deleted meanwhile.
    """
    # Two statements: one that waits for the lock would join the version that was current before it waited.
    Workflow.objects.select_for_update(no_key=True).filter(pk=workflow.pk).first()
    return workflow_get(team=workflow.team, workflow_id=workflow.pk)


def announce(workflow_id: UUID) -> None:
    """Tell the listeners to load this workflow again. They hear it when the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [WORKFLOWS_CHANGED, str(workflow_id)])


def differences(row: models.Model, values: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit log: which of `values` differ from the row, `{field: {"from": …, "to": …}}`."""
    return {
        name: {"from": getattr(row, name), "to": value} for name, value in values.items() if getattr(row, name) != value
    }


def write(row: models.Model, values: Mapping[str, Any], also: Iterable[str] = ()) -> None:
    """Set these columns and save them alone: other columns may have been changed by others since the row was read."""
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=[*values, *also])


@contextmanager
def refusing_duplicates(constraint: str, detail: str) -> Iterator[None]:
    """A transaction in which breaking `constraint` is a refusal: the index decides who was first, nothing races it.

    Raises:
        Refused: code `already_exists`.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, UniqueViolation) and cause.diag.constraint_name == constraint:
            raise Refused(detail, code="already_exists") from error
        raise
