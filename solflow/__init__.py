"""The composition root: settings, URLs, processes. Every other part is below it and never imports it."""

__version__ = "0.1.0"
