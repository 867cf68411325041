"""The address book: lists of addresses and what the team calls them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Role
from accounts.pages import PageRequest, telling, words
from accounts.permissions import page
from workflows.forms.address_list import AddressListForm, ImportForm
from workflows.selectors import address_list_find, address_list_list, with_usage, workflows_naming
from workflows.services import address_list_amend, address_list_create, address_list_delete, address_list_update

SHOWN = 200


@require_safe
@page()
def index(request: PageRequest) -> HttpResponse:
    """Every list, and how many workflows look in it."""
    rows = with_usage(address_list_list(team=request.actor.team))
    return render(request, "address_lists/list.html", {"lists": list(rows)})


@require_safe
@page()
def detail(request: PageRequest, list_id: UUID) -> HttpResponse:
    """Its addresses, by label; `?q=` finds one in a long list."""
    return _shown(request, list_id, ImportForm())


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def create(request: PageRequest) -> HttpResponse:
    form = AddressListForm(request.POST or None)
    made = form.saved(lambda: address_list_create(actor=request.actor, **form.cleaned_data))
    if made is None:
        return render(request, "address_lists/edit.html", {"form": form}, status=form.status)
    messages.success(request, f"{made.name} is saved. Its labels are shown beside addresses from now on.")
    return redirect("address-lists:detail", made.id)


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def edit(request: PageRequest, list_id: UUID) -> HttpResponse:
    """The whole list as text."""
    address_list = address_list_find(team=request.actor.team, list_id=list_id)
    entries = address_list.entries.order_by("label", "address").values("address", "label")
    initial = {"name": address_list.name, "entries": list(entries) if request.method == "GET" else []}
    form = AddressListForm(request.POST or None, initial=initial)
    saved = form.saved(
        lambda: address_list_update(actor=request.actor, address_list=address_list, changes=form.cleaned_data)
    )
    if saved is None:
        context = {"form": form, "list": address_list}
        return render(request, "address_lists/edit.html", context, status=form.status)
    messages.success(request, f"{saved.name} is saved.")
    return redirect("address-lists:detail", list_id)


@require_POST
@page(Role.ADMIN)
def add(request: PageRequest, list_id: UUID) -> HttpResponse:
    """Pasted lines join the list; what else is in it stays."""
    address_list = address_list_find(team=request.actor.team, list_id=list_id)
    form = ImportForm(request.POST)
    put = form.saved(
        lambda: address_list_amend(actor=request.actor, address_list=address_list, put=form.cleaned_data["entries"])
    )
    if put is None:
        return _shown(request, list_id, form)
    messages.success(request, f"{put.added} added, {put.relabelled} renamed, {put.unchanged} were there already.")
    return redirect("address-lists:detail", list_id)


@require_POST
@page(Role.ADMIN)
def remove(request: PageRequest, list_id: UUID) -> HttpResponse:
    """One address leaves the list."""
    address_list = address_list_find(team=request.actor.team, list_id=list_id)
    with telling(request, "The address is no longer in the list."):
        address_list_amend(actor=request.actor, address_list=address_list, drop=[request.POST.get("address", "")])
    return redirect("address-lists:detail", list_id)


@require_POST
@page(Role.ADMIN)
def delete(request: PageRequest, list_id: UUID) -> HttpResponse:
    address_list = address_list_find(team=request.actor.team, list_id=list_id)
    with telling(request, f"{address_list.name} is deleted."):
        address_list_delete(actor=request.actor, address_list=address_list)
        return redirect("address-lists:list")
    return redirect("address-lists:detail", list_id)


def _shown(request: PageRequest, list_id: UUID, form: ImportForm) -> HttpResponse:
    team = request.actor.team
    address_list = address_list_find(team=team, list_id=list_id)
    filters = words(request, "q")
    entries = address_list.entries.order_by("label", "address")
    if filters["q"]:
        entries = entries.filter(Q(label__icontains=filters["q"]) | Q(address__startswith=filters["q"]))
    context = {
        "list": address_list,
        "entries": list(entries[:SHOWN]),
        "filters": filters,
        "workflows": list(workflows_naming(team=team, row_id=list_id).select_related(None).defer("draft")),
        "form": form,
    }
    return render(request, "address_lists/detail.html", context, status=form.status)
