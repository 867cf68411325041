"""Scripted trouble for tests: what goes wrong, for which methods, how often. Decides only; the servers carry it out.

A fault is a rule: a kind, the `methods` and URL `paths` it is limited to (default: all), `next` (how often it may still
fire), `probability` (default 1) with its `seed`, and the kind's own settings. A chain that is asked under several paths
looks like several endpoints, each with troubles of its own:

| kind | settings | what happens |
| --- | --- | --- |
| `delay` | `delay_ms` (1000) | the HTTP answer comes late |
| `rate_limit` | `retry_after_s` (1) | HTTP 429 with Retry-After, nothing executed |
| `server_error` | `status` (503) | that HTTP status, nothing executed |
| `timeout` | | no answer, nothing executed, the connection stays open |
| `lose_answer` | | executed, then the connection is closed without an answer |
| `error` | `code` (-32005), `message`, `data` | a JSON-RPC error instead of an answer |
| `never_land` | | `sendTransaction` answers the signature and throws the transaction away |
| `lag` | `blocks` (40) | answered as by a node that many blocks behind |
| `forget` | | `getSignatureStatuses` and `getTransaction` do not know the transaction, at the current slot |
| `duplicate` | | the notification comes twice |
| `reorder` | | the notification comes after the next one |
| `malformed` | | the notification is cut short in the middle |
| `swallow` | | the notification never comes |
| `slot_offset` | `slots` (1) | the notification carries another bank's slot |
| `drop_sockets` | `every_s` | all WebSockets are cut, at random about every so many seconds |
| `stall_sockets` | | all WebSockets stay open and silent until this fault is cleared |

Notifications are limited by their own names (`accountNotification`), not by paths. The `solflow_` methods are never
faulted.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from chain.local.errors import NODE_UNHEALTHY, RpcError, invalid_params

DEV_PREFIX = "solflow_"
_COMMON = frozenset({"methods", "paths", "next", "probability", "seed"})
_FORGETTING = frozenset({"getSignatureStatuses", "getTransaction"})
_SETTINGS: dict[str, dict[str, Any]] = {
    "delay": {"delay_ms": 1_000},
    "rate_limit": {"retry_after_s": 1},
    "server_error": {"status": 503},
    "timeout": {},
    "lose_answer": {},
    "error": {"code": NODE_UNHEALTHY, "message": "Node is behind by 42 slots", "data": None},
    "never_land": {},
    "lag": {"blocks": 40},
    "forget": {},
    "duplicate": {},
    "reorder": {},
    "malformed": {},
    "swallow": {},
    "slot_offset": {"slots": 1},
    "drop_sockets": {"every_s": 10.0},
    "stall_sockets": {},
}


@dataclass(slots=True)
class _Rule:
    kind: str
    settings: dict[str, Any]
    methods: frozenset[str] | None
    paths: frozenset[str] | None
    remaining: int | None
    probability: float
    seed: int
    fired: int = 0
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a repeatable test, no secret

    def fires(self, method: str, path: str = "") -> bool:
        """Whether it strikes this one; counts it where it does."""
        if self.remaining == 0 or method.startswith(DEV_PREFIX):
            return False
        if self.paths is not None and path not in self.paths:
            return False
        if self.methods is not None and method not in self.methods:
            return False
        if self.probability < 1 and self.random.random() >= self.probability:
            return False
        self.fired += 1
        if self.remaining is not None:
            self.remaining -= 1
        return True

    def as_json(self) -> dict[str, Any]:
        return {
            **self.settings,
            "methods": None if self.methods is None else sorted(self.methods),
            "paths": None if self.paths is None else sorted(self.paths),
            "next": self.remaining,
            "probability": self.probability,
            "seed": self.seed,
            "fired": self.fired,
        }


@dataclass(frozen=True, slots=True)
class RequestFaults:
    """What happens to one HTTP request. `status` other than 200 and `hang` mean that nothing is executed."""

    delay_s: float = 0.0
    status: int = 200
    retry_after_s: int | None = None
    hang: bool = False
    lose_answer: bool = False


@dataclass(frozen=True, slots=True)
class FrameFaults:
    """What happens to one notification."""

    duplicate: bool = False
    reorder: bool = False
    malformed: bool = False
    swallow: bool = False


NO_REQUEST_FAULTS = RequestFaults()
NO_FRAME_FAULTS = FrameFaults()


class FaultPlan:
    """The faults in force. `on_change` is called after every change of them."""

    def __init__(self, on_change: Callable[[], None] | None = None) -> None:
        self._rules: dict[str, list[_Rule]] = {}
        self._on_change = on_change or (lambda: None)

    def watch(self, on_change: Callable[[], None]) -> None:
        """Have `on_change` called after every change."""
        self._on_change = on_change

    def set(self, faults: dict[str, Any]) -> dict[str, Any]:
        """Put faults in force: kind -> rule or list of rules, replacing those of the same kind. Answers all of them.

        RpcError -32602 for an unknown kind or setting.
        """
        parsed = {}
        for kind, rules in faults.items():
            if kind not in _SETTINGS:
                raise invalid_params(f"unknown fault {kind!r}, expected one of {', '.join(_SETTINGS)}")
            parsed[kind] = [_parse_rule(kind, rule) for rule in (rules if isinstance(rules, list) else [rules])]
        self._rules.update(parsed)
        self._on_change()
        return self.as_json()

    def clear(self, kinds: Iterable[str] | None = None) -> None:
        """Lift the faults of these kinds; all of them where none are named."""
        for kind in list(self._rules if kinds is None else kinds):
            self._rules.pop(kind, None)
        self._on_change()

    def as_json(self) -> dict[str, Any]:
        """The faults in force, with the seeds used and how often each fired."""
        return {kind: [rule.as_json() for rule in rules] for kind, rules in self._rules.items()}

    def _strike(self, kind: str, *methods: str, path: str = "") -> dict[str, Any] | None:
        """The settings of the first rule of this kind that fires for one of the methods."""
        for rule in self._rules.get(kind, ()):
            if any(rule.fires(method, path) for method in methods):
                return rule.settings
        return None

    def for_request(self, methods: Iterable[str], path: str = "") -> RequestFaults:
        """The fate of an HTTP request to this path that calls these methods."""
        if not self._rules:
            return NO_REQUEST_FAULTS
        names = tuple(methods)
        delay = self._strike("delay", *names, path=path)
        delay_s = delay["delay_ms"] / 1_000 if delay else 0.0
        limited = self._strike("rate_limit", *names, path=path)
        if limited:
            return RequestFaults(delay_s=delay_s, status=429, retry_after_s=limited["retry_after_s"])
        broken = self._strike("server_error", *names, path=path)
        if broken:
            return RequestFaults(delay_s=delay_s, status=broken["status"])
        if self._strike("timeout", *names, path=path) is not None:
            return RequestFaults(hang=True)
        return RequestFaults(delay_s=delay_s, lose_answer=self._strike("lose_answer", *names, path=path) is not None)

    def raise_for_call(self, method: str, path: str = "") -> None:
        """Raise the scripted JSON-RPC error for this call, if there is one."""
        error = self._strike("error", method, path=path)
        if error is not None:
            raise RpcError(error["code"], error["message"], error["data"])

    def lag_blocks(self, method: str, path: str = "") -> int:
        """How far behind the node that answers this call is."""
        lag = self._strike("lag", method, path=path)
        return int(lag["blocks"]) if lag else 0

    def never_lands(self, method: str, path: str = "") -> bool:
        """Whether the transaction of this call is accepted and thrown away."""
        return method == "sendTransaction" and self._strike("never_land", method, path=path) is not None

    def forgets(self, method: str, path: str = "") -> bool:
        """Whether the node that answers this call knows no transaction, although it is not behind."""
        return method in _FORGETTING and self._strike("forget", method, path=path) is not None

    def for_frame(self, notification: str) -> FrameFaults:
        """The fate of one notification to one subscriber."""
        if not self._rules:
            return NO_FRAME_FAULTS
        return FrameFaults(
            duplicate=self._strike("duplicate", notification) is not None,
            reorder=self._strike("reorder", notification) is not None,
            malformed=self._strike("malformed", notification) is not None,
            swallow=self._strike("swallow", notification) is not None,
        )

    def slot_offset(self, notification: str) -> int:
        """What to add to the slot of notifications of this name, this time."""
        offset = self._strike("slot_offset", notification)
        return int(offset["slots"]) if offset else 0

    @property
    def sockets_stalled(self) -> bool:
        """Whether all WebSockets are silent."""
        return "stall_sockets" in self._rules

    def next_drop_s(self) -> float | None:
        """Seconds until all WebSockets are cut the next time; None where they are not."""
        for rule in self._rules.get("drop_sockets", ()):
            if rule.remaining != 0:
                return float(rule.settings["every_s"]) * rule.random.uniform(0.5, 1.5)
        return None

    def count_drop(self) -> None:
        """Note that the WebSockets were cut."""
        for rule in self._rules.get("drop_sockets", ())[:1]:
            rule.fires("")


def _parse_rule(kind: str, rule: Any) -> _Rule:
    values = {} if rule in (None, True) else rule
    if not isinstance(values, dict):
        raise invalid_params(f"fault {kind!r} must be an object")
    unknown = values.keys() - _SETTINGS[kind].keys() - _COMMON
    if unknown:
        raise invalid_params(f"fault {kind!r} has no setting {', '.join(sorted(unknown))}")
    methods, paths = values.get("methods"), values.get("paths")
    return _Rule(
        kind=kind,
        settings={name: values.get(name, default) for name, default in _SETTINGS[kind].items()},
        methods=None if methods is None else frozenset(methods),
        paths=None if paths is None else frozenset(paths),
        remaining=values.get("next"),
        probability=float(values.get("probability", 1.0)),
        seed=int(values.get("seed", time.time_ns() % 2**32)),
    )
