"""The web process: `uvicorn solflow.asgi:application`. ASGI, because live pages are server-sent events."""

import os
import warnings

from django.conf import settings
from django.core.asgi import get_asgi_application

from solflow import head_limit
from solflow.body_limit import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "solflow.settings")

# WhiteNoise streams files by a synchronous iterator; each is small and ours, so reading it at once is no loss.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

head_limit.keep()
django_application = get_asgi_application()
# Only now are the models there.
from executions import tallies  # noqa: E402

tallies.keep_flushing()
application = limited(django_application, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
