"""The overview: what happened today, what is happening, what waits for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.models import Team
from accounts.pages import PageRequest
from accounts.permissions import page
from executions.activity import BUCKET_WORDS, volume, with_spending
from executions.attention import Waiting, waiting_for_people
from executions.balances import balances
from executions.selectors import execution_list, last_attempts
from executions.states import WaitingFor
from executions.stats import figures
from listener.selectors import Totals, totals
from workflows.labels import labels_in
from workflows.selectors import signer_list

FEED_SIZE = 10
SIGNERS_SHOWN = 8


class Item(NamedTuple):
    """A line of "Needs you"."""

    css: str
    icon: str
    word: str
    title: str
    url: str
    detail: str


@require_safe
@page()
def overview(request: PageRequest) -> HttpResponse:
    team = request.actor.team
    executions = list(
        execution_list(team=team)
        .select_related(None)
        .select_related("workflow")
        .defer("steps", "simulation", "filter_trace")[:FEED_SIZE]
    )
    seen = totals()
    context = {
        "executions": executions,
        "attempts": last_attempts(executions),
        "labels": labels_in(team=team, values=[row.event.get("account") for row in executions]),
        "stats": {**asdict(figures(team=team)), "events_seen": seen.events_seen, "open_gaps": seen.open_gaps},
        "activity": volume(team=team),
        "activity_step": BUCKET_WORDS,
        "attention": [*_lost(seen), *(_item(waiting) for waiting in waiting_for_people(team=team))],
        **_spending(team),
    }
    return render(request, "overview.html", context)


def _spending(team: Team) -> dict[str, Any]:
    signers = list(with_spending(signer_list(team=team).defer("sealed"))[:SIGNERS_SHOWN])
    return {"signers": signers, "balances": balances().of([signer.address for signer in signers])}


def _lost(seen: Totals) -> list[Item]:
    if not seen.lost_gaps:
        return []
    title = f"{seen.lost_gaps} stretch{'' if seen.lost_gaps == 1 else 'es'} of slots could not be read back"
    return [Item("s-fail", "octagon-x", "Missed", title, f"{reverse('endpoints')}#gaps", "")]


def _item(waiting: Waiting) -> Item:
    kind, row_id, name, detail = waiting
    if kind == "part":
        return Item("s-fail", "octagon-x", "Not seen", f"No {name} was seen in the last 30 s", reverse("readyz"), "")
    if kind == "execution":
        word = "Needs approval" if detail == WaitingFor.APPROVAL else "Needs a decision"
        return Item("s-wait", "triangle-alert", word, name, reverse("executions:detail", args=[row_id]), "")
    if kind == "message":
        url = f"{reverse('notifications:list')}?status=dead"
        return Item("s-fail", "octagon-x", "Not delivered", f"Message to {name}", url, detail)
    if kind == "channel":
        return Item("s-fail", "octagon-x", "Disabled", name, reverse("channels:detail", args=[row_id]), detail)
    url = reverse("workflows:detail", args=[row_id]) if kind == "workflow" else reverse("signers:list")
    return Item("s-wait", "circle-pause", "Paused", name, url, detail)
