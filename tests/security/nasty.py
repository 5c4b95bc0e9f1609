"""Every free text of every row, filled with what a page or a spreadsheet could take for something else."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import models

APPS = ("stations", "smartcharging", "v2x", "accounts", "compliance")
# Words that the code goes by, and addresses: nobody types them freely.
WORDS = {
    "action",
    "code",
    "digest",
    "door",
    "family",
    "file",
    "group_id",
    "hash",
    "identity",
    "kind",
    "measurand",
    "message_id",
    "model",
    "name_hash",
    "ocpp_version",
    "password",
    "previous_hash",
    "reason_code",
    "sealed_number",
    "sealed_payload",
    "sealed_value",
    "secret_hash",
    "sha256",
    "slug",
    "state",
    "token_digest",
    "transaction_id",
}
# The same names, where people do not type them; and where they, or their stations, do.
NOT_FREE = {("Watermark", "name"), ("Frame", "direction")}
FREE_AFTER_ALL = {("Station", "model")}


def free_texts(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """Columns of text that are no choice and no key."""
    return [
        column
        for column in model._meta.concrete_fields
        if isinstance(column, models.CharField | models.TextField)
        and not column.choices
        and not column.unique
        and not isinstance(column, models.EmailField)
        and (column.name not in WORDS or (model.__name__, column.name) in FREE_AFTER_ALL)
        and (model.__name__, column.name) not in NOT_FREE
        and (column.max_length or 10_000) >= 10
    ]


def fill(text: str) -> int:
    """Write `text`, as far as it fits, into every free text of every row there is; how many columns took it."""
    count = 0
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            columns = free_texts(model)
            if columns and model._base_manager.exists():
                said = {column.name: text[: column.max_length or None] for column in columns}
                model._base_manager.update(**said)
                count += len(columns)
    return count
