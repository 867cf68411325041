"""Who may: the one place that every API view, page and admin action asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts.errors import Missing
from accounts.models import ApiToken, Role

if TYPE_CHECKING:
    # DRF reads its settings, and so this module, while it defines APIView.
    from rest_framework.views import APIView

SCOPE_OF = {Role.VIEWER: "read", Role.OPERATOR: "run", Role.ADMIN: "write"}


class TeamPermission(BasePermission):
    """Reading needs a viewer; everything else an admin, unless the view's `operator_actions` names the action.

    A token also needs the scope that goes with the role: read, run, write.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        actor = getattr(request._request, "actor", None)
        if not actor:
            return False
        needed = self._needed(request, view)
        if isinstance(request.auth, ApiToken) and SCOPE_OF[needed] not in request.auth.scopes:
            return False
        return bool(actor.may(needed))

    @staticmethod
    def _needed(request: Request, view: APIView) -> Role:
        if request.method in SAFE_METHODS:
            return Role.VIEWER
        operator_actions = getattr(view, "operator_actions", ())
        return Role.OPERATOR if getattr(view, "action", None) in operator_actions else Role.ADMIN


def page(role: Role = Role.VIEWER) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorator of dashboard views: log in first, then a member whose role includes `role`, else 403.

    What a selector or service calls Missing is 404.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            actor = request.actor  # type: ignore[attr-defined]
            if not actor or not actor.may(role):
                raise PermissionDenied(f"this needs the role {role}")
            try:
                return view(request, *args, **kwargs)
            except Missing as error:
                raise Http404(error.detail) from error

        return guarded

    return decorate
