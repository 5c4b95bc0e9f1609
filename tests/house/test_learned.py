"""What others learned the hard way, and what was seen from real stations: each has its tests, and here is which.

The rules are those of the endpoint's specification, by their numbers; the sightings are its own words.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OCPP, CHARGING = "tests/ocpp/test_", "tests/smartcharging/test_"

RULES = {
    1: [f"{OCPP}socket_rules.py::test_the_package_gives_schemas_and_no_charge_point"],
    2: [f"{OCPP}socket_commands.py::test_neither_direction_waits_for_the_other"],
    3: [
        f"{OCPP}socket_commands.py::test_commands_go_out_one_at_a_time_and_in_order",
        f"{OCPP}socket_commands.py::test_neither_direction_waits_for_the_other",
    ],
    4: [
        f"{OCPP}socket_commands.py::test_a_time_out_is_unknown_and_a_late_answer_still_counts",
        f"{OCPP}socket_commands.py::test_with_redis_a_nudge_is_quicker_than_the_server_looks",
        f"{CHARGING}dispatch.py::test_a_set_without_an_answer_is_read_back_before_it_is_sent_again",
    ],
    5: [
        f"{OCPP}socket_real_stations.py::test_a_start_under_the_same_id_and_under_a_new_one_is_one_transaction",
        f"{OCPP}socket_rules.py::test_events_that_are_repeated_are_one_transaction",
        f"{OCPP}socket_real_stations.py::test_a_sample_that_is_repeated_is_there_once",
    ],
    6: [
        f"{OCPP}socket_rules.py::test_a_stop_that_nobody_knows_is_acknowledged_and_a_refused_start_has_a_number",
        f"{OCPP}socket_bad_frames.py::test_a_nul_in_a_text_is_taken_in_with_a_mark_in_its_place",
    ],
    7: [
        f"{OCPP}socket_rules.py::test_a_long_token_is_the_same_in_every_case_and_two_stations_may_have_one_number"
    ],
    8: [
        f"{OCPP}socket_registers.py::test_wh_and_kwh_and_phases_and_other_places_in_one_session",
        f"{OCPP}handlers_transactions.py::test_a_begin_of_0_that_is_a_placeholder_is_not_the_begin",
        f"{OCPP}handlers_transactions.py::test_export_is_kept_apart",
    ],
    9: [
        f"{OCPP}socket_leases.py::test_a_late_close_of_a_half_open_socket_does_not_unregister_the_new_one",
        f"{OCPP}socket_leases.py::test_a_half_open_socket_is_found_by_pings",
    ],
    10: [
        f"{OCPP}socket_real_stations.py::test_there_is_no_answer_before_it_is_written",
        f"{OCPP}socket_real_stations.py::test_what_is_acknowledged_can_be_read_by_another_process_at_once",
    ],
    11: [
        f"{OCPP}capabilities.py::test_a_boot_leads_to_one_reading_however_often_the_task_runs",
        f"{CHARGING}dispatch.py::test_capabilities_read_later_can_say_no_before_it_is_sent",
    ],
    12: [
        f"{CHARGING}dispatch.py::test_a_withdrawn_limit_is_cleared_by_its_id_and_read_back",
        f"{CHARGING}dispatch.py::test_the_payload_is_as_short_as_what_the_operator_gave",
    ],
    13: [f"{CHARGING}socket_habits.py::test_every_odd_composite_is_a_state_with_a_name"],
    14: [
        f"{OCPP}socket_bad_frames.py::test_each_bad_frame_gets_its_error_and_an_event_and_the_socket_stays_open",
        f"{OCPP}socket_bad_frames.py::test_a_huge_frame_closes_that_socket_and_says_why",
        f"{OCPP}socket_fuzz.py::test_whatever_a_station_says_is_answered_as_the_standard_allows",
        "tests/flows/test_flood.py",
    ],
}

SEEN = {
    "a rate unit key spelled Power": [
        f"{CHARGING}socket_real_stations.py::test_a_rate_unit_key_spelled_power"
    ],
    "every profile in A refused": [
        f"{CHARGING}socket_real_stations.py::test_every_profile_in_amperes_refused"
    ],
    "a composite asked in A answered with limit -1": [
        f"{CHARGING}socket_habits.py::test_every_odd_composite_is_a_state_with_a_name"
    ],
    "Basic auth whose password is raw bytes, not UTF-8": [
        f"{OCPP}socket_admission.py::test_a_password_of_raw_bytes_opens"
    ],
    "an unknown CALL of the vendor's own": [
        f"{OCPP}socket_real_stations.py::test_a_station_that_hangs_up_on_an_error_is_welcome_again"
    ],
    "AuthorizationKey readable in GetConfiguration": [
        f"{OCPP}socket_frames.py::test_a_readable_password_of_the_station_is_kept_nowhere"
    ],
    "a limit of 14.1 refused because of floating-point multipleOf": [
        f"{CHARGING}socket_real_stations.py::test_a_limit_with_a_decimal_refused_for_its_floating_point"
    ],
    "more than 10 periods refused although 24 are advertised": [
        f"{CHARGING}socket_real_stations.py::test_more_than_ten_periods_refused_although_24_are_advertised"
    ],
    "a composite with an absurd duration and no periods; W when asked for A; startPeriod as a float": [
        f"{CHARGING}socket_habits.py::test_every_odd_composite_is_a_state_with_a_name"
    ],
    "a composite that ignores startSchedule, or leaves ChargePointMax out": [
        f"{CHARGING}socket_real_stations.py::test_a_composite_that_leaves_something_out_is_no_confirmation"
    ],
    "the same transaction stopped twice with different message ids": [
        f"{OCPP}socket_real_stations.py::test_a_start_under_the_same_id_and_under_a_new_one_is_one_transaction"
    ],
    "a socket that stays open over a Reset": [
        f"{OCPP}socket_real_stations.py::test_a_socket_that_stays_open_over_a_reset_serves_the_station_after_it"
    ],
    "a client that closes with 1006 on an unknown action": [
        f"{OCPP}socket_real_stations.py::test_a_station_that_hangs_up_on_an_error_is_welcome_again"
    ],
    "TxProfile for a foreign transaction accepted": [
        f"{CHARGING}socket_real_stations.py::test_a_tx_profile_for_a_foreign_transaction_accepted"
    ],
    "compact JSON": [f"{OCPP}socket_real_stations.py::test_json_on_the_line_is_compact"],
}
EVERY = sorted({test for tests in [*RULES.values(), *SEEN.values()] for test in tests})


def test_every_rule_has_a_test() -> None:
    assert list(RULES) == list(range(1, 15))


@pytest.mark.parametrize("test", EVERY)
def test_it_is_there(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert name in names if name else names


def test_what_was_seen_was_seen_on_a_socket() -> None:
    for tests in SEEN.values():
        for test in tests:
            assert "FakeStation(portal.port" in (ROOT / test.partition("::")[0]).read_text(), test
