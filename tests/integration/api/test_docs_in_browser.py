from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_docs_page_works_under_the_strict_policy(live_server: Any, tmp_path: Path) -> None:
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/api/docs/")
        page.get_by_text("SolFlow API").first.wait_for()
        page.locator(".opblock-summary-path").first.wait_for()
        page.locator(".opblock-summary").first.click()
        page.get_by_text("Parameters").first.wait_for()
        page.screenshot(path=tmp_path / "docs.png")
        browser.close()
    assert complaints == []
