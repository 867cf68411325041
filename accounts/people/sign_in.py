"""Signing in: name and password, then a code or a passkey where a second factor is on. The admin's door too."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.people import passkeys
from accounts.people.forms import CodeForm, SignInForm
from accounts.second_factor.services import is_on, second_factor_check
from accounts.sign_in_delays import code_admitted, code_wait_s, code_was_right, remember_device

BACKEND = "accounts.sign_in_delays.DelayingBackend"
DUE = "second_factor_due"
DUE_FOR_S = 300


class SignInView(LoginView):
    redirect_authenticated_user = True
    authentication_form = SignInForm

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if is_on(user):
            self.request.session[DUE] = {
                "user": user.pk,
                "hash": user.get_session_auth_hash(),
                "until": int(time.time()) + DUE_FOR_S,
                "next": self.get_redirect_url(),
            }
            return redirect("login-code")
        return enter(self.request, user, self.get_success_url())


class AdminSignInView(SignInView):
    """The same at the admin's address, in the place of Django's own, which knows no second factor."""

    next_page = "admin:index"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_staff:
            raise PermissionDenied("the admin is for superusers")
        return super().dispatch(request, *args, **kwargs)


@sensitive_post_parameters("code", "answer")
@require_http_methods(["GET", "POST"])
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The second step, for five minutes after the first."""
    due = request.session.get(DUE, {})
    user = _due_user(due)
    if user is None:
        return redirect("login")
    answer = request.POST.get("answer")
    form, problem = CodeForm(request.POST if request.POST and answer is None else None), ""
    if answer is not None or form.is_valid():
        if not code_admitted(request, user):
            problem = f"Too many attempts. Try again in {code_wait_s(request, user)} s."
        elif _shown(request, user, form, answer):
            code_was_right(request, user)
            request.second_factor_shown = True  # type: ignore[attr-defined]
            del request.session[DUE]
            return enter(request, user, _safe(request, due["next"]))
        else:
            credentials = {"username": user.get_username(), "code": ""}
            user_login_failed.send(sender=__name__, credentials=credentials, request=request)
            if answer is None:
                form.add_error("code", "This is not a valid code, or it was used already.")
            else:
                problem = "That passkey was not accepted. Try again, or use a code."
    context = {"form": form, "problem": problem, "passkey": passkeys.ask(request, user)}
    return render(request, "registration/code.html", context, status=422 if problem or form.errors else 200)


def _shown(request: HttpRequest, user: User, form: CodeForm, answer: str | None) -> bool:
    """Whether the second factor was: a code, or what a passkey answered."""
    if answer is not None:
        return passkeys.accepted(request, user, answer)
    return second_factor_check(user=user, code=form.cleaned_data["code"])


def enter(request: HttpRequest, user: User, to: str) -> HttpResponse:
    """Sign the user in on this browser, and remember that it has been."""
    login(request, user, backend=BACKEND)
    response = HttpResponseRedirect(to)
    remember_device(response, user.get_username())
    return response


def _due_user(due: dict[str, Any]) -> User | None:
    """Whose password was right a moment ago, and is the same still."""
    if not due or due["until"] < time.time():
        return None
    user = User.objects.filter(pk=due["user"], is_active=True).first()
    return user if user and constant_time_compare(user.get_session_auth_hash(), due["hash"]) else None


def _safe(request: HttpRequest, url: str) -> str:
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
    return url if url and ours else resolve_url(settings.LOGIN_REDIRECT_URL)
