"""The pages of one's own second factor. Each change asks for a code, and setting it up for the password as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import Invalid
from accounts.locking import LockError
from accounts.models import SecondFactor
from accounts.pages import PageRequest, telling
from accounts.people.forms import CodeForm, ConfirmForm
from accounts.permissions import page
from accounts.second_factor import services, totp
from accounts.second_factor.qr import qr_svg
from accounts.sessions import current, sessions_of
from accounts.sign_in_delays import code_admitted, code_wait_s, code_was_right

T = TypeVar("T")


@require_POST
@page()
def begin(request: PageRequest) -> HttpResponse:
    """A new seed; the page that follows shows it until a code of it was typed."""
    with telling(request):
        services.second_factor_begin(user=cast(User, request.user))
        return redirect("settings:second-factor")
    return redirect("settings:own")


@sensitive_post_parameters("password", "code")
@require_http_methods(["GET", "POST"])
@never_cache
@page()
def set_up(request: PageRequest) -> HttpResponse:
    """The seed as a QR code and as text; with a code of it the second factor is on, and every other browser out."""
    user = cast(User, request.user)
    row = SecondFactor.objects.filter(user=user, enabled_at=None).first()
    if row is None:
        return redirect("settings:own")
    form = ConfirmForm(request.POST or None)

    def enable() -> list[str]:
        if not user.check_password(form.cleaned_data["password"]):
            raise Invalid.field("password", "wrong_password", "this is not your password")
        return services.second_factor_enable(actor=request.actor, user=user, code=form.cleaned_data["code"])

    codes = form.saved(lambda: counted(request, user, enable))
    if codes is not None:
        sessions_of(user).exclude(session_key=current(request)).delete()
        return _shown_once(request, codes)
    try:
        seed = services.seed_of(row)
    except LockError:
        # Begun under another SECRET_KEY: it is begun anew.
        return redirect("settings:own")
    address = totp.address(seed, name=f"{user.get_username()}@{request.get_host()}", issuer="SolFlow")
    context = {"form": form, "qr": qr_svg(address, "QR code for your app"), "seed": totp.as_text(seed)}
    return render(request, "settings/second_factor.html", context, status=form.status)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@never_cache
@page()
def renew_codes(request: PageRequest) -> HttpResponse:
    """Other recovery codes instead of the former."""
    user, form = cast(User, request.user), CodeForm(request.POST or None)

    def renew() -> list[str]:
        return services.second_factor_renew_codes(actor=request.actor, user=user, code=form.cleaned_data["code"])

    codes = form.saved(lambda: counted(request, user, renew))
    if codes is not None:
        return _shown_once(request, codes)
    context = {"form": form, "title": "New recovery codes", "verb": "Make new codes", "to": request.path}
    return render(request, "settings/code.html", context, status=form.status)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
@never_cache
@page()
def end(request: PageRequest) -> HttpResponse:
    """Back to the password alone."""
    user, form = cast(User, request.user), CodeForm(request.POST or None)

    def disable() -> bool:
        services.second_factor_disable(actor=request.actor, user=user, code=form.cleaned_data["code"])
        return True

    if form.saved(lambda: counted(request, user, disable)):
        return redirect("settings:own")
    context = {"form": form, "title": "Switch the second factor off", "verb": "Switch off", "to": request.path}
    return render(request, "settings/code.html", context, status=form.status)


def counted(request: PageRequest, user: User, work: Callable[[], T]) -> T:
    """Do what a code was given for. Guesses cost the same time here as at the door."""
    if not code_admitted(request, user):
        raise Invalid(f"Too many attempts. Try again in {code_wait_s(request, user)} s.")
    done = work()
    code_was_right(request, user)
    return done


def _shown_once(request: PageRequest, codes: list[str]) -> HttpResponse:
    return render(request, "settings/recovery_codes.html", {"codes": codes, "text": "\n".join(codes)})
