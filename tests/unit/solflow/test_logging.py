"""Lines are JSON in production and readable on a terminal; an exception is in both, and in other handlers' reach."""

import json
import subprocess
import sys

import pytest

from solflow.parts import ROOT

PROGRAM = """
import logging, structlog
from solflow.logging import configure
configure({{"json": {json}, "level": "INFO"}})
log = structlog.get_logger("executions.pipeline")
log.debug("not_told")
log.info("told", execution="e1", workflow="w1")
logging.getLogger("a.library").warning("%s of theirs", "a line")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broke", execution="e1")
"""


def written(*, as_json: bool) -> str:
    command = [sys.executable, "-c", PROGRAM.format(json=as_json)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr


def test_in_production_each_line_is_an_object_with_its_ids():
    told, theirs, broke = (json.loads(line) for line in written(as_json=True).splitlines())
    assert {**told, "at": ""} == {
        "event": "told",
        "execution": "e1",
        "workflow": "w1",
        "level": "info",
        "logger": "executions.pipeline",
        "at": "",
    }
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("a line of theirs", "warning", "a.library")
    assert broke["exception"].splitlines()[-1] == "ZeroDivisionError: division by zero"


def test_on_a_terminal_lines_are_text():
    text = written(as_json=False)
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(text.splitlines()[0])
    assert "told" in text and "execution=e1" in text and "ZeroDivisionError: division by zero" in text
