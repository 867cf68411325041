"""`manage.py collectstatic`: into the data directory, compressed and under names with their hash, with the manifest.

Which storage serves files is decided by whether that manifest exists (solflow.settings), so what writes it cannot ask.
"""

from typing import Any

from django.contrib.staticfiles.management.commands import collectstatic
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Command(collectstatic.Command):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = CompressedManifestStaticFilesStorage()
