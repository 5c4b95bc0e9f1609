"""Who uses the API: each signed in with a token, as scripts are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

Signed = Callable[[Any], APIClient]


@pytest.fixture
def signed(db: None) -> Signed:
    def client_of(user: Any) -> APIClient:
        client = APIClient()
        token = Token.objects.create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
        return client

    return client_of
