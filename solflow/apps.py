from django.apps import AppConfig
from django.conf import settings

from solflow import __version__


class SolflowConfig(AppConfig):
    name = "solflow"

    def ready(self) -> None:
        """What every process does at its start: web, worker, beat, listener, commands."""
        # Tasks are sent by name from wherever work appears, so our app has to be the current one.
        from solflow.celery import app

        app.set_default()
        if settings.SENTRY_DSN:
            from solflow import error_reports

            error_reports.start(settings.SENTRY_DSN, settings.SOLFLOW_ENV, __version__)
        if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            from executions import trail
            from solflow import tracing

            trail.trace_with(tracing.record)
