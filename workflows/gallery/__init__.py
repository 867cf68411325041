"""Ready workflows that solve common problems: a file each, with blanks for what only the user knows. Pure.

A blank stands in the file as `[[name]]`: alone in a string it becomes the value that was given, within a text its
digits. `fill` turns a recipe and values into what a workflow is made of; workflows.checks judges that as anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from workflows.specs.documents import child_path

BlankKind = Literal["address", "lamports", "base_units", "tokens", "percent", "channel", "cron"]
_RECIPES = Path(__file__).parent / "recipes"
_BLANK = re.compile(r"\[\[([a-z_]+)\]\]")


@dataclass(frozen=True, slots=True)
class Blank:
    """One question: what is asked for, and what it is when nothing is changed."""

    name: str
    kind: BlankKind
    label: str
    help: str = ""
    initial: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A template of a workflow. `about` says in one sentence what it does."""

    slug: str
    title: str
    about: str
    blanks: tuple[Blank, ...]
    definition: Mapping[str, Any]
    settings: Mapping[str, Any]

    @property
    def pays(self) -> bool:
        """Whether it has actions, which a signer has to sign."""
        return bool(self.definition["actions"])


@cache
def recipes() -> Mapping[str, Recipe]:
    """All of them by slug, in the order of their file names."""
    found = (_recipe(path) for path in sorted(_RECIPES.glob("*.json")))
    return {recipe.slug: recipe for recipe in found}


def fill(recipe: Recipe, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Definition and settings with the values in place of the blanks; KeyError for a blank without a value."""
    return _filled(recipe.definition, values), _filled(recipe.settings, values)


def blank_at(recipe: Recipe, path: str) -> str | None:
    """The blank that stands at a path of the definition (`definition.trigger.address`) or of the settings, if one."""
    return _places(recipe).get(path)


def _recipe(path: Path) -> Recipe:
    document = json.loads(path.read_text(encoding="utf-8"))
    slug = path.stem.partition("-")[2]
    blanks = tuple(Blank(**blank) for blank in document["blanks"])
    settings = document.get("settings", {})
    return Recipe(slug, document["title"], document["about"], blanks, document["definition"], settings)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {_filled(key, values): _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    alone = _BLANK.fullmatch(value)
    if alone is not None:
        return values[alone.group(1)]
    return _BLANK.sub(lambda found: str(values[found.group(1)]), value)


def _places(recipe: Recipe) -> dict[str, str]:
    places: dict[str, str] = {}

    def look(value: Any, path: str) -> None:
        if isinstance(value, Mapping):
            for key, item in value.items():
                look(item, child_path(path, key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                look(item, child_path(path, index))
        elif isinstance(value, str) and (found := _BLANK.search(value)):
            places[path] = found.group(1)

    look(recipe.definition, "definition")
    look(recipe.settings, "")
    return places
