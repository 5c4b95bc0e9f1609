"""A real provider of OpenID Connect on loopback, and what a browser does there for somebody."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.accounts.provider_process import CLIENT_ID, CLIENT_SECRET

PATIENCE_S = 120
PROCESS = Path(__file__).with_name("provider_process.py")
__all__ = ["CLIENT_ID", "CLIENT_SECRET", "Provider", "serving"]


@dataclass(frozen=True, slots=True)
class Provider:
    """`people`: e-mail address -> whether the provider verified it."""

    url: str
    people: dict[str, bool]

    def answers(self, address: str, *, email: str, grants: bool = True) -> str:
        """What a browser brings back from `address`, where `email` is signed in: path and query for the portal."""
        with requests.Session() as browser:
            browser.get(f"{self.url}/enter", params={"as": email}, timeout=30)
            page = browser.get(address, allow_redirects=False, timeout=30)
            if page.status_code == 200:  # the question whether this portal may know
                answer = {"action": "grant" if grants else "cancel", "scopes": ["openid", "profile", "email"]}
                asked = urlsplit(address)._replace(query="").geturl()
                page = browser.post(asked, _hidden(page.text) | answer, allow_redirects=False, timeout=30)
            back = urlsplit(page.headers["Location"])
            return f"{back.path}?{back.query}"


def _hidden(page: str) -> dict[str, Any]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in fields}


@contextmanager
def serving(folder: Path, *, people: dict[str, bool], callback: str) -> Iterator[Provider]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {"port": port, "people": people, "callback": callback, "folder": str(folder)}
    environ = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    with (folder / "provider.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(PROCESS), json.dumps(told)], env=environ, stdout=log, stderr=log
        )
    try:
        _wait_for(port, process, folder / "provider.log")
        yield Provider(f"http://127.0.0.1:{port}", people)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(log.read_text())
