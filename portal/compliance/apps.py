from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComplianceConfig(AppConfig):
    name = "portal.compliance"
    label = "compliance"
    verbose_name = _("Compliance")

    def ready(self) -> None:
        from portal.compliance import receivers  # noqa: F401  (connects them)
