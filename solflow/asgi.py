"""The web process: `uvicorn solflow.asgi:application`. ASGI, because live pages are server-sent events."""

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "solflow.settings")

# WhiteNoise streams files by a synchronous iterator; each is small and ours, so reading it at once is no loss.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

application = get_asgi_application()
