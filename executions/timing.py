"""The engine's times in one place, and the one factor by which tests shrink them."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

LEASE_S = 15.0
LEASE_RENEWAL_S = 5.0
SWEEP_AGE_S = 5.0
REBROADCAST_S = 2.0
# How long an attempt may stay without an answer after its last valid block height before a person is asked.
UNKNOWN_S = 600.0


def scaled(seconds: float) -> float:
    """`seconds`, shrunk by SOLFLOW_TEST_TIME_SCALE (1 everywhere but in tests)."""
    return seconds * settings.SOLFLOW_TEST_TIME_SCALE


def delta(seconds: float) -> timedelta:
    """`scaled` as a timedelta."""
    return timedelta(seconds=scaled(seconds))
