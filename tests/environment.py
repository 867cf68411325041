"""The environment of the tests: nothing of the developer's own, everything pointing into one temporary folder.

Importing this module sets it and then loads Django's settings. Every pytest-xdist worker is a
process of its own and so has servers of its own; addresses are known before the servers run, because they are sockets.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import django
from django.conf import settings

from solflow import datadir, generated
from solflow.embedded.postgres import Postgres
from solflow.embedded.redis import Redis

DEVELOPERS_OWN = (
    "SOLFLOW",
    "DATABASE",
    "REDIS",
    "CELERY",
    "SOLANA",
    "FIELD_ENCRYPTION",
    "SECRET_KEY",
    "OUTBOUND",
    "FLOWER",
    "DJANGO",
    "SENTRY",
    "OTEL",
)

for name in [name for name in os.environ if name.startswith(DEVELOPERS_OWN)]:
    del os.environ[name]

FOLDER = Path(tempfile.mkdtemp(prefix="solflow-"))
(FOLDER / "static").mkdir()  # whitenoise warns where it is missing
SECRETS = generated.load_or_generate(FOLDER / "secrets.json")
# What a commit promises must survive kill -9, which it does without fsync; tests cannot cut the power.
POSTGRES = Postgres(FOLDER, SECRETS, settings={"fsync": "off"})
REDIS = Redis(FOLDER, SECRETS)

os.environ.update(
    {
        # Parts that tests start are told everything and must not look into a data directory of the developer's.
        datadir.SUPERVISED: "1",
        "SOLFLOW_ENV": "local",
        "SOLFLOW_DATA_DIR": str(FOLDER),
        "SOLFLOW_INBOX": "1",
        "SECRET_KEY": SECRETS.secret_key,
        "FIELD_ENCRYPTION_KEYS": SECRETS.field_encryption_key,
        "FIELD_ENCRYPTION_PUBLIC_KEY": SECRETS.field_encryption_public_key,
        "DATABASE_URL": POSTGRES.application_url,
        "DATABASE_OWNER_URL": POSTGRES.owner_url,
        "REDIS_URL": REDIS.url,
        "CELERY_BROKER_URL": REDIS.broker_url,
    }
)

# Not left in the environment: pytest-xdist's workers inherit it, and pytest-django would then load the settings in them
# before they get here.
os.environ["DJANGO_SETTINGS_MODULE"] = "solflow.settings"
django.setup()
settings.PASSWORD_HASHERS = ["tests.hashers.QuickPasswordHasher"]
del os.environ["DJANGO_SETTINGS_MODULE"]
