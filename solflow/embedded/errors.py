"""Why an embedded server cannot run. The text is one line for the person who started it and says what to do."""


class EmbeddedError(Exception):
    """A server cannot be prepared: no binary for this platform, a folder that cannot be used, an unknown version."""
