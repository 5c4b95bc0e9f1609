"""The audit log in words: objects, fields and values as people name them."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.roles import ROLE_NAMES
from portal.templatetags.measures import UNKNOWN, day, figure, moment
from stations.audit import audited_models
from stations.ocpp.masking import MASK

# Of models and fields that have no name of their own for people.
MODEL_WORDS: dict[str, str | Promise] = {
    "stations.configurationchange": gettext_lazy("change of configuration"),
    "stations.templateentry": gettext_lazy("value of a template"),
    "stations.variablemonitor": gettext_lazy("monitor of a station"),
    "compliance.concessionrequirement": gettext_lazy("note on a requirement"),
    "compliance.promise": gettext_lazy("promise of an operator"),
    "mfa.authenticator": gettext_lazy("second factor"),
}
FIELD_WORDS: dict[str, str | Promise] = {
    "action": gettext_lazy("command"),
    "asked": gettext_lazy("requirement"),
    "at_once": gettext_lazy("stations at once"),
    "attribute": gettext_lazy("which value"),
    "before": gettext_lazy("value before"),
    "cancel_requested": gettext_lazy("asked to stop"),
    "code_digest": gettext_lazy("code"),
    "component": gettext_lazy("component"),
    "concession": gettext_lazy("concession"),
    "data": gettext_lazy("what it opens with"),
    "digest": gettext_lazy("number (secret)"),
    "evse_number": gettext_lazy("EVSE"),
    "expires_at": gettext_lazy("expires"),
    "fingerprint": gettext_lazy("fingerprint"),
    "first_stations": gettext_lazy("stations to begin with"),
    "from_status": gettext_lazy("status before"),
    "hashes": gettext_lazy("new password"),
    "held_since": gettext_lazy("the driver's since"),
    "kind": gettext_lazy("kind"),
    "municipality": gettext_lazy("municipality"),
    "name": gettext_lazy("name"),
    "not_after": gettext_lazy("valid until"),
    "not_before": gettext_lazy("valid from"),
    "old_until": gettext_lazy("the secret before signs until"),
    "only_in_transactions": gettext_lazy("only while charging"),
    "operator": gettext_lazy("operator"),
    "operators": gettext_lazy("operators"),
    "payload": gettext_lazy("what was asked"),
    "put_back_at": gettext_lazy("put back at"),
    "put_back_by": gettext_lazy("put back by"),
    "reason": gettext_lazy("reason"),
    "refusal": gettext_lazy("why it was refused"),
    "requirement": gettext_lazy("requirement"),
    "reservation_id": gettext_lazy("number of the reservation"),
    "sealed_number": gettext_lazy("number (sealed)"),
    "sealed_old_secret": gettext_lazy("the secret before"),
    "sealed_payload": gettext_lazy("secret in what was asked"),
    "sealed_secret": gettext_lazy("the secret that signs"),
    "sealed_value": gettext_lazy("secret value"),
    "secret_hash": gettext_lazy("password of the station"),
    "secret_kind": gettext_lazy("kind of password"),
    "serial_number": gettext_lazy("serial number"),
    "severity": gettext_lazy("severity"),
    "sha256": "SHA-256",
    "site": gettext_lazy("site"),
    "size": gettext_lazy("size (bytes)"),
    "slug": gettext_lazy("short name"),
    "state": gettext_lazy("state"),
    "station": gettext_lazy("station"),
    "stop_percent": gettext_lazy("stops at (percentage failed)"),
    "stopped_for": gettext_lazy("stopped for"),
    "subject": gettext_lazy("subject of the certificate"),
    "template": gettext_lazy("template"),
    "template_name": gettext_lazy("name of the template"),
    "to_status": gettext_lazy("status after"),
    "token": gettext_lazy("card"),
    "token_digest": gettext_lazy("number of the card"),
    "type": gettext_lazy("kind"),
    "undone_at": gettext_lazy("undone at"),
    "use": gettext_lazy("used for"),
    "user": gettext_lazy("user"),
    "value": gettext_lazy("value"),
    "wanted": gettext_lazy("wanted"),
    "way": gettext_lazy("way"),
    "withdrawn_at": gettext_lazy("withdrawn at"),
}
SHOWN_CHARACTERS = 200


def kinds() -> list[tuple[str, str]]:
    """Every kind of object that the log keeps, by its name."""
    # One kind may have a proxy beside it.
    labels = {kind.label_lower for kind in (_concrete(model) for model in audited_models())}
    return sorted(((label, kind_words(label)) for label in labels), key=lambda each: each[1].lower())


def kind_words(label: str) -> str:
    """What people call a kind of object; of one that is no more, as it was kept."""
    if label in MODEL_WORDS:
        return str(MODEL_WORDS[label])
    model = model_of(label)
    return str(_concrete(model).verbose_name) if model else label


def model_of(label: str) -> type[models.Model] | None:
    try:
        return apps.get_model(label)
    except LookupError:
        return None


def role_words(role: str) -> str:
    if role == "superuser":
        return _("Administrator of the installation")
    return str(dict(ROLE_NAMES).get(role, role or _("Driver")))  # type: ignore[call-overload]


def field_words(label: str, name: str) -> str:
    if name in FIELD_WORDS:
        field = _field(label, name)
        own = getattr(
            field, "_verbose_name", None
        )  # what Django makes up of the column's name is nobody's word
        return str(own or FIELD_WORDS[name])
    field = _field(label, name)
    return str(field.verbose_name) if field is not None else name


def value_words(label: str, name: str, value: Any) -> str:
    """A value as a page shows it: choices by their names, moments in the portal's zone, the rest as it is."""
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    field: Any = _field(label, name)
    choices = dict(getattr(field, "flatchoices", ()))
    if isinstance(value, str | int) and value in choices:
        return str(choices[value])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or UNKNOWN
    if isinstance(value, list | dict):
        return _cut(json.dumps(value, ensure_ascii=False))
    return _cut(_moment(field, value))


def is_secret(pair: list[Any]) -> bool:
    return MASK in pair


def _moment(field: Any, value: Any) -> str:
    if isinstance(field, models.DateTimeField) and (at := parse_datetime(str(value))):
        return moment(at)
    if isinstance(field, models.DateField) and (on := parse_date(str(value))):
        return day(on)
    return figure(value)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _concrete(model: Any) -> Any:
    """The options of the model itself, of a proxy."""
    return model._meta.concrete_model._meta  # noqa: SLF001 - as Django documents it


def _field(label: str, name: str) -> models.Field[Any, Any] | None:
    model = model_of(label)
    try:
        return _concrete(model).get_field(name) if model else None
    except FieldDoesNotExist:
        return None
