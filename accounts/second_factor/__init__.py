"""A second factor beside the password: time-based codes of an app, recovery codes for whoever has lost it, passkeys."""
