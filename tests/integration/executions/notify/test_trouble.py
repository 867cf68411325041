"""A Discord that answers all wrong: every message arrives or is a dead letter, and only a lost answer repeats one."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable

import pytest

from executions.models import Delivery, Execution
from tests.delivering import deliver_until, ended, message
from tests.http_stub import Answer, HttpStub, Request
from workflows.models import Channel

pytestmark = pytest.mark.django_db(transaction=True)

MESSAGES, TROUBLED_ATTEMPTS = 60, 2
LIMITED = Answer.of_json(429, {"retry_after": 0.05, "global": False}, **{"X-RateLimit-Remaining": "0"})
TAKEN = Answer.of_json(200, {"id": "1"}, **{"X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "0.05"})
REFUSED = Answer.of_json(400, {"code": 50035, "message": "Invalid Form Body"})
# What Discord has done when it gives such an answer: taken the message, or not.
ANSWERS = [
    (TAKEN, True),
    (Answer(200, {}, b"<html>garbage"), True),
    (Answer(close=True), True),
    (Answer(502, {}, b"<html>Bad Gateway"), True),
    (LIMITED, False),
    (Answer(500, {}, b"\x00" * 100_000), False),
    (Answer(503, {"Retry-After": "0"}), False),
    (REFUSED, False),
]
# Once each: waiting for them is what takes the time.
ONCE = {
    "message 7": (Answer(delay_s=2.5), True),
    "message 8": (Answer(429, {"Retry-After": "garbage"}, b"\xff\x00"), False),
}


class Troubled:
    """Answers each message's first attempts at random, then well; counts what it has taken, by message."""

    def __init__(self, seed: int) -> None:
        self.taken: Counter[str] = Counter()
        self.asked: dict[str, list[Answer]] = defaultdict(list)
        self._random = random.Random(seed)

    def __call__(self, request: Request) -> Answer:
        name = request.json["embeds"][0]["title"]
        answer, takes = TAKEN, True
        if name in ONCE and not self.asked[name]:
            answer, takes = ONCE[name]
        elif len(self.asked[name]) < TROUBLED_ATTEMPTS:
            answer, takes = self._random.choice(ANSWERS)
        self.taken[name] += takes
        self.asked[name].append(answer)
        return answer


def test_every_message_arrives_or_is_a_dead_letter_and_only_a_lost_answer_repeats_it(
    make_channel: Callable[..., Channel], execution: Execution, http_stub: HttpStub
) -> None:
    seed = random.randrange(10**6)
    discord = http_stub.choose = Troubled(seed)
    channels = [make_channel(http_stub.discord_url(number)) for number in range(1, 7)]
    rows = [
        message(channels[number % 6], execution, template={"title": f"message {number}"}) for number in range(MESSAGES)
    ]

    deliver_until(ended(*rows), timeout_s=60)

    for row in Delivery.objects.all():
        name = row.template["title"]
        said = f"{name}, seed {seed}"
        taken, asked = discord.taken[name], discord.asked[name]
        assert row.status in ("delivered", "dead"), said
        assert taken >= 1 or row.status == "dead", said
        assert row.status == "delivered" or (asked[-1] is REFUSED and "Invalid Form Body" in row.error), said
        assert taken <= 1 or row.maybe_repeated, said
        lost = any(answer.close or answer.status == 502 or answer.delay_s for answer in asked)
        assert row.maybe_repeated is lost, said
