"""A second factor beside the password: time-based codes of an app, and recovery codes for whoever has lost it."""
