"""The provider of OpenID Connect, as allauth and the content policy want to be told. Imports nothing of Django."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

PROVIDER_ID = "sso"  # in the address to return to


def providers(
    *, issuer: str, name: str, client_id: str, secret: str, verified_domains: list[str]
) -> dict[str, Any]:
    """SOCIALACCOUNT_PROVIDERS; empty without an issuer. PKCE is on, and tokens are not kept."""
    if not issuer:
        return {}
    settings: dict[str, Any] = {"server_url": issuer.rstrip("/"), "oauth_pkce_enabled": True}
    if verified_domains:
        settings["verified_email"] = verified_domains
    app = {
        "provider_id": PROVIDER_ID,
        "name": name,
        "client_id": client_id,
        "secret": secret,
        "settings": settings,
    }
    return {"openid_connect": {"APPS": [app]}}


def origins(issuer: str) -> list[str]:
    """Where a form may lead besides the portal itself."""
    parts = urlsplit(issuer)
    return [f"{parts.scheme}://{parts.netloc}"] if issuer else []
