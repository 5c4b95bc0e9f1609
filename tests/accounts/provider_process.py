"""The process of the provider: allauth's own, in a Django project of its own that knows nothing of the portal."""

from __future__ import annotations

import json
import sys
from typing import Any
from wsgiref.simple_server import make_server

import django
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.core.management import call_command

CLIENT_ID, CLIENT_SECRET = "laadbewijs", "een geheim van de toets"


def _settings(told: dict[str, Any]) -> dict[str, Any]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "SECRET_KEY": "of this test",
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "ROOT_URLCONF": "provider_urls",
        "USE_TZ": True,
        "DATABASES": {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{told['folder']}/provider.sqlite3"}
        },
        "INSTALLED_APPS": [
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.idp.oidc",
        ],
        "MIDDLEWARE": [
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        "IDP_OIDC_PRIVATE_KEY": pem,
        "ACCOUNT_LOGIN_METHODS": {"email"},
        "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"],
    }


def _serve(told: dict[str, Any]) -> None:
    settings.configure(**_settings(told))
    django.setup()
    from django.core.wsgi import get_wsgi_application

    call_command("migrate", verbosity=0)
    _fill(told)
    make_server("127.0.0.1", told["port"], get_wsgi_application()).serve_forever()


def _fill(told: dict[str, Any]) -> None:
    from allauth.account.models import EmailAddress
    from allauth.idp.oidc.models import Client
    from django.contrib.auth import get_user_model

    for email, is_verified in told["people"].items():
        user = get_user_model().objects.create_user(email, email, first_name="Noor", last_name="de Wit")
        EmailAddress.objects.create(user=user, email=email, verified=is_verified, primary=True)
    client = Client(
        id=CLIENT_ID, name="Laadbewijs", scopes="openid\nprofile\nemail", redirect_uris=told["callback"]
    )
    client.set_secret(CLIENT_SECRET)
    client.save()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
