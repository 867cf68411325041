"""What `pause` and `resume` are told to stop or to lift: a workflow, a signer, or everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.errors import Missing
from accounts.models import Team
from workflows.models import Signer, Workflow
from workflows.selectors import signer_find, workflow_find


def add_choice(parser: CommandParser) -> None:
    """`--workflow` or `--signer`; neither is everything."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--workflow", metavar="ID|NAME", help="this workflow only")
    one.add_argument("--signer", metavar="ID|NAME|ADDRESS", help="this signer only")


def chosen(team: Team, options: Mapping[str, Any]) -> Workflow | Signer | None:
    """What the options name; None for everything. CommandError where that is nothing, or more than one."""
    try:
        if options["workflow"] is not None:
            return workflow_find(team=team, named=options["workflow"])
        if options["signer"] is not None:
            return signer_find(team=team, named=options["signer"])
    except Missing as error:
        raise CommandError(error.detail) from error
    return None
