"""The pictures of README, taken from a running `make run`: python docs/screenshots.py

Needs Chromium on PATH. It signs in as `admin` with the password from the data directory and changes nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).resolve().parent / "img"
SIZE: ViewportSize = {"width": 1440, "height": 960}
# A repository carries its pictures for ever.
MAX_BYTES = 300_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the dashboard is")
    parser.add_argument("--data-dir", type=Path, default=Path(".solflow"), help="that of `manage.py up`")
    options = parser.parse_args()
    password = json.loads((options.data_dir / "secrets.json").read_text())["admin_password"]
    chromium = shutil.which("chromium") or shutil.which("google-chrome") or sys.exit("there is no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for theme in ("light", "dark"):
            page = browser.new_page(base_url=options.url, viewport=SIZE, color_scheme=theme, device_scale_factor=1.25)
            sign_in(page, password)
            take(page, f"overview-{theme}.png")
        page.goto("/executions/?status=success")
        page.locator("#execution-rows tr:has(.addr) a.rowlink").first.click()
        take(page, "execution-dark.png")
        page.goto("/workflows/")
        page.locator("a.rowlink").last.click()
        page.get_by_role("link", name="Edit", exact=True).click()
        page.get_by_role("link", name="Only when").click()
        page.locator("#inspector-title", has_text="Only when").wait_for()
        take(page, "builder-dark.png")
        browser.close()


def sign_in(page: Page, password: str) -> None:
    page.goto("/login/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()


def take(page: Page, name: str) -> None:
    page.mouse.move(0, 0)
    page.evaluate("document.fonts.ready")
    size = len(page.screenshot(path=FOLDER / name, animations="disabled"))
    if size > MAX_BYTES:
        sys.exit(f"{name} has {size} bytes, more than {MAX_BYTES}")


if __name__ == "__main__":
    main()
