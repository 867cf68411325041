"""Real PostgreSQL and Redis servers out of Python wheels, for a machine that has neither.

`solflow.embedded.postgres` and `.redis` know the servers' files, command lines and readiness; who starts the
processes, restarts and stops them is `solflow.supervisor` (or the tests).
"""
