"""The web process: `uvicorn solflow.asgi:application`. ASGI, because live pages are server-sent events."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "solflow.settings")

application = get_asgi_application()
