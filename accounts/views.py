"""The audit page."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.keyset import BadCursor, older_page
from accounts.models import AuditEntry
from accounts.pages import PageRequest, words
from accounts.permissions import page
from accounts.selectors import audit_entries, audit_names

PAGE_SIZE = 50


@require_safe
@page()
def audit(request: PageRequest) -> HttpResponse:
    """Who did what, newest first."""
    filters = words(request, "q", "actor", "action")
    rows = _narrowed(audit_entries(team=request.actor.team), **filters)
    try:
        entries, next_cursor = older_page(rows, request.GET.get("before"), size=PAGE_SIZE, keys=("id",))
    except BadCursor:
        entries, next_cursor = [], None
    actors, actions = audit_names(team=request.actor.team)
    context = {
        "entries": entries,
        "next_cursor": next_cursor,
        "actors": actors,
        "actions": actions,
        "filters": filters,
    }
    return render(request, "audit/list.html", context)


def _narrowed(rows: QuerySet[AuditEntry], *, q: str, actor: str, action: str) -> QuerySet[AuditEntry]:
    if actor:
        rows = rows.filter(actor=actor)
    if action:
        rows = rows.filter(action=action)
    if q:
        rows = rows.filter(Q(target_name__icontains=q) | Q(target_id__startswith=q) | Q(address__startswith=q))
    return rows
