"""The world of the access table: a station with all that can hang on it, and a visitor of each role."""

from tests.pages.test_access import world

__all__ = ["world"]
