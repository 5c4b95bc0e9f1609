"""No model is forgotten: each is in the audit log, or named beside it with the reason why not."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import models

from portal.audited import ANSWER, AUDITED, COURSE, NOT_AUDITED, PLACE
from stations.audit import audited_models
from stations.models.watched import WatchedQuerySet

OUR_APPS = (
    *("stations", "smartcharging", "v2x", "accounts", "compliance", "notices", "portal"),
    "account",
)
# Packages bring these; they write them by save() and delete() alone, which signals tell of.
OF_PACKAGES = ("account", "mfa")
# What may hold a secret, by its name.
TELLING = re.compile(r"secret|passw|hash|digest|sealed|key$|recovery|seed|^data$")
HARMLESS = {
    "stations.Station.secret_kind": "says how a password came about",
}


def our_models() -> dict[str, type[models.Model]]:
    shown = {model for model in admin.site._registry if not model._meta.auto_created}
    ours = {model for app in OUR_APPS for model in apps.get_app_config(app).get_models()}
    return {model._meta.label: model for model in ours | shown}


def test_every_model_is_audited_or_excepted_by_name() -> None:
    known = set(AUDITED) | set(NOT_AUDITED)
    assert set(our_models()) - known == set(), "portal/audited.py: audit them, or say why not"
    assert known - set(our_models()) == set(), "these are no models any more"
    assert not set(AUDITED) & set(NOT_AUDITED)
    assert all(reason for reason in NOT_AUDITED.values())


def test_all_that_is_declared_is_watched() -> None:
    assert {model._meta.label for model in audited_models()} == set(AUDITED)


@pytest.mark.parametrize("name", sorted(AUDITED))
def test_a_bulk_change_of_it_is_seen(name: str) -> None:
    model = our_models()[name]
    if model._meta.app_label not in OF_PACKAGES:
        assert isinstance(model._default_manager.all(), WatchedQuerySet)


@pytest.mark.parametrize("name", sorted(AUDITED))
def test_what_is_declared_of_it_is_there(name: str) -> None:
    model, audited = our_models()[name], AUDITED[name]
    fields = {field.name for field in (*model._meta.concrete_fields, *model._meta.many_to_many)}
    assert audited.secret <= fields
    assert audited.quiet - COURSE - ANSWER - PLACE <= fields
    for path in filter(None, (audited.whose.operator, audited.whose.municipality)):
        str(model._default_manager.filter(**{f"{path}__isnull": True}).query)


@pytest.mark.parametrize("name", sorted(AUDITED))
def test_its_secrets_are_declared(name: str) -> None:
    for field in our_models()[name]._meta.concrete_fields:
        if TELLING.search(field.name) and f"{name}.{field.name}" not in HARMLESS:
            assert field.name in AUDITED[name].secret | AUDITED[name].quiet, field.name
