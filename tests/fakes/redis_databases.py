"""The databases of the Redis that tests run with: one for each portal and for each process of the tests."""

from __future__ import annotations

import redis
from django.conf import settings

DATABASES = 15  # of its 16; the first is the installation's, and holds how many were given out


def another() -> str:
    """The address of an empty one that nobody else has, of this run or another.

    Who empties a database that somebody uses takes away what a worker waits for, and the counts of the brakes.
    """
    taken = redis.Redis.from_url(settings.REDIS_URL).incr("redis-databases-of-tests")
    url = f"{settings.REDIS_URL.rpartition('/')[0]}/{1 + taken % DATABASES}"
    redis.Redis.from_url(url).flushdb()
    return url
