from django.apps import AppConfig


class V2xConfig(AppConfig):
    name = "v2x"
    verbose_name = "V2X"
