"""What the papers promise is there: their links, the commands of make, the parts of the image."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from portal import env

ROOT = Path(__file__).resolve().parents[2]
PAPERS = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
)


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


@pytest.mark.parametrize("paper", PAPERS)
def test_every_link_leads_somewhere(paper: str) -> None:
    text = (ROOT / paper).read_text()
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    missing = [
        target
        for target in targets
        if "://" not in target and not ((ROOT / paper).parent / target).resolve().exists()
    ]
    assert not missing


def test_the_two_read_mes_say_the_same_things() -> None:
    english, dutch = ((ROOT / name).read_text() for name in ("README.md", "README.nl.md"))
    assert english.count("\n## ") == dutch.count("\n## ")
    commands = re.findall(r"^make \w+", english, re.MULTILINE)
    assert commands == re.findall(r"^make \w+", dutch, re.MULTILINE) == ["make demo", "make test"]


def test_every_make_command_in_the_papers_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        name for paper in PAPERS for name in re.findall(r"`make ([a-z0-9]+)", (ROOT / paper).read_text())
    }
    assert {"demo", "test", "check", "bench"} <= named
    assert named <= targets


def test_the_help_of_make_names_every_command() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())  # type: ignore[index]
    assert targets - {"help", "setup"} == set(re.findall(r"@echo 'make (\w+)", text))


def test_the_containers_get_settings_that_exist_and_start_what_exists() -> None:
    for name in ("web", "ocpp", "worker", "beat", "migrate"):
        service = services()[name]
        assert set(service["environment"]) <= set(env.REGISTRY)
        match service["command"]:
            case ["python", "manage.py", command, *_]:
                assert command in get_commands()
            case ["celery", "--app", module, *_]:
                assert importlib.util.find_spec(module)
            case other:
                pytest.fail(f"{name} starts {other}")


def test_every_container_waits_for_the_migrations() -> None:
    for name in ("web", "ocpp", "worker", "beat"):
        assert services()[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_image_copies_what_there_is_and_the_ignore_file_lets_it_through() -> None:
    lets_through = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source for line in lines for source in line.split()}
    assert sources == set(lets_through)
    assert all((ROOT / source).exists() for source in sources)


def test_public_code_has_what_the_standard_asks() -> None:
    described = yaml.safe_load((ROOT / "publiccode.yaml").read_text())
    mandatory = {"publiccodeYmlVersion", "name", "url", "platforms", "developmentStatus", "softwareType"}
    assert mandatory | {"description", "legal", "maintenance", "localisation"} <= set(described)
    for description in described["description"].values():
        assert len(description["shortDescription"]) <= 150
        assert 150 <= len(description["longDescription"]) <= 10_000
        assert description["features"]
