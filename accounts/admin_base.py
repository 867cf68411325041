"""The base of admin pages: look, do not touch. What changes something is an action that calls a service."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts import addresses
from accounts.actors import Actor
from accounts.errors import ServiceError
from accounts.models import Role, Team

# Up to here counting is quick; beyond, an admin page is not worth reading a whole table for.
COUNTED_UP_TO = 50_000


class ReadOnlyAdmin(admin.ModelAdmin):
    """Neither add, change nor delete: rows have services that keep their promises, a form does not.

    Actions that are marked `permissions=["operate"]` are a superuser's, who belongs to no team: they act as an admin of
    the row's team, under their own name.
    """

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def serve(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        service: Callable[[Actor, Any], object],
        done: str,
        *,
        team_of: Callable[[Any], Team] = attrgetter("team"),
    ) -> None:
        """Call `service` with each row and say how many were `done`, and why the others were not."""
        succeeded = 0
        for row in rows:
            try:
                service(actor_in(request, team_of(row)), row)
            except ServiceError as error:
                self.message_user(request, f"{row}: {error.detail}", messages.ERROR)
            else:
                succeeded += 1
        if succeeded:
            self.message_user(request, f"{done}: {succeeded}", messages.SUCCESS)


class EstimatingPaginator(Paginator):
    """For tables of millions of rows: an unfiltered list is counted by the planner's estimate."""

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list)
        if not rows.query.where:
            with connection.cursor() as cursor:
                table = rows.model._meta.db_table
                cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [table])
                (estimate,) = cursor.fetchone()
            if estimate > COUNTED_UP_TO:
                return int(estimate)
        return int(super().count)


def actor_in(request: HttpRequest, team: Team) -> Actor:
    """Whoever is logged in to the admin, acting in a team."""
    name = f"admin:{request.user.get_username()}"
    return Actor(team=team, name=name, role=Role.ADMIN, address=addresses.of(request))
