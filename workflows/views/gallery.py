"""The gallery: recipes to choose from, and the small form that makes a workflow of one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import Role
from accounts.pages import PageRequest
from accounts.permissions import page
from workflows.forms.recipe import RecipeForm
from workflows.gallery import recipes
from workflows.selectors import channel_list, signer_list
from workflows.services import workflow_create


@require_safe
@page(Role.ADMIN)
def index(request: PageRequest) -> HttpResponse:
    """Every recipe with what it does, in one sentence."""
    return render(request, "workflows/gallery.html", {"recipes": list(recipes().values())})


@require_http_methods(["GET", "POST"])
@page(Role.ADMIN)
def use(request: PageRequest, slug: str) -> HttpResponse:
    """What the recipe needs to know, and what comes of it: a workflow that is not enabled yet."""
    recipe = recipes().get(slug)
    if recipe is None:
        raise Http404("there is no such template")
    team = request.actor.team
    form = RecipeForm(
        request.POST or None,
        recipe=recipe,
        signers=signer_list(team=team),
        channels=channel_list(team=team).defer("sealed"),
    )
    workflow = form.saved(
        lambda: workflow_create(
            actor=request.actor, definition=form.definition, settings=form.settings, signer_id=form.signer_id
        )
    )
    if workflow is not None:
        messages.success(request, f"{workflow.name} is saved. It watches nothing until you enable it.")
        return redirect("workflows:builder", workflow.id)
    return render(request, "workflows/recipe.html", {"form": form, "recipe": recipe}, status=form.status)
