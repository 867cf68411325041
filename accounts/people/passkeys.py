"""The pages of one's own passkeys, and what the second step of signing in needs of them.

The browser's half is static/passkeys.js: a form carries what the authenticator is to be asked, and back its answer.
"""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import addresses
from accounts.errors import ServiceError
from accounts.models import Passkey
from accounts.pages import PageRequest
from accounts.people.forms import CodeForm, PasskeyForm
from accounts.people.second_factor import counted
from accounts.permissions import page
from accounts.second_factor import passkeys
from accounts.second_factor.ceremonies import Site

# The one challenge that a session may answer.
CHALLENGE = "passkey_challenge"


def site_of(request: HttpRequest) -> Site:
    """Where the browser is: a host of ALLOWED_HOSTS, by the scheme that the proxy tells (SECURE_PROXY_SSL_HEADER)."""
    return Site(f"{request.scheme}://{request.get_host()}")


def ask(request: HttpRequest, user: User) -> str | None:
    """What the sign-in page hands to the browser; None where the user has no passkey for this address."""
    passkeys.passkey_forget(request.session.pop(CHALLENGE, None))
    asked = passkeys.passkey_ask(user=user, site=site_of(request))
    if asked is None:
        return None
    request.session[CHALLENGE] = str(asked.challenge_id)
    return asked.options


def accepted(request: HttpRequest, user: User, answer: str) -> bool:
    """Whether `answer` is one to what this session was asked."""
    return passkeys.passkey_check(
        user=user,
        site=site_of(request),
        challenge_id=request.session.pop(CHALLENGE, ""),
        answer=answer,
        address=addresses.of(request),
    )


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@never_cache
@page()
def new(request: PageRequest) -> HttpResponse:
    """A name and a code; the page that answers asks the authenticator."""
    user, form = cast(User, request.user), PasskeyForm(request.POST or None)

    def begin() -> passkeys.Asked:
        return passkeys.passkey_begin(user=user, site=site_of(request), **form.cleaned_data)

    asked = form.saved(lambda: counted(request, user, begin))
    if asked is None:
        return render(request, "settings/passkey.html", {"form": form, "site": site_of(request)}, status=form.status)
    passkeys.passkey_forget(request.session.pop(CHALLENGE, None))
    request.session[CHALLENGE] = str(asked.challenge_id)
    context = {"options": asked.options, "name": form.cleaned_data["name"]}
    return render(request, "settings/passkey_made.html", context)


@sensitive_post_parameters("answer")
@require_POST
@page()
def made(request: PageRequest) -> HttpResponse:
    """What the authenticator has made."""
    try:
        passkey = passkeys.passkey_register(
            actor=request.actor,
            user=cast(User, request.user),
            site=site_of(request),
            challenge_id=request.session.pop(CHALLENGE, ""),
            answer=request.POST.get("answer", ""),
        )
    except ServiceError as error:
        messages.error(request, f"No passkey was added: {error.detail}.")
        return redirect("settings:passkey-create")
    messages.success(request, f"The passkey {passkey.name} signs you in from now on.")
    return redirect("settings:own")


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@never_cache
@page()
def remove(request: PageRequest, passkey_id: UUID) -> HttpResponse:
    """One passkey less, for a code."""
    user, form = cast(User, request.user), CodeForm(request.POST or None)
    passkey = get_object_or_404(Passkey, pk=passkey_id, user=user)

    def forget() -> bool:
        code = form.cleaned_data["code"]
        passkeys.passkey_remove(actor=request.actor, user=user, passkey_id=passkey_id, code=code)
        return True

    if form.saved(lambda: counted(request, user, forget)):
        messages.success(request, f"The passkey {passkey.name} signs nobody in any more.")
        return redirect("settings:own")
    context = {"form": form, "title": f"Remove the passkey {passkey.name}", "verb": "Remove", "to": request.path}
    return render(request, "settings/code.html", context, status=form.status)
