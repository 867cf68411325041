import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chain.rpc.transport import host_of, retry_after_s


def test_an_endpoint_is_named_without_credentials_path_and_query() -> None:
    assert host_of("https://user:pass@rpc.example.com:8443/v1/KEY?api-key=SECRET") == "rpc.example.com:8443"
    assert host_of("https://rpc.example.com/KEY") == "rpc.example.com"
    assert host_of("http://[::1]:8899") == "[::1]:8899"


@pytest.mark.parametrize("url", ["", "rpc.example.com", "ws://rpc.example.com", "https://"])
def test_what_is_no_http_url_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ValueError, match="an RPC endpoint is an http or https URL"):
        host_of(url)


def test_retry_after_is_read_in_seconds_and_as_a_date() -> None:
    assert retry_after_s("1.5") == 1.5
    assert retry_after_s("-3") == 0.0
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (retry_after_s(later) or 0) <= 60


@pytest.mark.parametrize("header", [None, "", "soon", "2026-13-45"])
def test_a_retry_after_that_says_nothing_is_ignored(header: str | None) -> None:
    assert retry_after_s(header) is None


def test_the_http_library_is_kept_from_logging_urls() -> None:
    assert not logging.getLogger("httpx2").isEnabledFor(logging.INFO)
