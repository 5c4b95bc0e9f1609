"""Requirement 211 by what a station states that it samples: substantiated, or the fix named; never a deviation."""

from __future__ import annotations

import pytest

from portal.compliance.models import Evidence, Judgement
from portal.compliance.reproduce import reproduce
from portal.compliance.tasks import check_configuration
from stations.models import ConfigurationValue, Station
from tests.compliance.fakes import make_asking_concession
from tests.compliance.test_statuses import was_read
from tests.factories import NOW, make_capabilities, make_station

pytestmark = pytest.mark.django_db
IMPORT, EXPORT = "Energy.Active.Import.Register", "Energy.Active.Export.Register"


def stated(version: str, measurands: list[str], choices: str = "") -> Evidence | None:
    """What a station of `version` that samples these, and can sample `choices`, adds to what is known of 211."""
    station = make_station(version=version, concession=make_asking_concession(), firmware="1.0")
    make_capabilities(station, measurands=measurands, max_stack_level=None, max_periods=None)
    if choices:
        ConfigurationValue.objects.create(
            station=station,
            component="SampledDataCtrlr",
            name="TxUpdatedMeasurands.valuesList",
            value=choices,
            read_at=NOW,
        )
    was_read(station)
    check_configuration(station.pk)
    check_configuration(station.pk)
    return Evidence.objects.filter(requirement__code="211").first()


def status(station: Station | None) -> str:
    return Judgement.objects.get(station=station, requirement__code="211").status


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_a_station_that_samples_both_registers_substantiates(version: str) -> None:
    row = stated(version, [IMPORT, EXPORT, "Voltage"])
    assert row is not None
    assert (row.method, row.verdict) == ("configuration", "substantiated")
    assert status(row.station) == "substantiated"
    assert Evidence.objects.filter(requirement__code="211").count() == 1
    assert reproduce(row).is_same


@pytest.mark.parametrize(
    ("version", "key"), [("1.6", "MeterValuesSampledData"), ("2.0.1", "SampledDataCtrlr.TxUpdatedMeasurands")]
)
def test_a_register_that_is_not_sampled_is_not_assessed_and_the_fix_is_named(version: str, key: str) -> None:
    row = stated(version, [IMPORT])
    assert row is not None
    assert row.verdict == "undecided"
    assert f"Add {EXPORT} to {key}" in row.reason
    assert status(row.station) == "not_assessed"


def test_a_register_that_is_offered_substantiates_and_the_fix_is_named() -> None:
    row = stated("2.0.1", [IMPORT], choices=f"{IMPORT},{EXPORT}")
    assert row is not None
    assert row.verdict == "substantiated"
    assert "does not sample it" in row.reason


def test_an_export_register_alone_is_half_of_it() -> None:
    row = stated("1.6", [EXPORT])
    assert row is not None
    assert row.verdict == "undecided"
    assert f"Add {IMPORT}" in row.reason


def test_a_station_that_does_not_state_what_it_samples_leaves_no_evidence() -> None:
    assert stated("1.6", []) is None
