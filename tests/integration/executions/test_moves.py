"""The tables of executions.states are kept by the database, whoever writes the statement."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from executions.models import Execution
from executions.states import EXECUTION_MOVES, Status
from tests.executing import balance_event, execution, new_address, take_events
from workflows.models import Workflow

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("new", [status for status in Status if status not in EXECUTION_MOVES[Status.FILTERED]])
def test_a_move_that_is_not_in_the_table_fails(new: Status, make_workflow: Callable[..., Workflow]) -> None:
    watched = new_address()
    (row_id,) = take_events(make_workflow(watched, []), [balance_event(watched, 10)])
    row = Execution.objects.filter(id=row_id)
    row.update(status=Status.FILTERED)

    if new is Status.FILTERED:
        row.update(status=new, error_detail="staying is no move")
    else:
        with pytest.raises(DatabaseError, match="Invalid transition"), transaction.atomic():
            row.update(status=new)

    assert execution(row_id).status == Status.FILTERED
