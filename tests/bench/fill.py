"""Makes a migrated database with stations to load: `python -m tests.bench.fill COUNT`; prints the password of all."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.core.management import call_command  # noqa: E402

from stations.credentials import hash_secret  # noqa: E402
from stations.models import Concession, Municipality, Operator, Site, Station  # noqa: E402
from tests.bench.load import PASSWORD  # noqa: E402


def main(count: int) -> None:
    call_command("migrate", verbosity=0)
    municipality = Municipality.objects.create(name="Bench", slug="bench")
    operator = Operator.objects.create(name="Bench", slug="bench")
    concession = Concession.objects.create(
        name="Bench", slug="bench", municipality=municipality, starts_on=datetime.now(UTC).date()
    )
    site = Site.objects.create(name="Bench", concession=concession, operator=operator)
    secret = hash_secret(PASSWORD.encode(), kind=Station.Secret.GENERATED)
    Station.objects.bulk_create(
        Station(site=site, identity=f"B{number:05}", ocpp_version="1.6", secret_hash=secret)
        for number in range(count)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
