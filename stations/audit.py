"""The audit log: what a signed-in person changes in a request, seen where the rows are written (docs/adr/0020).

Nothing has to be called: within `visiting` every save, update and deletion of a registered model becomes an AuditEntry,
in the transaction of the change where there is one. What stations and Celery do stands in events.
"""
# ruff: noqa: SLF001 - `_meta` and `_base_manager` are how Django's documentation reaches columns and all rows

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction
from django.db.models import F, QuerySet, signals
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils import timezone

from stations.models import AuditEntry
from stations.models.access import Role, memberships_of
from stations.models.watched import watcher
from stations.ocpp.masking import MASK

Action, Door = AuditEntry.Action, AuditEntry.Door
Model = models.Model
# A certificate or a schedule of months: what it was is in its own row.
MOST_CHARACTERS = 1000
EMPTY: tuple[object, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class Whose:
    """The look-ups from a row to its parties; empty: not for that party to see."""

    operator: str = ""
    municipality: str = ""


@dataclass(frozen=True, slots=True)
class Audited:
    """What is kept of a model.

    `secret` fields are masked, `quiet` ones (bookkeeping) left out; `label` and `key` are attributes that name a row.
    """

    whose: Whose = Whose()
    secret: frozenset[str] = frozenset()
    quiet: frozenset[str] = frozenset()
    label: str = ""
    key: str = "pk"
    station: str = "station_id"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An object as it stands: its name, whose it is, and its columns."""

    key: str
    label: str
    operator: int | None
    municipality: int | None
    station: int | None
    columns: dict[str, Any]


_audited: dict[type[Model], Audited] = {}


def register(model: type[Model], audited: Audited) -> None:
    """From here on what people change of `model` is kept. Called once for each, at start-up."""
    _audited[model] = audited
    tell: Any = model
    signals.pre_save.connect(_before_save, sender=tell)
    signals.post_save.connect(_after_save, sender=tell)
    signals.post_delete.connect(_after_delete, sender=tell)
    signals.pre_delete.connect(_before_delete, sender=tell)
    for relation in _relations(model):
        signals.m2m_changed.connect(_relation_changed, sender=relation.remote_field.through)


def audited_models() -> dict[type[Model], Audited]:
    return dict(_audited)


@contextmanager
def visiting(request: HttpRequest) -> Iterator[str]:
    """Whatever is written within is done by the person of `request`. Gives the id of the request, which has it too."""
    visit = Visit(request)
    request.reference = visit.request_id  # type: ignore[attr-defined]
    before = watcher.set(visit)
    try:
        yield visit.request_id
    finally:
        watcher.reset(before)


@dataclass(slots=True)
class Visit:
    """One request, and what it is about to change."""

    request: HttpRequest
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    # Of a save or a deletion between its two signals, by the identity of the instance.
    about: dict[tuple[int, str], Any] = field(default_factory=dict)

    @property
    def person(self) -> Any:
        """Who is signed in by now: a token of the API is read within the request. None for nobody."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None

    @contextmanager
    def updating(self, rows: QuerySet[Any]) -> Iterator[None]:
        """The rows are held from before the look at them: what changed in between is not laid at this person's door."""
        if rows.model not in _audited or self.person is None:
            yield
            return
        with transaction.atomic(using=rows.db):
            before = _look(rows.model, rows.order_by().values("pk"), held=True)
            yield
            self._changed(rows.model, before)

    def created(self, model: type[Model], rows: Sequence[Model]) -> None:
        if model in _audited and self.person is not None:
            made = _look(model, [_pk(row) for row in rows if _pk(row) is not None])
            self._write(_entry(model, Action.CREATED, None, after) for after in made.values())

    def saved(self, instance: Model, before: Snapshot | None) -> None:
        model = type(instance)
        if before is not None:
            self._changed(model, {_pk(instance): before})
        else:
            self.created(model, [instance])

    def deleted(self, model: type[Model], before: Snapshot) -> None:
        self._write([_entry(model, Action.DELETED, before, None)])

    def related(self, owner: Model, name: str, before: list[str], after: list[str]) -> None:
        if before != after:
            row = _look(type(owner), [owner.pk])[owner.pk]
            entry = _entry(type(owner), Action.CHANGED, row, row)
            entry.changes = {name: [before, after]}
            self._write([entry])

    def _changed(self, model: type[Model], before: dict[Any, Snapshot]) -> None:
        after = _look(model, list(before))
        found = (_entry(model, Action.CHANGED, before[pk], after[pk]) for pk in before if pk in after)
        self._write(entry for entry in found if entry.changes)

    def _write(self, entries: Iterable[AuditEntry]) -> None:
        rows = list(entries)
        now, door, person = timezone.now(), _door_of(self.request), self.person
        for row in rows:
            row.at, row.door, row.request_id = now, door, self.request_id
            row.party, row.role = _acting_as(person, row)
            # A driver may ask to be erased, and this log keeps its rows: it holds no more than the key of the account.
            row.user, row.who = person, str(person)[:254] if row.role else ""
        AuditEntry.objects.bulk_create(rows)


def _door_of(request: HttpRequest) -> AuditEntry.Door:
    try:
        spaces = (request.resolver_match or resolve(request.path_info)).namespaces
    except Resolver404:
        return Door.PAGE
    return {"api": Door.API, "admin": Door.ADMIN}.get(spaces[0] if spaces else "", Door.PAGE)


def _acting_as(person: Any, row: AuditEntry) -> tuple[str, str]:
    """Party and role: there where the object is, else all that the person has; a superuser acts for none."""
    if person.is_superuser:
        return "", "superuser"
    every = memberships_of(person)
    there = [
        each
        for each in every
        if (each.operator_id and each.operator_id == row.operator_id)
        or (each.municipality_id and each.municipality_id == row.municipality_id)
    ]
    acting = there or every
    parties = dict.fromkeys(str(each.operator or each.municipality) for each in acting)
    roles = sorted({each.role for each in acting}, key=Role.values.index)
    return ", ".join(parties)[:200], roles[-1] if roles else ""


# ---------------------------------------------------------------- what stands there


def _look(model: type[Model], keys: Any, *, held: bool = False) -> dict[Any, Snapshot]:
    """The rows of these keys as they stand now."""
    audited = _audited[model]
    parties = {
        f"audit_{kind}": F(path)
        for kind, path in (("operator", audited.whose.operator), ("municipality", audited.whose.municipality))
        if path
    }
    rows = model._base_manager.filter(pk__in=keys).annotate(**parties).order_by("pk")
    if held:
        rows = rows.select_for_update(of=("self",))
    return {_pk(row): _snapshot(row, audited) for row in rows}


def _pk(row: Any) -> Any:
    """The key of its column: a proxy may call another field `pk` (rest_framework.authtoken)."""
    return getattr(row, row._meta.pk.attname)


def _snapshot(row: Any, audited: Audited) -> Snapshot:
    label = _reach(row, audited.label) if audited.label else row
    return Snapshot(
        key=str(_reach(row, audited.key))[:64],
        label=str(label)[:200],
        operator=getattr(row, "audit_operator", None),
        municipality=getattr(row, "audit_municipality", None),
        station=_reach(row, audited.station),
        columns={
            each.attname: getattr(row, each.attname)
            for each in row._meta.concrete_fields
            if not each.primary_key and each.name not in audited.quiet
        },
    )


def _reach(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = getattr(row, name, None)
    return row


def _entry(model: type[Model], action: str, before: Snapshot | None, after: Snapshot | None) -> AuditEntry:
    row: Any = after or before
    return AuditEntry(
        action=action,
        model=_concrete(model)._meta.label_lower,
        key=row.key,
        label=row.label,
        station_id=row.station,
        operator_id=row.operator,
        municipality_id=row.municipality,
        changes=_changes(model, before, after),
    )


def _concrete(model: Any) -> Any:
    """The model itself, of a proxy."""
    return model._meta.concrete_model


def _changes(model: type[Model], before: Snapshot | None, after: Snapshot | None) -> dict[str, list[Any]]:
    """{field: [before, after]}; of an object that came or went the fields that said something."""
    found: dict[str, list[Any]] = {}
    for each in model._meta.concrete_fields:
        was, now = (side.columns.get(each.attname) if side else None for side in (before, after))
        if was == now or (was in EMPTY and now in EMPTY and not (before and after)):
            continue
        hidden = each.name in _audited[model].secret
        found[each.name] = [_masked(value) if hidden else _kept(each, value) for value in (was, now)]
    return found


def _masked(value: Any) -> Any:
    return None if value in EMPTY else MASK


def _kept(column: Any, value: Any) -> Any:
    """As JSON takes it: a row by its name, a long text cut."""
    if value is None:
        return None
    if column.is_relation:
        related = column.related_model._base_manager.filter(pk=value).first()
        return str(related)[:200] if related is not None else str(value)
    if isinstance(value, str):
        return value if len(value) <= MOST_CHARACTERS else f"{value[:MOST_CHARACTERS]}… ({len(value)})"
    return value


# ---------------------------------------------------------------- Django's signals


def _visit() -> Visit | None:
    """The visit of a person who is signed in, if this is one."""
    visit = watcher.get()
    return visit if isinstance(visit, Visit) and visit.person is not None else None


def _before_save(sender: Any, instance: Any, *, raw: bool, **_: Any) -> None:
    if (visit := _visit()) and not raw and _pk(instance) is not None:
        visit.about[id(instance), "save"] = _look(sender, [_pk(instance)]).get(_pk(instance))


def _after_save(sender: Any, instance: Any, *, raw: bool, **_: Any) -> None:
    if (visit := _visit()) and not raw:
        visit.saved(instance, visit.about.pop((id(instance), "save"), None))


def _before_delete(sender: Any, instance: Any, **_: Any) -> None:
    if visit := _visit():
        visit.about[id(instance), "delete"] = _look(sender, [_pk(instance)]).get(_pk(instance))


def _after_delete(sender: Any, instance: Any, **_: Any) -> None:
    if (visit := _visit()) and (before := visit.about.pop((id(instance), "delete"), None)):
        visit.deleted(sender, before)


def _relation_changed(
    sender: Any, instance: Any, action: str, *, reverse: bool, pk_set: Any, **_: Any
) -> None:
    """Of a relation to many: the names before and after. The call may be on the side that does not hold it."""
    if not (visit := _visit()):
        return
    when, what = action.split("_")
    relation = next(
        each for model in _audited for each in _relations(model) if each.remote_field.through is sender
    )
    if when == "pre":
        owners = _owners(relation, instance, pk_set) if reverse else [instance]
        visit.about[id(instance), what] = [(owner, _names(owner, relation.name)) for owner in owners]
        return
    for owner, before in visit.about.pop((id(instance), what), ()):
        visit.related(owner, relation.name, before, _names(owner, relation.name))


def _relations(model: type[Model]) -> list[Any]:
    return [each for each in model._meta.local_many_to_many if each.name not in _audited[model].quiet]


def _owners(relation: Any, instance: Any, pk_set: Any) -> list[Any]:
    rows = relation.model._base_manager
    chosen = rows.filter(**{relation.name: instance}) if pk_set is None else rows.filter(pk__in=pk_set)
    return list(chosen)


def _names(owner: Any, relation: str) -> list[str]:
    return sorted(str(each) for each in getattr(owner, relation).all())
