"""One's own sessions: ending one, or all but this."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts import audit
from accounts.errors import Missing
from accounts.pages import PageRequest
from accounts.permissions import page
from accounts.sessions import current, sessions_of


@require_POST
@page()
def end(request: PageRequest, session_id: str) -> HttpResponse:
    """Sign one browser out."""
    if session_id == current(request):
        logout(request)
        return redirect("login")
    if not _end(request, session_id=session_id):
        raise Missing("no such session")
    messages.success(request, "That browser is signed out.")
    return redirect("settings:own")


@require_POST
@page()
def end_others(request: PageRequest) -> HttpResponse:
    """Sign every other browser out."""
    ended = _end(request)
    messages.success(request, f"Browsers signed out: {ended}." if ended else "No other browser was signed in.")
    return redirect("settings:own")


@transaction.atomic
def _end(request: PageRequest, session_id: str | None = None) -> int:
    user = cast(User, request.user)
    rows = sessions_of(user).exclude(session_key=current(request))
    if session_id is not None:
        rows = rows.filter(session_key=session_id)
    ended, _ = rows.delete()
    if ended:
        audit.record(request.actor, "sessions_ended", "user", user.pk, target_name=user.get_username(), count=ended)
    return ended
