"""What every test has. Fixtures live beside the tests that use them, in a folder's own conftest."""

from __future__ import annotations

from django.conf import settings

pytest_plugins = ["tests.skips", "tests.fakes.portal"]


def pytest_configure() -> None:
    # Each test client makes the middleware anew; WhiteNoise would go through all static files each time (60 ms).
    settings.WHITENOISE_AUTOREFRESH = True
