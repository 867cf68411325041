from django.apps import AppConfig


class SolflowConfig(AppConfig):
    name = "solflow"

    def ready(self) -> None:
        """Make the Celery app the current one in every process: tasks are sent by name from wherever work appears."""
        from solflow.celery import app

        app.set_default()
