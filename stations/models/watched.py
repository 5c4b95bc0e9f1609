"""Every way in which rows are written tells a watcher, where there is one: stations.audit sees by it who changed what.

A save and a deletion send Django's own signals. `update()` and `bulk_create()` send none, and most changes of state
here are conditional updates: these querysets tell of them. Without a watcher (stations, Celery) it costs one look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from django.db import models, transaction


class Watcher(Protocol):
    """Who wants to know what is written in this context: one request of a person."""

    def updating(self, rows: models.QuerySet[Any]) -> AbstractContextManager[None]:
        """Around an update of `rows`."""

    def created(self, model: type[models.Model], rows: Sequence[models.Model]) -> None:
        """These were made in one statement."""


Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)
watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


class WatchedQuerySet(models.QuerySet[Row_co]):
    """Rows that people change."""

    def update(self, **values: Any) -> int:
        told = watcher.get()
        if told is None:
            return super().update(**values)
        with told.updating(self):
            return super().update(**values)

    update.alters_data = True  # type: ignore[attr-defined]

    if not TYPE_CHECKING:  # the plugin knows what Django's own `create` gives

        def create(self, **values: Any) -> Any:
            """With what is told of it in one transaction."""
            if watcher.get() is None:
                return super().create(**values)
            with transaction.atomic(using=self.db):
                return super().create(**values)

        create.alters_data = True

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> list[Any]:
        told = watcher.get()
        if told is None:
            return super().bulk_create(objs, *args, **options)
        with transaction.atomic(using=self.db):
            rows = super().bulk_create(objs, *args, **options)
            told.created(self.model, rows)
            return rows

    bulk_create.alters_data = True  # type: ignore[attr-defined]
