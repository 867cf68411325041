"""Django's own checklist for deployments, with the settings that a deployment has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from solflow import datadir, generated
from solflow.parts import ROOT


def test_the_checklist_for_deployments_finds_nothing(tmp_path: Path) -> None:
    secrets = generated.load_or_generate(tmp_path / "secrets.json")
    production = {
        "PATH": os.environ["PATH"],
        datadir.SUPERVISED: "1",
        "SECRET_KEY": get_random_secret_key(),
        "FIELD_ENCRYPTION_PUBLIC_KEY": secrets.field_encryption_public_key,
        "DATABASE_URL": "postgresql://solflow:password@db.example/solflow",
        "REDIS_URL": "redis://redis.example:6379/0",
        "ALLOWED_HOSTS": "solflow.example",
        "SOLFLOW_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(command, env=production, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout + done.stderr
