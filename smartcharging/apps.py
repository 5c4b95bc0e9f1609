from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SmartChargingConfig(AppConfig):
    name = "smartcharging"
    verbose_name = _("Smart charging")

    def ready(self) -> None:
        from smartcharging import receivers  # noqa: F401
