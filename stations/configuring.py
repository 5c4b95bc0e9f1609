"""Values that people want at a station: checked against what it said of them, sent in as few questions as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from stations import commands
from stations.changes import close_runs
from stations.domain import device as domain
from stations.domain.capabilities import count
from stations.models import (
    Command,
    ConfigurationChange,
    ConfigurationTemplate,
    ConfigurationValue,
    Operator,
    Station,
    TemplateEntry,
)
from stations.models.device import Attribute, Placed
from stations.ocpp.device import Place
from stations.ocpp.masking import MASK, names_secret
from stations.ocpp.validation import SchemaViolation, UnknownAction
from stations.sealing import Unsealable, seal, unseal

State = ConfigurationChange.State
# What fits into one SetVariables, where the station does not say (2.0.1, DeviceDataCtrlr.ItemsPerMessage).
ITEMS = 10
MOST_ITEMS = 50
PATIENCE_S = 300.0
MOST_ENTRIES = 200
PASSWORDS = frozenset({"authorizationkey", "basicauthpassword"})

ByPlace = Mapping[tuple[str, str, str], ConfigurationValue]


@dataclass(frozen=True, slots=True)
class Wish:
    """A value that is wanted somewhere; of a secret, `value` is the mask and the sealed text is the value."""

    place: Place
    value: str
    attribute: str = Attribute.ACTUAL
    sealed_value: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return (*self.place.key, self.attribute)


def wish(place: Place, value: str, attribute: str = Attribute.ACTUAL) -> Wish:
    """`value` wanted at `place`; what is a secret by its name is sealed at once."""
    if names_secret(place.variable, place.variable_instance, place.component):
        return Wish(place, MASK, attribute, seal(value))
    return Wish(place, value, attribute)


def bounds_of(station: Station, row: ConfigurationValue) -> domain.Bounds:
    """What `row` may be set to."""
    return domain.bounds_of(
        version=station.ocpp_version,
        name=row.name,
        value=row.value,
        data_type=row.data_type,
        minimum=row.min_limit,
        maximum=row.max_limit,
        choices=row.choices,
    )


def is_password(place: Place) -> bool:
    """The station signs in with it: changed by itself, it would be locked out. stations.securing changes both sides."""
    return place.variable.lower() in PASSWORDS


def is_secret(row: Placed) -> bool:
    place = row.place
    return names_secret(place.variable, place.variable_instance, place.component)


# ---------------------------------------------------------------- sending
@transaction.atomic
def set_values(
    *, station: Station, wishes: Iterable[Wish], requested_by: Any, now: datetime
) -> list[ConfigurationChange]:
    """Ask the station to take these values; each row tells what became of it."""
    wanted = {each.key: each for each in wishes}
    known = values_of([station], wanted.values()).get(station.pk, {})
    rows = [
        change_of(station, each, known.get(key), requested_by=requested_by, now=now)
        for key, each in wanted.items()
    ]
    rows = ConfigurationChange.objects.bulk_create(rows)
    send(station, rows, requested_by=requested_by, now=now)
    return rows


def change_of(
    station: Station,
    wanted: Wish,
    known: ConfigurationValue | None,
    *,
    requested_by: Any,
    now: datetime,
    run_id: int | None = None,
) -> ConfigurationChange:
    return ConfigurationChange(
        station=station,
        run_id=run_id,
        **Placed.columns(wanted.place),
        attribute=wanted.attribute,
        before=known.value if known else "",
        value=wanted.value,
        sealed_value=wanted.sealed_value,
        requested_by=requested_by,
        requested_at=now,
    )


def send(
    station: Station,
    rows: Sequence[ConfigurationChange],
    *,
    requested_by: Any,
    now: datetime,
    expires_in_s: float = PATIENCE_S,
) -> None:
    """Queue what `rows` ask for: 1.6 takes a key at a time, 2.x several variables. Call it in a transaction."""
    size = 1 if station.ocpp_version == "1.6" else _items_per_message(station)
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        try:
            action, payload = _question(station, batch)
            command = commands.request(
                station=station,
                action=action,
                payload=payload,
                origin="configuration",
                requested_by=requested_by,
                now=now,
                expires_in_s=expires_in_s,
            )
        except (SchemaViolation, UnknownAction, Unsealable) as error:
            _mark(batch, state=State.FAILED, reason=str(error)[:600], settled_at=now)
        else:
            _mark(batch, state=State.ASKED, command=command)
    # Where nothing could be asked, a roll-out has nothing to wait for.
    close_runs({row.run_id for row in rows if row.run_id}, now=now)


def _question(station: Station, rows: Sequence[ConfigurationChange]) -> tuple[str, dict[str, Any]]:
    if station.ocpp_version == "1.6":
        return "ChangeConfiguration", {"key": rows[0].name, "value": _plain(rows[0])}
    return "SetVariables", {"setVariableData": [_data(row) for row in rows]}


def _data(row: ConfigurationChange) -> dict[str, Any]:
    data = {"attributeValue": _plain(row), **row.place.wire()}
    return data if row.attribute == Attribute.ACTUAL else {"attributeType": row.attribute, **data}


def _plain(row: ConfigurationChange) -> str:
    """Raises Unsealable."""
    if row.value == MASK and not row.sealed_value:
        raise Unsealable("the secret is not kept: give it again")
    return unseal(row.sealed_value) if row.sealed_value else row.value


def _mark(rows: Iterable[ConfigurationChange], **said: Any) -> None:
    rows = list(rows)
    ConfigurationChange.objects.filter(pk__in=[row.pk for row in rows]).update(**said)
    for row in rows:
        for name, value in said.items():
            setattr(row, name, value)


def _items_per_message(station: Station) -> int:
    said = ConfigurationValue.objects.filter(
        station=station,
        component__iexact="DeviceDataCtrlr",
        name__iexact="ItemsPerMessage[SetVariables]",
        attribute=Attribute.ACTUAL,
    ).values_list("value", flat=True)
    return min(max((count(said[0]) if said else None) or ITEMS, 1), MOST_ITEMS)


def take_back(*, command: Command, now: datetime) -> bool:
    """Withdraw a question that waits for its station, with all that it asks. False: too late."""
    if not commands.cancel(command, now=now):
        return False
    rows = ConfigurationChange.objects.filter(command=command, state=State.ASKED)
    rows.update(state=State.CANCELLED, settled_at=now)
    return True


# ---------------------------------------------------------------- comparing
def values_of(stations: Iterable[Station], wanted: Iterable[Wish | TemplateEntry]) -> dict[int, ByPlace]:
    """What was read of just these places at these stations, by station: one query, however many there are."""
    names = {each.place.name_text for each in wanted}
    rows = ConfigurationValue.objects.filter(
        Q(station__in=list(stations)) & _any_case(names), is_unknown=False, is_derived=False
    )
    found: dict[int, dict[tuple[str, str, str], ConfigurationValue]] = {}
    for row in rows:
        found.setdefault(row.station_id, {})[(row.component.lower(), row.name.lower(), row.attribute)] = row
    return {**found}


def _any_case(names: Iterable[str]) -> Q:
    """Names are case-insensitive, and are nearly always written alike: both spellings that occur, without a scan."""
    both = {spelling for name in names for spelling in (name, name.lower())}
    return Q(name__in=both)


def difference(wanted: Wish | TemplateEntry, known: ConfigurationValue | None) -> domain.Difference:
    """How a station that was read stands to a value that is wanted."""
    return domain.difference(
        wanted.value,
        is_secret=bool(wanted.sealed_value),
        has=None if known is None else known.value,
        is_readable=known is not None and known.mutability != "WriteOnly" and known.value != MASK,
        is_writable=known.is_writable if known else None,
    )


def key_of(entry: TemplateEntry) -> tuple[str, str, str]:
    return (*entry.place.key, entry.attribute)


def compare(
    entries: Sequence[TemplateEntry], known: ByPlace
) -> list[tuple[TemplateEntry, ConfigurationValue | None, domain.Difference]]:
    """A template against one station."""
    rows = [(entry, known.get(key_of(entry))) for entry in entries]
    return [(entry, row, difference(entry, row)) for entry, row in rows]


# ---------------------------------------------------------------- templates
@transaction.atomic
def save_template(
    *, template: ConfigurationTemplate, name: str, wishes: Sequence[Wish], now: datetime
) -> ConfigurationTemplate:
    """Keep a template with just these values; a secret that is left empty stays as it was."""
    template.name, template.changed_at = name, now
    template.save()
    before = {key_of(entry): entry.sealed_value for entry in template.entries.all()}
    template.entries.all().delete()
    TemplateEntry.objects.bulk_create(
        TemplateEntry(
            template=template,
            **Placed.columns(each.place),
            attribute=each.attribute,
            value=each.value,
            sealed_value=each.sealed_value or (before.get(each.key, "") if each.value == MASK else ""),
        )
        for each in {each.key: each for each in wishes}.values()
    )
    return template


def new_template(*, operator: Operator, family: str, now: datetime) -> ConfigurationTemplate:
    return ConfigurationTemplate(operator=operator, family=family, changed_at=now)


def family_of(station: Station) -> str:
    family = ConfigurationTemplate.Family
    return family.V16 if station.ocpp_version == "1.6" else family.V2


def wishes_from(station: Station) -> list[Wish]:
    """What can be set at a station and is no secret, as it is there now."""
    rows = ConfigurationValue.objects.filter(station=station, is_unknown=False, is_derived=False).exclude(
        attribute__in=(Attribute.MIN_SET, Attribute.MAX_SET)
    )
    return [
        Wish(row.place, row.value, row.attribute)
        for row in rows
        if row.is_writable and row.mutability != "WriteOnly" and not is_secret(row)
    ][:MOST_ENTRIES]
