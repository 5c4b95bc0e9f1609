from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SmartChargingConfig(AppConfig):
    name = "smartcharging"
    verbose_name = _("Smart charging")

    def ready(self) -> None:
        from smartcharging import raw_profiles, receivers  # noqa: F401
        from stations import objections

        for action in raw_profiles.ACTIONS:
            objections.register(action, raw_profiles.objection_to(action))
