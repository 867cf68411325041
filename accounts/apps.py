from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        # Models exist only now; importing connects the receivers.
        from accounts import signins  # noqa: F401
