"""What the frame of every page shows: who you are, for which party, and where you can go."""

from typing import Any

from django.http import HttpRequest


def frame(request: HttpRequest) -> dict[str, Any]:
    return {}
