"""What every test has. Fixtures live beside the tests that use them, in a folder's own conftest."""

pytest_plugins = ["tests.skips", "tests.fakes.portal"]
