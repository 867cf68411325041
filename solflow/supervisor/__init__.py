"""Starts processes, prefixes their output, restarts the ones that die, and stops them all in order."""
