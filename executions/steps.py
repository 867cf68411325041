"""Steps: what an execution went through and when, appended to its row in the statement that makes them true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from executions import live, stored_json
from executions.states import Step


def step(name: Step, at: datetime, detail: Any = None) -> dict[str, Any]:
    """One step in the API's shape; `at` in UTC with microseconds."""
    return {"name": name.value, "at": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "detail": detail}


def as_json(steps: Sequence[dict[str, Any]]) -> str:
    """Steps as the JSON array that `steps || …` takes in SQL."""
    return stored_json.dumps(list(steps))


def add(execution_ids: Sequence[int], done: Sequence[dict[str, Any]]) -> None:
    """Append these steps to each execution, in one statement of the caller's transaction (or its own)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE executions_execution SET steps = steps || %s::jsonb WHERE id = ANY(%s)",
            [as_json(done), list(execution_ids)],
        )
    live.tell(execution_ids)


def append(execution_ids: Sequence[int], name: Step, at: datetime, detail: Any = None) -> None:
    """Append the same new step to each execution, as `add` does."""
    add(execution_ids, [step(name, at, detail)])
