"""After `collectstatic`, files have names that a browser may keep for ever, and go out compressed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from solflow.datadir import SUPERVISED
from solflow.parts import ROOT

ASK = """
import django; django.setup()
from django.templatetags.static import static
from django.test import Client
address = static("app.css")
answer = Client().get(address, headers={"accept-encoding": "gzip"})
print(address, answer.status_code, answer.get("Content-Encoding"), answer.get("Cache-Control"), sep="|")
"""


def python(folder: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "solflow.settings",
        SUPERVISED: "1",
        "SOLFLOW_ENV": "local",
        "SOLFLOW_DATA_DIR": str(folder),
    }
    done = subprocess.run(
        [sys.executable, *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_fresh_clone_serves_plain_names_and_collected_files_have_a_hash_in_theirs(tmp_path: Path) -> None:
    plain, status, *_ = python(tmp_path, "-W", "ignore", "-c", ASK).split("|")
    assert (plain, status) == ("/static/app.css", "200")
    # Those of others are large and take half a minute to compress.
    others = [word for name in ("admin", "drf_spectacular_sidecar", "rest_framework") for word in ("--ignore", name)]
    python(tmp_path, "manage.py", "collectstatic", "--noinput", *others)
    hashed, status, encoding, kept = python(tmp_path, "-W", "ignore", "-c", ASK).split("|")
    assert hashed.startswith("/static/app.") and hashed != plain
    assert (status, encoding) == ("200", "gzip")
    assert "immutable" in kept
