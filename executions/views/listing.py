"""The list of executions, and running several of them again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.keyset import BadCursor, older_page
from accounts.models import Role, Team
from accounts.pages import PageRequest, words
from accounts.permissions import page
from executions import history
from executions.filters import ExecutionFilter, newest_shown
from executions.models import Attempt, Execution
from executions.periods import CHOICES, period
from executions.selectors import execution_list, executions_named, last_attempts
from executions.services import MOST_RETRIED, executions_retry, retry_refusals
from executions.states import Status
from executions.stats import figures
from workflows.labels import labels_in
from workflows.selectors import workflow_list

PAGE_SIZE = 50
NAMES_OFFERED = 500
REASONS_TOLD = 5
RETRYABLE = (Status.FAILED, Status.THROTTLED)


@require_safe
@page()
def index(request: PageRequest) -> HttpResponse:
    """The team's executions, newest first."""
    team = request.actor.team
    filters = words(request, "status", "workflow", "q", "range", "from", "to")
    shown = _shown(request, filters)
    narrowed = any(value for name, value in filters.items() if name != "status")
    may_retry = request.actor.may(Role.OPERATOR)
    context = {
        "executions": shown.rows,
        "attempts": shown.attempts,
        "labels": labels_in(team=team, values=[row.event.get("account") for row in shown.rows]),
        "next_cursor": shown.next_cursor,
        "filters": filters,
        "older": "before" in request.GET,
        "ranges": CHOICES,
        "retryable": RETRYABLE if may_retry and any(row.status in RETRYABLE for row in shown.rows) else (),
        "status_counts": None if narrowed else figures(team=team).executions,
        "workflows": workflow_list(team=team).order_by("name").values("id", "name")[:NAMES_OFFERED],
    }
    return render(request, "executions/list.html", context)


class _Shown(NamedTuple):
    """A page of the list: executions, the last attempt of each, and where the next page begins."""

    rows: Sequence[Execution]
    attempts: Mapping[int, Attempt]
    next_cursor: str | None


def _shown(request: PageRequest, filters: dict[str, str]) -> _Shown:
    """What the list shows; from the replica, if it is all over."""
    team, cursor = request.actor.team, request.GET.get("before")

    def load() -> _Shown:
        try:
            rows, next_cursor = older_page(_narrowed(team, filters), cursor, size=PAGE_SIZE)
        except BadCursor:
            return _Shown([], {}, None)
        return _Shown(rows, last_attempts(rows), next_cursor)

    if not history.is_past(newest_shown(cursor)):
        return load()
    return history.read(load, is_over=lambda page: all(map(history.is_over, page.rows)), user_id=request.user.pk)


@require_POST
@page(Role.OPERATOR)
def retry(request: PageRequest) -> HttpResponse:
    """Run the marked executions again: first what will happen to each, then, `confirmed`, what did."""
    team = request.actor.team
    named = list(dict.fromkeys(request.POST.getlist("execution")))
    if not named or len(named) > MOST_RETRIED:
        text = f"At most {MOST_RETRIED} are run again at once." if named else "Mark the executions to run again first."
        messages.error(request, text)
        return redirect(_back(request))
    if "confirmed" in request.POST:
        outcomes = executions_retry(actor=request.actor, executions=executions_named(team=team, execution_ids=named))
        _tell(request, [refused.detail if refused else "" for _, refused in outcomes], len(named))
        return redirect(_back(request))
    rows = list(executions_named(team=team, execution_ids=named).select_related("workflow", "version"))
    refusals = retry_refusals(rows)
    context = {
        "rows": [(row, refusals.get(row.id)) for row in rows],
        "runnable": [row for row in rows if row.id not in refusals],
        "filters": request.POST.get("filters", ""),
        "back": _back(request),
    }
    return render(request, "executions/retry.html", context)


def _narrowed(team: Team, filters: dict[str, str]) -> QuerySet[Execution]:
    """The list as filtered; nothing for a filter that makes no sense."""
    # What no list shows may be large.
    rows = execution_list(team=team).select_related(None).select_related("workflow")
    try:
        after, before = period(filters["range"], filters["from"], filters["to"], timezone.now())
    except ValueError:
        return rows.none()
    given: dict[str, Any] = {
        "workflow": filters["workflow"] or None,
        "status": [filters["status"]] if filters["status"] else [],
        "search": filters["q"],
        "created_after": after,
        "created_before": before,
    }
    narrowing = ExecutionFilter(given, queryset=rows.defer("steps", "simulation", "filter_trace"))
    narrowed: QuerySet[Execution] = narrowing.qs if narrowing.is_valid() else rows.none()
    return narrowed


def _back(request: HttpRequest) -> str:
    """The list as it was narrowed when its rows were marked."""
    filters = QueryDict(request.POST.get("filters", "").lstrip("?")).urlencode()
    return reverse("executions:list") + (f"?{filters}" if filters else "")


def _tell(request: HttpRequest, refusals: list[str], asked: int) -> None:
    """Leave what came of it for the page that follows: how many run, and why each other does not."""
    running = refusals.count("")
    if running:
        messages.success(
            request, f"{running} execution{'' if running == 1 else 's'} run{'s' if running == 1 else ''} again."
        )
    why = Counter(filter(None, refusals))
    if asked > len(refusals):
        why["there is no such execution"] = asked - len(refusals)
    for reason, times in why.most_common(REASONS_TOLD):
        messages.warning(request, f"Not run again{f' ({times})' if times > 1 else ''}: {reason}.")
    if len(why) > REASONS_TOLD:
        messages.warning(
            request,
            f"Not run again for other reasons: {sum(why.values()) - sum(n for _, n in why.most_common(REASONS_TOLD))}.",
        )
