from __future__ import annotations

import pytest

from solflow.ui.browsers import browser


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("curl/8.14.1", "curl/8.14.1"),
        ("x" * 500, "x" * 40),
        ("", "Unknown"),
    ],
)  # fmt: skip
def test_a_user_agent_is_said_in_three_words(agent: str, shown: str) -> None:
    assert browser(agent) == shown
