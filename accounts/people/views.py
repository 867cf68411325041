"""One's own settings, the team and its invitations."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import addresses, audit
from accounts.errors import Missing
from accounts.models import ApiToken, Invitation, Member, Passkey, Role, SecondFactor
from accounts.pages import PageRequest, telling
from accounts.people import services
from accounts.people.forms import AcceptForm, InvitationForm, TokenForm
from accounts.people.passkeys import site_of
from accounts.people.sign_in import enter
from accounts.permissions import page
from accounts.selectors import actor_of
from accounts.services import token_create, token_revoke
from accounts.sessions import current, sessions_of


class PasswordView(LoginRequiredMixin, PasswordChangeView):
    """A new password; every other session of the person ends with the old one."""

    template_name = "settings/password.html"
    success_url = reverse_lazy("settings:own")

    def form_valid(self, form: object) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)  # type: ignore[arg-type]
            user = cast(User, self.request.user)
            actor = actor_of(user, addresses.of(self.request))
            if actor is not None:
                audit.record(actor, "password_changed", "user", user.pk, target_name=user.get_username())
        # Their old hash shuts them out already; this takes them off the list.
        sessions_of(user).exclude(session_key=current(self.request)).delete()
        messages.success(self.request, "The password is changed. Your other sessions have ended.")
        return response


@require_safe
@page()
def own(request: PageRequest) -> HttpResponse:
    """The second factor, passkeys, sessions, and API tokens: one's own, for an admin the team's."""
    user = cast(User, request.user)
    tokens = ApiToken.objects.select_related("user").filter(team=request.actor.team).order_by("-created_at")
    if not request.actor.may(Role.ADMIN):
        tokens = tokens.filter(user=user)
    context = {
        "tokens": tokens,
        "now": timezone.now(),
        "second_factor": SecondFactor.objects.filter(user=user, enabled_at__isnull=False).first(),
        "passkeys": Passkey.objects.filter(user=user).order_by("created_at"),
        "site": site_of(request),
        "sessions": sessions_of(user),
        "current_session": current(request),
    }
    return render(request, "settings/own.html", context)


@require_http_methods(["GET", "POST"])
@never_cache
@page()
def token_new(request: PageRequest) -> HttpResponse:
    """A new token, shown on the page that answers and nowhere else."""
    form = TokenForm(request.POST or None, actor=request.actor)
    made = form.saved(
        lambda: token_create(
            actor=request.actor,
            user=cast(User, request.user),
            name=form.cleaned_data["name"],
            scopes=form.scopes,
            expires_at=form.expires_at,
        )
    )
    if made is not None:
        context = {"what": "API token", "text": made[1], "back": reverse("settings:own"), "name": made[0].name}
        return render(request, "settings/shown_once.html", context)
    return render(request, "settings/token.html", {"form": form}, status=form.status)


@require_POST
@page()
def token_end(request: PageRequest, token_id: UUID) -> HttpResponse:
    """Revoke one's own token; an admin any of the team's."""
    rows = ApiToken.objects.filter(team=request.actor.team, pk=token_id, revoked_at=None)
    if not request.actor.may(Role.ADMIN):
        rows = rows.filter(user=cast(User, request.user))
    token = rows.first()
    if token is None:
        raise Missing("no such token")
    with telling(request, f"The token {token.name} is refused from now on."):
        token_revoke(actor=request.actor, token=token)
    return redirect("settings:own")


@require_safe
@page()
def team(request: PageRequest) -> HttpResponse:
    """Members and their roles; open invitations for admins."""
    of_team = request.actor.team
    members = Member.objects.select_related("user").filter(team=of_team).order_by("created_at", "id")
    invitations = Invitation.objects.filter(
        team=of_team, used_at=None, revoked_at=None, expires_at__gt=timezone.now()
    ).order_by("-created_at")
    shown = invitations if request.actor.may(Role.ADMIN) else []
    return render(request, "team/members.html", {"members": members, "invitations": shown, "roles": Role.choices})


@require_POST
@page(Role.ADMIN)
def role(request: PageRequest, member_id: int) -> HttpResponse:
    """Another role for a member."""
    with telling(request, "The role is changed."):
        services.member_set_role(actor=request.actor, member_id=member_id, role=request.POST.get("role", ""))
    return redirect("team:members")


@require_POST
@page(Role.ADMIN)
def remove(request: PageRequest, member_id: int) -> HttpResponse:
    """End a membership."""
    with telling(request, "The member is removed, and their tokens are revoked."):
        services.member_remove(actor=request.actor, member_id=member_id)
    return redirect("team:members")


@require_http_methods(["GET", "POST"])
@never_cache
@page(Role.ADMIN)
def invite(request: PageRequest) -> HttpResponse:
    """A link for one person, shown on the page that answers and nowhere else."""
    form = InvitationForm(request.POST or None)
    made = form.saved(lambda: services.invitation_create(actor=request.actor, **form.cleaned_data))
    if made is not None:
        link = request.build_absolute_uri(reverse("invitation", args=[made[1]]))
        context = {"what": "Invitation", "text": link, "back": reverse("team:members"), "name": made[0].name}
        return render(request, "settings/shown_once.html", context)
    return render(request, "team/invite.html", {"form": form}, status=form.status)


@require_POST
@page(Role.ADMIN)
def invitation_end(request: PageRequest, invitation_id: UUID) -> HttpResponse:
    """Make an open invitation worthless."""
    with telling(request, "The link works no more."):
        services.invitation_revoke(actor=request.actor, invitation_id=invitation_id)
    return redirect("team:members")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@never_cache
def accept(request: HttpRequest, text: str) -> HttpResponse:
    """For strangers: the link of an invitation is what lets them in."""
    try:
        invitation = services.invitation_open(text)
        form = AcceptForm(request.POST or None)
        address = addresses.of(request)
        user = form.saved(lambda: services.invitation_accept(text=text, address=address, **form.cleaned_data))
    except Missing as error:
        raise Http404(error.detail) from error
    if user is not None:
        return enter(request, user, reverse("overview"))
    context = {"form": form, "invitation": invitation}
    response = render(request, "registration/invitation.html", context, status=form.status)
    response["Referrer-Policy"] = "no-referrer"
    return response
