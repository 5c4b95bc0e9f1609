"""Requirement 211: what the registers of a station show, and which habits explain it otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.compliance.checks import registers, registers_samples
from portal.compliance.checks.findings import Finding
from portal.compliance.checks.registers_look import Setting, setting_from_json, setting_to_json
from portal.compliance.checks.registers_samples import Sample
from portal.compliance.sentences import say_in_english
from tests.compliance import metered as m
from tests.compliance.metered import metered

SETTING = Setting(evse=1, max_power_w=3 * 25 * 230.0, is_over=True)


def judged(samples: list[Sample], **known: Any) -> Finding:
    return registers.judge(replace(SETTING, **known), samples)


def said(finding: Finding) -> tuple[str, str]:
    return finding.verdict, finding.code.removeprefix("211.")


SOC_FALLS = [replace(s, soc=80 - 40 * n / 90) for n, s in enumerate(metered([(90, -5000.0)]))]
SOC_RISES = [replace(s, soc=20 + 40 * n / 90) for n, s in enumerate(metered([(90, -5000.0)]))]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        # ------------------------------------------------ good meters, each in its own way
        (metered(), ("proven", "proven")),
        (m.each(m.negative_power)(metered()), ("proven", "proven")),
        (m.without("import_w", "export_w")(metered()), ("proven", "proven")),
        (metered(every_s=10), ("proven", "proven")),
        (metered(every_s=900, phases=[(60, 7000.0), (120, -5000.0)]), ("proven", "proven")),
        (metered([(90, -5000.0)]), ("proven", "proven")),
        (metered([(30, -1380.0)]), ("proven", "proven")),
        (metered([(5, -2300.0)]), ("proven", "proven")),
        (m.each(m.whole_kwh)(metered()), ("proven", "proven")),
        (m.latched(metered()), ("proven", "proven")),
        (m.standby(10)(metered()), ("proven", "proven")),
        (m.standby(20)(metered([(60, 7000.0), (480, -3000.0)])), ("proven", "proven")),
        (m.told_late(metered()), ("proven", "proven")),
        (m.shifted_from(70, import_wh=-4e6, export_wh=-9e5)(metered()), ("proven", "proven")),
        (m.shifted_from(70, import_wh=2e6)(metered()), ("proven", "proven")),
        (m.shifted_from(20, import_wh=-5_432_100.0)(metered()), ("proven", "proven")),
        (SOC_FALLS, ("proven", "proven")),
        # the register of a transaction starts at 0
        (metered(import_wh=0.0, export_wh=0.0), ("proven", "proven")),
        # a wavering last digit
        (
            [replace(s, import_wh=(s.import_wh or 0) + n % 2) for n, s in enumerate(metered())],
            ("proven", "proven"),
        ),
        # ------------------------------------------------ bad meters
        (m.single_register(metered()), ("deviation", "no_export_rise")),
        (m.told_late(m.single_register(metered())), ("deviation", "no_export_rise")),
        (m.single_register(metered(every_s=900)), ("deviation", "no_export_rise")),
        (m.netted(metered()), ("deviation", "netted")),
        (m.told_late(m.netted(metered())), ("deviation", "netted")),
        (m.netted(metered(every_s=900)), ("deviation", "netted")),
        (m.each(m.negative_power)(m.netted(metered())), ("deviation", "netted")),
        (m.without("import_w", "export_w")(m.netted(metered())), ("deviation", "netted")),
        (m.without("export_wh")(m.netted(metered())), ("deviation", "netted")),
        (m.latched(m.netted(metered())), ("deviation", "netted")),
        (m.latched(m.single_register(metered())), ("deviation", "no_export_rise")),
        (m.chain(m.netted, m.each(m.whole_kwh))(metered()), ("deviation", "netted")),
        (m.one_that_exports(metered()), ("deviation", "netted_export")),
        (m.absolute(metered()), ("deviation", "one_register")),
        (m.absolute(SOC_FALLS), ("deviation", "one_register")),
        # ------------------------------------------------ what explains it otherwise
        (metered([(60, 7000.0)]), ("undecided", "no_discharge")),
        (metered([(60, -60.0)]), ("undecided", "no_discharge")),
        (metered([(1, -5000.0), (60, 0.0)]), ("undecided", "sparse")),
        (metered([(150, -5000.0)], every_s=1800), ("undecided", "sparse")),
        (metered([(4, -1000.0), (60, 7000.0)]), ("undecided", "too_little")),
        (m.single_register(metered([(30, -3000.0)])), ("undecided", "too_little")),
        (m.each(m.whole_kwh)(metered([(10, -5000.0)])), ("undecided", "too_little")),
        (m.without("export_wh")(metered()), ("undecided", "not_configured")),
        (m.without("import_wh")(metered()), ("undecided", "import_not_sent")),
        (m.late(metered()), ("undecided", "registers_late")),
        (m.late(metered([(90, -5000.0)])), ("undecided", "registers_late")),
        (m.flapping(metered()), ("undecided", "both_rise")),
        (m.each(m.mislabelled)(metered([(60, 7000.0)])), ("undecided", "direction_unsure")),
        (SOC_RISES, ("undecided", "direction_unsure")),
        (m.single_register(SOC_RISES), ("undecided", "direction_unsure")),
        (m.absolute(metered([(90, -5000.0)])), ("undecided", "direction_unsure")),
        (
            [replace(s, export_wh=(s.export_wh or 0) / 1000) for s in metered()],
            ("undecided", "disproportionate"),
        ),
        # one fall is a restart, a rollover or another meter; the rest is judged for itself
        (m.shifted_from(70, import_wh=-4e6)(m.single_register(metered())), ("deviation", "no_export_rise")),
        # power that is told both ways at once says nothing
        (
            [replace(s, import_w=s.export_w) for s in m.single_register(metered())],
            ("undecided", "no_discharge"),
        ),
        # currents that have no sign
        (
            [
                replace(s, import_w=None, export_w=None, import_a=(20.0, None, None))
                for s in m.single_register(metered())
            ],
            ("undecided", "no_discharge"),
        ),
        # clocks
        (m.clock_back(metered()), ("undecided", "sparse")),
        (list(reversed(metered())), ("proven", "proven")),
        # the queue of a station without a memory for order
        ([replace(s, received_at=metered()[-1].at - (s.at - m.START)) for s in m.netted(metered())],
         ("undecided", "sparse")),
    ],
)  # fmt: skip
def test_what_a_habit_is_worth(samples: list[Sample], expected: tuple[str, str]) -> None:
    finding = judged(samples)
    assert said(finding) == expected, finding
    assert "%(" not in say_in_english(finding.code, finding.values)


def test_a_running_session_may_still_tell_what_it_exported() -> None:
    assert said(judged(m.single_register(metered()), is_over=False)) == ("undecided", "wait")
    assert said(judged(m.netted(metered()), is_over=False)) == ("deviation", "netted")


def test_what_is_claimed_beforehand_must_come() -> None:
    samples = m.without("export_wh")(m.each(m.negative_power)(metered()))
    assert said(judged(samples, claimed=True)) == ("deviation", "claimed_not_sent")
    finding = judged(samples, claimed=False, key="SampledDataCtrlr.TxUpdatedMeasurands")
    assert said(finding) == ("undecided", "not_configured")
    assert "SampledDataCtrlr.TxUpdatedMeasurands" in say_in_english(finding.code, finding.values)


@pytest.mark.parametrize(
    ("neighbour", "expected"),
    [
        (None, ("undecided", "shared_meter")),
        (5_432_100.0, ("undecided", "shared_meter")),
        (77_000.0, ("deviation", "no_export_rise")),
    ],
)
def test_two_cars_at_one_meter_feed_each_other(neighbour: float | None, expected: tuple[str, str]) -> None:
    assert said(judged(m.single_register(metered()), neighbours=(neighbour,))) == expected
    assert said(judged(metered(), neighbours=(neighbour,))) == ("proven", "proven")


def test_two_transactions_are_not_measured_as_one() -> None:
    """The second car's registers start anew, below the first's."""
    first = metered([(30, 7000.0)], transaction="7")
    second = metered([(30, 7000.0)], transaction="8", import_wh=0.0, export_wh=0.0)
    hour = m.START - metered([(60, 0.0)])[-1].at
    second = [replace(s, at=s.at - hour, received_at=s.received_at - hour) for s in second]
    assert said(judged(first + second)) == ("undecided", "no_discharge")


def test_contexts_are_not_mixed() -> None:
    """Registers of the clock lag behind those of the interval: side by side they seem to fall."""
    clock = [
        replace(s, context="Sample.Clock", at=s.at.replace(second=30), import_wh=(s.import_wh or 0) - 500)
        for s in metered([(60, 7000.0), (60, -5000.0)])
    ]
    assert said(judged(metered([(60, 7000.0), (60, -5000.0)]) + clock)) == ("proven", "proven")


def test_samples_that_disagree_decide_nothing() -> None:
    stuck = [
        replace(s, context="Sample.Clock", at=s.at.replace(second=30), export_wh=2_000_000.0)
        for s in metered()
    ]
    assert said(judged(metered() + stuck)) == ("undecided", "disagrees")


def test_the_figures_have_units_and_codes_of_the_meter() -> None:
    figures = {figure.key: figure for figure in judged(metered()).figures}
    assert figures["export_rise_wh"].value == pytest.approx(7416.7, abs=1)
    assert figures["import_rise_wh"].value == 0
    assert figures["resolution_wh"].value == 0.1
    assert figures["duration_s"].value == 89 * 60
    assert figures["samples"].value == 90
    assert "2.8.x" in figures["export_rise_wh"].name
    assert "1.8.x" in figures["import_rise_wh"].name
    assert all(figures[key].holds for key in ("export_rise_wh", "import_rise_wh"))
    bad = {figure.key: figure.holds for figure in judged(m.single_register(metered())).figures}
    assert bad["export_rise_wh"] is False
    netted = {figure.key: figure for figure in judged(m.netted(metered())).figures}
    assert netted["import_rise_wh"].holds is False
    assert float(netted["import_rise_wh"].value) < -7000


@pytest.mark.parametrize("samples", [metered(), m.netted(metered()), m.single_register(metered()), SOC_FALLS])
def test_what_is_stored_is_judged_the_same(samples: list[Sample]) -> None:
    setting = replace(SETTING, claimed=True, neighbours=(None, 7.0))
    stored = json.loads(json.dumps([registers_samples.to_json(sample) for sample in samples]))
    again = [registers_samples.from_json(item) for item in stored]
    assert again == samples
    back = setting_from_json(json.loads(json.dumps(setting_to_json(setting))))
    assert back == setting
    assert registers.judge(back, again) == registers.judge(setting, samples)


powers = st.sampled_from([7000.0, 0.0, -5000.0, 3000.0, -1400.0, -60.0])
days = st.lists(st.tuples(st.integers(1, 90), powers), min_size=1, max_size=8)


@settings(max_examples=40)
@given(phases=days, every_s=st.sampled_from([60, 300, 900]), kwh=st.booleans(), late=st.booleans())
def test_a_good_meter_is_never_called_a_deviation(
    phases: list[tuple[int, float]], every_s: int, kwh: bool, late: bool
) -> None:
    samples = metered(phases, every_s=every_s)
    samples = m.each(m.whole_kwh)(samples) if kwh else samples
    samples = m.latched(samples) if late else samples
    assert judged(samples).verdict != "deviation"


@settings(max_examples=40)
@given(phases=days, every_s=st.sampled_from([60, 300]))
def test_one_register_is_never_called_proven(phases: list[tuple[int, float]], every_s: int) -> None:
    samples = metered(phases, every_s=every_s)
    for change in (m.single_register, m.netted, m.absolute):
        assert judged(change(samples)).verdict != "proven"
