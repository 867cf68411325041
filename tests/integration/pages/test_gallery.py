"""The gallery: every template, filled in as a person would, becomes a workflow; a wrong answer is told beside it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.integration.pages.conftest import RECIPIENT, text_of
from tests.people import Person
from workflows.gallery import Recipe, recipes
from workflows.models import Channel, Signer, Workflow

RECIPES = list(recipes().values())


def answers(recipe: Recipe, channel: Channel, signer: Signer) -> dict[str, Any]:
    """The form as it is first shown, with an address wherever one is asked for."""
    given = {"address": RECIPIENT, "channel": str(channel.id)}
    values = {blank.name: given.get(blank.kind, blank.initial) for blank in recipe.blanks}
    return {"name": recipe.title, **values, **({"signer": str(signer.id)} if recipe.pays else {})}


def test_the_gallery_shows_at_least_ten_templates_each_in_one_sentence(pages: Client) -> None:
    shown = text_of(pages.get("/workflows/templates/"))
    assert len(RECIPES) >= 10
    assert all(recipe.title in shown and recipe.about.count(".") == 1 for recipe in RECIPES)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.slug)
def test_every_template_makes_a_workflow_that_waits_to_be_enabled(
    recipe: Recipe, channel: Channel, signer: Signer, pages: Client
) -> None:
    page = f"/workflows/templates/{recipe.slug}/"
    assert pages.get(page).status_code == 200
    response = pages.post(page, answers(recipe, channel, signer))
    assert response.status_code == 302, response.context["form"].errors
    made = Workflow.objects.get()
    assert (made.name, made.enabled) == (recipe.title, False)
    assert made.version is not None and "[[" not in str(made.version.definition)


def test_a_wrong_address_is_told_beside_its_field_and_nothing_is_saved(
    channel: Channel, signer: Signer, pages: Client
) -> None:
    recipe = recipes()["treasury-top-up"]
    response = pages.post(
        "/workflows/templates/treasury-top-up/", {**answers(recipe, channel, signer), "treasury": "nowhere"}
    )
    assert response.status_code == 422
    assert "must be a Solana address" in str(response.context["form"].errors["treasury"])
    assert not Workflow.objects.exists()


def test_an_amount_above_the_limit_is_told_beside_the_amount(channel: Channel, signer: Signer, pages: Client) -> None:
    recipe = recipes()["treasury-top-up"]
    response = pages.post(
        "/workflows/templates/treasury-top-up/", {**answers(recipe, channel, signer), "amount": "5 SOL"}
    )
    assert response.status_code == 422 and set(response.context["form"].errors) == {"amount"}


def test_a_channel_of_another_team_is_no_choice(
    channel: Channel, signer: Signer, charlie: Person, pages: Client
) -> None:
    channel.team = charlie.actor.team
    channel.save()
    recipe = recipes()["heartbeat"]
    response = pages.post("/workflows/templates/heartbeat/", answers(recipe, channel, signer))
    assert response.status_code == 422 and set(response.context["form"].errors) == {"channel"}


def test_a_template_that_is_not_there_is_404(pages: Client) -> None:
    assert pages.get("/workflows/templates/nothing/").status_code == 404
