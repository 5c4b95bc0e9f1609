from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "Laadbewijs"

    def ready(self) -> None:
        from portal.audited import register_all

        register_all()
