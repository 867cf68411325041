#!/usr/bin/env python
"""Django's command line. What `up` generated and started is found in the data directory by every other command."""

import os
import sys

from solflow import datadir


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "solflow.settings")
    datadir.complete_environment(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
