"""Flower can stop workers: without a login it does not start."""

import os
import subprocess

import pytest

from solflow.parts import manage


@pytest.mark.parametrize("login", ["", "admin", "admin:", ":password", "admin:password,"])
def test_flower_does_not_start_without_a_login(login: str):
    told = {**os.environ, "FLOWER_BASIC_AUTH": login}
    done = subprocess.run(manage("flower"), env=told, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("solflow: FLOWER_BASIC_AUTH must be user:password")
