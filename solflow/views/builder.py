"""The builder: a definition as the cards of its pipeline. It edits the draft; publishing makes the draft a version.

Every address works as a page and as a plain form. With htmx the answer to the same request is the builder alone, which
the page takes over in place: what is being typed stays as it is (static/builder.js).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, replace_url

from accounts.errors import Invalid
from accounts.models import Role
from accounts.pages import PageRequest, telling
from accounts.permissions import page
from chain.decode.idl import Idl, InvalidIdl
from executions.activity import funnel_24h
from executions.explorer import Explorer
from executions.idls import load_idl
from executions.models import Execution
from listener.services import workflow_publish
from solflow.ui.builder.controls import Known
from solflow.ui.builder.filter_rows import MODES
from solflow.ui.builder.page import builder_of
from solflow.ui.builder.trial import Trial
from solflow.ui.code import pretty_json
from solflow.views.builder_trial import Asked, messages_of, tried
from workflows.checks import draft_problems
from workflows.drafting.cards import is_card
from workflows.drafting.commands import UnknownCommand, obey
from workflows.drafting.forms import read_card
from workflows.drafting.paths import Document, value_at
from workflows.models import Workflow
from workflows.selectors import (
    address_labels,
    address_list_list,
    channels_by_id,
    idl_list,
    workflow_document,
    workflow_get,
)
from workflows.services import draft_discard, draft_save
from workflows.specs.documents import load
from workflows.specs.errors import SpecError, SpecErrors
from workflows.specs.fields import canonical_id, is_address

PANELS = ("test", "json")
PAST_OFFERED = 10
NOT_THERE = "That is not there any more: somebody else may have removed it. This is the draft as it is now."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is in the builder: the chosen card, and the panel that is open below."""

    card: str = ""
    panel: str = ""

    @classmethod
    def asked(cls, parameters: Any) -> Place:
        """From an address or a form; what is none is nothing."""
        card, panel = parameters.get("card", ""), parameters.get("panel", "")
        return cls(card if is_card(card) else "", panel if panel in PANELS else "")

    def url(self, workflow: Workflow) -> str:
        """The address of the builder at this place."""
        parameters = {name: value for name, value in (("card", self.card), ("panel", self.panel)) if value}
        address = reverse("workflows:builder", args=[workflow.pk])
        return f"{address}?{urlencode(parameters)}" if parameters else address


@dataclass(frozen=True, slots=True)
class Refusal:
    """A draft that was not kept, with what is wrong; `text` where it came as JSON."""

    document: Document
    problems: Sequence[SpecError]
    text: str | None = None


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def builder(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """The page; POST puts the form of a card into the draft and does what its button says."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    if request.method == "GET":
        return _shown(request, workflow, Place.asked(request.GET))
    place = Place.asked(request.POST)
    notice, chosen = "", place.card or "trigger"
    edited = workflow_document(workflow=workflow)

    def change(document: Document) -> Document:
        nonlocal chosen, edited, notice
        edited = read_card(document, place.card, request.POST)
        if command := request.POST.get("do", ""):
            try:
                edited, chosen = obey(edited, command, chosen)
            except UnknownCommand:
                notice = NOT_THERE
        return edited

    try:
        workflow = draft_save(actor=request.actor, workflow=workflow, change=change)
    except Invalid as error:
        return _shown(request, workflow, place, refusal=Refusal(edited, _of_draft(error)))
    opened = request.POST.get("open", "")
    return _done(request, workflow, replace(place, card=opened if is_card(opened) else chosen), notice)


@require_POST
@page(Role.ADMIN)
def edit_json(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """The definition as text: whatever is a JSON object becomes the draft, right or wrong."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    place = replace(Place.asked(request.POST), panel="json")
    text = request.POST.get("json", "")
    try:
        document, problems = load(text)
    except SpecErrors as error:
        document, problems = workflow_document(workflow=workflow), list(error.errors)
    if problems:
        return _shown(request, workflow, place, refusal=Refusal(document, problems, text))
    workflow = draft_save(actor=request.actor, workflow=workflow, change=lambda _: document)
    return _done(request, workflow, place)


@require_POST
@page(Role.ADMIN)
def test_run(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """Keep what the form holds, then try the draft."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    place = replace(Place.asked(request.POST), panel="test")
    try:
        workflow = draft_save(
            actor=request.actor, workflow=workflow, change=lambda held: read_card(held, place.card, request.POST)
        )
    except Invalid as error:
        document = read_card(workflow_document(workflow=workflow), place.card, request.POST)
        return _shown(request, workflow, place, refusal=Refusal(document, _of_draft(error)))
    result = tried(workflow, workflow_document(workflow=workflow), Asked.of(request.POST))
    return replace_url(_shown(request, workflow, place, result=result), place.url(workflow))


@require_POST
@page(Role.ADMIN)
def publish(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """Make the draft, with what the form beside the button still holds, the definition."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    place = Place.asked(request.POST)
    with telling(request):
        workflow = draft_save(
            actor=request.actor, workflow=workflow, change=lambda held: read_card(held, place.card, request.POST)
        )
        workflow = workflow_publish(actor=request.actor, workflow=workflow)
        number = workflow.version.number if workflow.version else 0
        live = "It runs from now on." if workflow.enabled else "It watches nothing until you enable it."
        messages.success(request, f"Version {number} is published. {live}")
    return _to(request, place.url(workflow))


@require_POST
@page(Role.ADMIN)
def discard(request: PageRequest, workflow_id: UUID) -> HttpResponse:
    """Forget the draft."""
    workflow = workflow_get(team=request.actor.team, workflow_id=workflow_id)
    with telling(request, "The draft is gone. This is what is published."):
        draft_discard(actor=request.actor, workflow=workflow)
    return _to(request, Place().url(workflow))


def _done(request: PageRequest, workflow: Workflow, place: Place, notice: str = "") -> HttpResponse:
    """After an edit: the builder as it is now, or the way to it."""
    if not request.htmx:  # type: ignore[attr-defined]
        if notice:
            messages.warning(request, notice)
        return HttpResponseRedirect(place.url(workflow), status=303)
    return replace_url(_shown(request, workflow, place, notice=notice), place.url(workflow))


def _to(request: PageRequest, url: str) -> HttpResponse:
    return HttpResponseClientRedirect(url) if request.htmx else HttpResponseRedirect(url)  # type: ignore[attr-defined]


def _shown(
    request: PageRequest,
    workflow: Workflow,
    place: Place,
    *,
    notice: str = "",
    refusal: Refusal | None = None,
    result: Trial | str | None = None,
) -> HttpResponse:
    document = refusal.document if refusal else workflow_document(workflow=workflow)
    problems = list(refusal.problems) if refusal else draft_problems(workflow=workflow, document=document)
    known = _known(request, document, place)
    context = {
        "workflow": workflow,
        "builder": builder_of(document, problems, place.card, known),
        "told": messages_of(workflow, document, place.card, known.channels),
        "trial": result if isinstance(result, Trial) else None,
        "untried": result if isinstance(result, str) else "",
        "asked": Asked.of(request.POST),
        "past": _past(workflow) if place.panel == "test" else (),
        "place": place,
        "funnel": funnel_24h(workflow),
        "modes": MODES,
        "pane": "test" if place.panel else "config" if place.card else "canvas",
        "moved": place.card != request.POST.get("card", place.card),
        "notice": notice,
        "refused": refusal is not None,
        "problems": problems,
        "text": refusal.text if refusal and refusal.text is not None else pretty_json(document),
        "needs_signer": bool(document.get("actions")) and workflow.signer_id is None,
    }
    template = "workflows/builder/_builder.html" if request.htmx else "workflows/builder/page.html"  # type: ignore[attr-defined]
    return render(request, template, context, status=422 if refusal else 200)


def _known(request: PageRequest, document: Document, place: Place) -> Known:
    """What the pickers of the chosen card offer, and no more: each is a query."""
    team = request.actor.team
    return Known(
        explorer=Explorer(settings.SOLANA_NETWORK, settings.SOLANA_RPC_URLS[0]),
        channels=channels_by_id(team=team),
        idls=list(idl_list(team=team)) if not place.card.startswith(("filter", "notifications")) else (),
        parsed_idls=_parsed_idls(request, document, place),
        lists=list(address_list_list(team=team)) if place.card == "filter" else (),
        labels=address_labels(team=team, addresses=_addresses(document)),
    )


def _parsed_idls(request: PageRequest, document: Document, place: Place) -> dict[str, Idl]:
    """Those that the trigger and the chosen card name and that can be used; what is wrong with others is said there."""
    named = {value_at(document, f"{card}.idl") for card in ("trigger", place.card) if card}
    ids = {found for one in named if isinstance(one, str) and (found := canonical_id(one)) is not None}
    parsed: dict[str, Idl] = {}
    for idl_id in ids:
        try:
            idl = load_idl(idl_id, team=request.actor.team)
        except InvalidIdl:
            continue
        if idl is not None:
            parsed[idl_id] = idl
    return parsed


def _past(workflow: Workflow) -> list[Execution]:
    """Executions whose events can be tried again, newest first."""
    rows = Execution.objects.filter(workflow=workflow).only("execution_id", "trigger", "event", "status", "created_at")
    return list(rows.order_by("-created_at", "-id")[:PAST_OFFERED])


def _addresses(value: Any) -> set[str]:
    """Every address that a document names."""
    if isinstance(value, dict):
        return set().union(*map(_addresses, value.values()))
    if isinstance(value, list):
        return set().union(*map(_addresses, value))
    return {value} if isinstance(value, str) and is_address(value) else set()


def _of_draft(error: Invalid) -> list[SpecError]:
    return [SpecError(one.path.removeprefix("draft").removeprefix("."), one.code, one.detail) for one in error.errors]
