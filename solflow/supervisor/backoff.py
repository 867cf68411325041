"""How long a part that died waits for its next start."""

SHORTEST_S = 0.2
LONGEST_S = 5.0
FORGIVEN_AFTER_S = 10.0


def deaths_after(deaths: int, lived_s: float) -> int:
    """The deaths that count, this one included: a part that lived for 10 s starts with a clean record."""
    return 1 if lived_s >= FORGIVEN_AFTER_S else deaths + 1


def delay_s(deaths: int) -> float:
    """0.2 s after the first death, twice as long after each more, at most 5 s."""
    return float(min(SHORTEST_S * 2 ** min(deaths - 1, 16), LONGEST_S))
