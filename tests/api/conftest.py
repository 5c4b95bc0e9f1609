"""Who uses the API: each signed in with a token, as scripts are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.factories import make_api_key

Signed = Callable[[Any], APIClient]


@pytest.fixture
def signed(db: None) -> Signed:
    def client_of(user: Any) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {make_api_key(user)}")
        return client

    return client_of
