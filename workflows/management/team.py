"""Whose workflows a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.errors import Missing
from accounts.models import Team
from accounts.selectors import team_find
from accounts.services import default_team


def add_team(parser: CommandParser) -> None:
    """`--team`; without it the first team."""
    parser.add_argument("--team", metavar="ID|NAME", help="whose workflows; the first team's unless said otherwise")


def chosen_team(options: Mapping[str, Any]) -> Team:
    """The team that the options name. CommandError where there is none, or more than one."""
    if options["team"] is None:
        return default_team()
    try:
        return team_find(named=options["team"])
    except Missing as error:
        raise CommandError(error.detail) from error
