"""Fixtures for every layer of the tests. Unit tests use none of the servers, so they start none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from django.test import TransactionTestCase
from playwright.sync_api import Browser, expect, sync_playwright

from tests.environment import FOLDER
from tests.http_stub import HttpStub
from tests.local_chain import LocalChain
from tests.local_gateway import gateway_on
from tests.services import Services
from tests.stack import Stack

EXPECTED_WITHIN_MS = 20_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """PostgreSQL and Redis, running. Tests that stop one start it again."""
    servers = Services()
    servers.start()
    yield servers
    connections.close_all()
    servers.stop()


@pytest.fixture(scope="session")
def django_db_setup(services: Services, django_db_blocker: pytest.FixtureRequest) -> None:
    """Migrations by the role that owns the tables; tests then work as the application's role, as SolFlow does."""
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", interactive=False, verbosity=0, skip_checks=True)
        connections.close_all()
    services.remember_first_rows()

    def empty_tables(_: TransactionTestCase) -> None:
        services.restore_first_rows()

    # Django's own would truncate as the application's role, which may not.
    TransactionTestCase._fixture_teardown = empty_tables


@pytest.fixture(autouse=True)
def empty_redis(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whoever may have written into Redis leaves it empty: caches, rate limits and messages belong to one test."""
    yield
    if {"services", "django_db_setup"} & set(request.fixturenames):
        request.getfixturevalue("services").flush_redis()


@pytest.fixture(scope="session")
def session_chain() -> Iterator[LocalChain]:
    """One chain for all tests, with slots of 100 ms."""
    with LocalChain(slot_ms=100) as chain:
        yield chain


@pytest.fixture
def local_chain(session_chain: LocalChain) -> Iterator[LocalChain]:
    """A running chain without faults. Addresses are new in every test; slots and history go on."""
    yield session_chain
    session_chain.clear_faults()


@pytest.fixture
def local_gateway(local_chain: LocalChain, settings: object) -> Iterator[LocalChain]:
    """The local chain, with the gateway of this very process pointing at it."""
    with gateway_on(local_chain, settings) as chain:
        yield chain


@pytest.fixture
def http_stub(settings: object) -> Iterator[HttpStub]:
    """An HTTP server to send messages to; this process may reach it as OUTBOUND_ALLOWED_HOSTS."""
    stub = HttpStub()
    settings.OUTBOUND_ALLOWED_HOSTS = [stub.host]
    yield stub
    stub.close()


@pytest.fixture
def stack(
    transactional_db: None, services: Services, local_chain: LocalChain, http_stub: HttpStub, tmp_path: Path
) -> Iterator[Stack]:
    """All of SolFlow's processes, none started yet; they see what this test writes into the database, and it them."""
    processes = Stack(local_chain, http_stub, tmp_path)
    yield processes
    processes.kill_all()
    print(processes.logs())  # noqa: T201 - pytest shows it when the test failed


@pytest.fixture
def chromium(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Debian's Chromium, under playwright."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on PATH: install it (Debian: apt-get install chromium) to look at pages")
    # Playwright's loop runs in this thread, and Django then thinks that its own calls would block one.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    # Playwright's own 5 s are too few where two browsers and two installations share two cores.
    expect.set_options(timeout=EXPECTED_WITHIN_MS)
    with sync_playwright() as playwright:
        # Django keeps the connections of code under a loop apart, and a test before may have stopped PostgreSQL.
        connections.close_all()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def pytest_unconfigure() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
