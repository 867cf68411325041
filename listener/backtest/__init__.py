"""A workflow on what has already happened: `past` reads and matches it, `run` decides as a run over that time would
have, with `payments` that are simulated and limits on a `timeline` of its own, `report` says it to people. Nothing is
written, signed or sent. `results` are the values between them.
"""
