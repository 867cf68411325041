"""`.env.example` is the list of settings: it names exactly what settings.py reads."""

import re

from solflow.parts import ROOT


def test_the_example_names_every_variable_that_settings_read_and_no_other():
    settings = (ROOT / "solflow" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    assert named == read
