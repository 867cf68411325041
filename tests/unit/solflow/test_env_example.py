"""`.env.example` is the list of settings: it names what settings.py and the servers read, and nothing else."""

import re

from solflow.parts import ROOT

# Read by uvicorn and Flower themselves, or by the shell that runs a line of the Procfile.
READ_ELSEWHERE = {"FORWARDED_ALLOW_IPS", "PORT", "FLOWER_ADDRESS", "FLOWER_BASIC_AUTH"}


def test_the_example_names_every_variable_that_is_read_and_no_other():
    settings = (ROOT / "solflow" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert named == read | READ_ELSEWHERE
