"""The portal's own server process, as it is started everywhere; `--no-store` answers readings without writing them."""

from __future__ import annotations

import os
import sys

import django
import uvicorn

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from portal.serving import server_config  # noqa: E402
from stations.gateway import gateway  # noqa: E402


def _answer_without_storing() -> None:
    write = gateway.writer.submit

    def submit(job: object) -> None:
        if job.rows is not None:  # type: ignore[attr-defined]
            gateway._answer([job])  # type: ignore[list-item]
        else:
            write(job)  # type: ignore[arg-type]

    gateway.writer.submit = submit  # type: ignore[method-assign]


if __name__ == "__main__":
    if "--no-store" in sys.argv:
        _answer_without_storing()
    uvicorn.Server(server_config(host="127.0.0.1", port=int(sys.argv[1]))).run()
