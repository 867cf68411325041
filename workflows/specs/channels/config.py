"""The keys of a channel's config: which there are, which are secret, and what is shown of those. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from workflows.specs.errors import SpecError, SpecErrors

# Sealed apart from the rest, so that one of two secrets can be changed by those who can open neither.
SIGNED_BY = "secret"


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a config. `check` gives the value as it is stored, or raises ValueError that says what it must be and
    repeats nothing of it. `masked` makes it a secret: it is sealed, and that is what is shown of it.

    `made`: where a new channel comes without it, this makes one.
    """

    name: str
    check: Callable[[Any], Any]
    masked: Callable[[str], str] | None = None
    required: bool = True
    code: str = "invalid"
    made: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class CheckedConfig:
    """`secret` goes into the sealed box, `signing_secret` into one of its own, `shown` beside them. None: what is
    sealed stays. `made_secret`: a signing secret that nobody gave, to be told once."""

    secret: dict[str, Any] | None = field(repr=False)
    shown: dict[str, Any]
    signing_secret: str | None = field(default=None, repr=False)
    made_secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """All keys of one kind of channel. A change of `leads` (a key's name) asks for the secrets again: who may
    say where a secret goes must not learn one in that way that he cannot read."""

    keys: tuple[Key, ...]
    leads: str | None = None

    def read(self, config: Mapping[str, Any], shown: Mapping[str, Any]) -> CheckedConfig:
        """The config, checked; `shown` is the mask of the one that it replaces, empty for a new channel.

        Raises:
            SpecErrors: for each key that is wrong.
        """
        unknown = [key for key in config if key not in {key.name for key in self.keys}]
        problems = [SpecError(f"config.{key}", "unknown_key", self._unknown()) for key in unknown]
        leads = self.leads
        is_led_elsewhere = bool(shown) and leads is not None and config.get(leads) != shown.get(leads)
        reading = _Reading(problems)
        for key in self.keys:
            value, kept = config.get(key.name), shown.get(key.name) if key.masked else None
            if is_led_elsewhere and kept is not None and value in (None, kept):
                path = f"config.{key.name}"
                problems.append(SpecError(path, "required", f"{path} must be given again, because {leads} changes."))
            else:
                reading.take(key, value, kept)
        if problems:
            raise SpecErrors(problems)
        return reading.result(is_new=not shown)

    def _unknown(self) -> str:
        names = [key.name for key in self.keys]
        return f"is not a known key; there {'is' if len(names) == 1 else 'are'} {', '.join(names)}."


class _Reading:
    """What was taken so far."""

    def __init__(self, problems: list[SpecError]) -> None:
        self._problems = problems
        self._sealed: dict[str, Any] = {}
        self._shown: dict[str, Any] = {}
        self._signing: str | None = None
        self._made: str | None = None

    def take(self, key: Key, value: Any, before: str | None) -> None:
        """`before`: the mask of what is sealed under this key, if anything is."""
        if before is not None and value in (None, before):
            self._shown[key.name] = before
            return
        if value is None and key.made is not None:
            value = self._made = key.made()
        if value is None and not key.required:
            return
        path = f"config.{key.name}"
        if value is None:
            self._problems.append(SpecError(path, "required", f"{path} is missing."))
            return
        try:
            checked = key.check(value)
        except ValueError as error:
            self._problems.append(SpecError(path, key.code, f"{path} {error}."))
            return
        self._shown[key.name] = key.masked(checked) if key.masked else checked
        if key.name == SIGNED_BY:
            self._signing = checked
        elif key.masked is not None:
            self._sealed[key.name] = checked

    def result(self, *, is_new: bool) -> CheckedConfig:
        return CheckedConfig(self._sealed if self._sealed or is_new else None, self._shown, self._signing, self._made)


def mask(url: str) -> str:
    """What is shown of a URL: its host and its last four characters."""
    return f"{urlsplit(url).netloc}/…{url[-4:]}"
