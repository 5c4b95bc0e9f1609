"""The page of settings says what the registry holds, the same on every machine."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from portal import configuration, env

ROOT = Path("/srv/laadbewijs")


def variable(name: str, default: str = "") -> env.Variable:
    return env.Variable(name, "Services", default, "text", "Where it is kept.", str)


def pages(*variables: env.Variable) -> tuple[str, str]:
    made = configuration.pages({each.name: each for each in variables}, ROOT)
    return made[ROOT / "docs" / "configuration.md"], made[ROOT / ".env.example"]


def test_a_variable_is_shown_with_its_type_default_and_text() -> None:
    page, example = pages(variable("PLACE", "here"))
    assert "## Services" in page
    assert "| `PLACE` | text | `here` | Where it is kept. |" in page
    assert "# Where it is kept.\n#PLACE=here\n" in example


def test_a_default_below_the_checkout_does_not_tell_where_the_checkout_is() -> None:
    page, example = pages(variable("PLACE", f"sqlite:///{ROOT}/var/db.sqlite3"))
    assert "`sqlite:///var/db.sqlite3`" in page
    assert str(ROOT) not in page + example


def test_every_setting_of_the_portal_is_on_its_page() -> None:
    made = configuration.pages(env.REGISTRY, settings.BASE_DIR)
    page = made[settings.BASE_DIR / "docs" / "configuration.md"]
    assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= set(env.REGISTRY)
    assert all(f"| `{name}` |" in page for name in env.REGISTRY)
