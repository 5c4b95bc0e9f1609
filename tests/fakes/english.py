"""The language of what is under test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import translation


@pytest.fixture
def english() -> Iterator[None]:
    """The words of the code; the catalogue has tests of its own."""
    with translation.override("en"):
        yield
