"""The pages of stations, as people read them: the list, the limit and why, messages, configuration, compliance."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from portal.compliance.models import Judgement, Status
from smartcharging.in_force import limit_now
from stations.models import Connector, Frame, Station
from stations.models.access import Role
from tests.compliance.fakes import make_asking_concession
from tests.factories import (
    make_capabilities,
    make_concession,
    make_driver,
    make_municipality,
    make_official,
    make_operator,
    make_reading,
    make_session,
    make_site,
    make_staff,
    make_station,
    make_superuser,
)
from tests.pages.visiting import HOUR, MOST_QUERIES, make_online, queries_of, report, sees, want

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


class TestList:
    def test_operator_sees_own_stations_and_no_others(self) -> None:
        make_station("MINE-1")
        make_station(
            "THEIRS-1",
            operator=make_operator("beta"),
            site=make_site(operator=make_operator("beta"), name="Elsewhere"),
        )
        page = sees(make_staff(), "/stations/")
        assert "MINE-1" in page
        assert "THEIRS-1" not in page

    def test_official_sees_every_operator_of_the_own_concession(self) -> None:
        make_station("ONE")
        make_station("TWO", site=make_site(operator=make_operator("beta"), name="Elsewhere"))
        other = make_concession(slug="far", municipality=make_municipality("far"))
        make_station("FAR", site=make_site(concession=other, name="Far"))
        page = sees(make_official(), "/stations/")
        assert "ONE" in page
        assert "TWO" in page
        assert "FAR" not in page

    def test_who_has_no_stations_is_told_why(self) -> None:
        assert "There is no station for you yet" in sees(make_driver(), "/stations/")

    def test_line_says_connection_state_and_sockets(self) -> None:
        station = make_station("S-1", name="Square 12")
        make_online(station)
        Connector.objects.filter(evse__station=station, evse__number=1).update(status="Charging")
        want(station, "Night", state="confirmed", stack_level=1)
        want(station, "Evening", state="drifted")
        page = sees(make_staff(), "/stations/")
        assert "Square 12" in page
        assert "Online" in page
        assert "Drifted" in page  # the worst of the two
        assert "<b>A</b> charging" in page
        assert "<b>B</b> not reported yet" in page
        assert "none yet" in page  # no proof

    @pytest.mark.parametrize(
        ("query", "found", "not_found"),
        [
            ({"q": "square"}, "ON", "OFF"),
            ({"online": "yes"}, "ON", "OFF"),
            ({"online": "no"}, "OFF", "ON"),
            ({"version": "2.0.1"}, "OFF", "ON"),
            ({"state": "trouble"}, "OFF", "ON"),
            ({"state": "none"}, "ON", "OFF"),
        ],
    )
    def test_filters(self, query: dict[str, Any], found: str, not_found: str) -> None:
        make_online(make_station("S-ON", name="Square 12"))
        want(make_station("S-OFF", version="2.0.1", name="Lane 3"), state="refused")
        page = sees(make_staff(), "/stations/", **query)
        assert f"S-{found}<" in page
        assert f"S-{not_found}<" not in page

    def test_search_without_a_hit_offers_the_way_back(self) -> None:
        make_station()
        assert "No station fits this search" in sees(make_staff(), "/stations/", q="nowhere")

    def test_sorts_both_ways_and_ignores_nonsense(self) -> None:
        make_station("A-1")
        make_station("B-1")
        staff = make_staff()
        page = sees(staff, "/stations/", sort="-identity")
        assert page.index("B-1") < page.index("A-1")
        page = sees(staff, "/stations/", sort="password", page="x")
        assert page.index("A-1") < page.index("B-1")

    def test_number_of_queries_does_not_grow_with_the_fleet(self) -> None:
        staff = make_staff()
        make_online(make_station())
        few = queries_of(staff, "/stations/")
        for _ in range(20):
            station = make_station()
            make_online(station)
            want(station)
        many = queries_of(staff, "/stations/")
        assert many == few
        assert many <= MOST_QUERIES


class TestLimitNow:
    def test_winner_with_level_and_what_it_would_be_without(self) -> None:
        station = make_station("S-1")
        make_online(station)
        want(station, "Base", limit=20, stack_level=0, duration_s=6 * 3600)
        want(station, "Grid-aware", limit=12)
        page = sees(make_staff(), "/stations/S-1/")
        assert "12<small>A</small>" in page
        assert "Wins: Grid-aware (level 5), until" in page
        assert "Without this profile the limit would be 20 A (Base, level 0)." in page
        assert "After that: 20 A until" in page

    def test_without_a_profile_the_connection_is_the_limit(self) -> None:
        make_station("S-1", connection_a=25)
        make_station("S-2", connection_a=63)
        staff = make_staff()
        page = sees(staff, "/stations/S-1/")
        assert "25<small>A</small>" in page
        assert "No profile limits this station, only its connection and its sockets" in page
        assert "32<small>A</small>" in sees(staff, "/stations/S-2/")  # two sockets of 16 A
        assert "Nobody has set a limit on this station" in page

    def test_refused_profile_limits_nothing(self) -> None:
        station = make_station("S-1")
        want(station, limit=6, state="refused", reason_text="The station answered: Rejected")
        page = sees(make_staff(), "/stations/S-1/")
        assert "25<small>A</small>" in page
        assert "The station answered: Rejected" in page

    def test_socket_limits_are_named(self) -> None:
        station = make_station("S-1")
        for evse in (1, 2):
            want(station, f"Socket {evse}", limit=8, purpose="tx_default", evse_number=evse)
        page = sees(make_staff(), "/stations/S-1/")
        assert "16<small>A</small>" in page
        assert "The sockets have limits of their own: Socket 1, Socket 2" in page

    def test_agrees_with_what_the_api_says(self) -> None:
        station = make_station("S-1")
        want(station, "Base", limit=20, stack_level=0)
        want(station, "Grid-aware", limit=13.5)
        want(station, "Default", limit=10, purpose="tx_default", stack_level=0)
        told = limit_now(station, 0, timezone.now())
        assert told.limit == 13.5
        assert told.winner is not None
        page = sees(make_staff(), "/stations/S-1/")
        assert "13.5<small>A</small>" in page
        assert f"Wins: {told.winner.name} (level 5)" in page

    def test_a_socket_gives_no_more_than_it_can_as_the_api_says(self) -> None:
        station = make_station("S-1", connection_a=63)
        want(station, "One", limit=6, purpose="tx_default", evse_number=1)
        want(station, "Two", limit=32, purpose="tx_default", evse_number=2)  # of which its socket gives 16
        assert limit_now(station, 0, timezone.now()).limit == 22
        assert "22<small>A</small>" in sees(make_staff(), "/stations/S-1/")

    def test_offline_station_goes_on_with_what_it_had(self) -> None:
        want(make_station("S-1"))
        page = sees(make_staff(), "/stations/S-1/")
        assert "Not seen yet" in page
        assert "The station is offline. It goes on with what it last accepted." in page

    def test_what_comes_next(self) -> None:
        want(make_station("S-1"), "Evening")
        page = sees(make_staff(), "/stations/S-1/")
        assert "Limit to 25 A, <strong>the connection and the sockets</strong>" in page


class TestDesiredSentReported:
    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("pending", "Waiting to be sent"),
            ("accepted", "Accepted, not read back yet"),
            ("confirmed", "Confirmed"),
            ("refused", "Refused"),
            ("unknown", "Unknown"),
            ("drifted", "Drifted"),
            ("unsupported", "Not supported"),
            ("clearing", "Being withdrawn"),
        ],
    )
    def test_every_state_in_words_with_its_reason(self, state: str, words: str) -> None:
        want(make_station("S-1"), state=state, reason_text="Because it is so.")
        page = sees(make_staff(), "/stations/S-1/")
        assert f"</svg>{words}</span>" in page
        assert "Because it is so." in page

    def test_the_three_stand_side_by_side(self) -> None:
        station = make_station("S-1")
        want(station, "Evening", limit=16, state="drifted")
        report(station, 10, verdict="differs", reason="The difference is at most 6.0 A.")
        page = sees(make_staff(), "/stations/S-1/")
        assert "Evening, version 1" in page
        assert "accepted" in page
        assert "<strong>10 A</strong>" in page
        assert "The difference is at most 6.0 A." in page

    def test_what_was_not_reported_is_said_to_be_so(self) -> None:
        want(make_station("S-1"), state="accepted")
        assert "Not reported yet" in sees(make_staff(), "/stations/S-1/")

    def test_only_who_may_plan_gets_the_buttons(self) -> None:
        row = want(make_station("S-1"))
        way = f"/stations/S-1/limiet/{row.pk}/intrekken/"
        assert way in sees(make_staff(), "/stations/S-1/")
        for user in (make_official(), make_staff(role=Role.READER)):
            page = sees(user, "/stations/S-1/")
            assert way not in page
            assert "Set a limit" not in page

    def test_names_are_text_and_never_markup(self) -> None:
        want(make_station("S-1"), "<script>alert(1)</script>")
        page = sees(make_staff(), "/stations/S-1/")
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page


class TestMeasured:
    def test_registers_stand_apart_with_unknown_said(self) -> None:
        station = make_station("S-1")
        make_reading(station, sampled_at=timezone.now(), import_wh=48_213_400, export_wh=212_700)
        make_reading(station, evse_number=2, sampled_at=timezone.now(), import_wh=39_870_100)
        page = sees(make_staff(), "/stations/S-1/")
        assert "48,213.40 kWh" in page
        assert "212.70 kWh" in page
        assert "39,870.10 kWh" in page
        assert ">–</td>" in page  # the export of B was never sent

    def test_power_now_is_that_of_both_sockets(self) -> None:
        station = make_station("S-1")
        for evse in (1, 2):
            make_reading(
                station,
                evse_number=evse,
                sampled_at=timezone.now(),
                import_w=4100,
                import_l1_a=6,
                import_l2_a=5.9,
            )
        assert "12 A, 8.2 kW" in sees(make_staff(), "/stations/S-1/")

    def test_old_power_is_said_with_its_age(self) -> None:
        make_reading(make_station("S-1"), sampled_at=timezone.now() - 3 * HOUR, import_w=4000)
        assert "3 hours ago" in sees(make_staff(), "/stations/S-1/")

    def test_power_from_before_the_cars_came_is_not_now(self) -> None:
        station = make_station("S-1")
        now = timezone.now()
        for evse in (1, 2):
            make_reading(
                station,
                evse_number=evse,
                sampled_at=now - 3 * HOUR,
                import_w=0.0,
                import_l1_a=0.0,
                import_wh=7.0,
            )
            make_session(station, evse_number=evse, started_at=now - dt.timedelta(seconds=5))
        staff = make_staff()
        page = sees(staff, "/stations/S-1/")
        assert "not measured yet" in page
        assert "3 hours ago" not in page
        assert "0.01 kWh" in page  # a register stays true
        make_reading(station, sampled_at=now, import_w=6_900.0, import_l1_a=10.0)
        assert "10 A, 6.9 kW" in sees(staff, "/stations/S-1/")

    def test_nothing_measured(self) -> None:
        make_station("S-1")
        page = sees(make_staff(), "/stations/S-1/")
        assert "not measured yet" in page
        assert "No power was measured today." in page

    def test_csv_has_the_samples_with_their_limit(self) -> None:
        station = make_station("S-1")
        make_reading(station, sampled_at=timezone.now(), import_w=4000)
        client = Client()
        client.force_login(make_official())
        lines = client.get("/stations/S-1/vermogen.csv").content.decode().splitlines()
        assert lines[0] == "sampled_at,evse,import_w,export_w,limit_w,limit_a_per_phase"
        assert lines[1].endswith(",1,4000.0,0.0,17250.0,25.0")


class TestWhoSeesWhat:
    @pytest.mark.parametrize(
        "part", ["", "sessies/", "berichten/", "berichten.csv", "configuratie/", "naleving/", "vermogen.csv"]
    )
    def test_stranger_finds_nothing(self, part: str) -> None:
        make_station("S-1")
        for user in (make_driver(), make_staff(operator=make_operator("beta"))):
            sees(user, f"/stations/S-1/{part}", status=404)

    @pytest.mark.parametrize("part", ["sessies/", "berichten/", "berichten.csv"])
    def test_official_never_sees_sessions_or_messages(self, part: str) -> None:
        make_station("S-1")
        official = make_official()
        sees(official, f"/stations/S-1/{part}", status=404)
        page = sees(official, "/stations/S-1/")
        assert "/stations/S-1/berichten/" not in page
        assert "/stations/S-1/sessies/" not in page

    @pytest.mark.parametrize("part", ["", "sessies/", "berichten/", "configuratie/", "naleving/"])
    def test_few_queries(self, part: str) -> None:
        station = make_station("S-1")
        make_online(station)
        make_capabilities(station)
        for evse in (1, 2):
            make_session(station, evse_number=evse)
            make_reading(station, evse_number=evse, sampled_at=timezone.now(), import_wh=1.0, import_w=1.0)
        want(station)
        report(station, 12)
        for user in (make_staff(), make_superuser()):
            assert queries_of(user, f"/stations/S-1/{part}") <= MOST_QUERIES

    def test_a_part_fetched_live_is_only_that_part(self) -> None:
        make_station("S-1")
        client = Client(headers={"Accept-Language": "en", "HX-Request": "true"})
        client.force_login(make_staff())
        part = client.get("/stations/S-1/").content.decode()
        assert "<html" not in part
        assert "Limit now" in part
        assert 'hx-swap-oob="true"' in part


class TestOtherTabs:
    def make_frame(
        self, station: Station, action: str, text: str, *, direction: str = "in", age_s: int = 0
    ) -> None:
        Frame.objects.create(
            station=station,
            at=timezone.now() - dt.timedelta(seconds=age_s),
            direction=direction,
            kind="call",
            action=action,
            message_id=str(uuid4()),
            text=text,
        )

    def test_messages_readable_and_filtered(self) -> None:
        station = make_station("S-1")
        self.make_frame(station, "Heartbeat", '[2,"1","Heartbeat",{}]')
        self.make_frame(
            station,
            "SetChargingProfile",
            json.dumps([2, "2", "SetChargingProfile", {"connectorId": 7}]),
            direction="out",
        )
        staff = make_staff()
        page = sees(staff, "/stations/S-1/berichten/")
        assert "Heartbeat" in page
        assert "&quot;connectorId&quot;: 7" in page  # indented JSON
        page = sees(staff, "/stations/S-1/berichten/", direction="out")
        log = page.partition('class="laad-frames"')[2]
        assert "SetChargingProfile" in log
        assert "Heartbeat" not in log
        assert "No message fits these filters" in sees(staff, "/stations/S-1/berichten/", action="Nonsense")

    def test_older_messages_are_a_page_away(self) -> None:
        station = make_station("S-1")
        for number in range(60):
            self.make_frame(station, f"Action{number:02d}", "[]", age_s=number)
        staff = make_staff()
        client = Client()
        client.force_login(staff)
        first = client.get("/stations/S-1/berichten/")
        second = client.get("/stations/S-1/berichten/", {"before": first.context["next_before"]})
        # The choice of messages names them all.
        newer, older = (page.content.partition(b'class="laad-frames"')[2] for page in (first, second))
        assert b"Action29" in newer
        assert b"Action30" not in newer
        assert b"Action29" not in older
        assert b"Action30" in older
        assert b"Action59" in older

    def test_messages_as_csv_hold_no_formula(self) -> None:
        self.make_frame(make_station("S-1"), "=cmd|' /C calc'!A0", "[]")
        client = Client()
        client.force_login(make_staff())
        assert ",'=cmd|" in client.get("/stations/S-1/berichten.csv").getvalue().decode()

    def test_sessions_with_unknown_energy_said(self) -> None:
        station = make_station("S-1")
        make_session(station)
        now = timezone.now()
        make_session(station, evse_number=2, state="ended", ended_at=now, end_import_wh=13_300.0)
        page = sees(make_staff(), "/stations/S-1/sessies/")
        assert "still charging" in page
        assert "12.30 kWh" in page

    def test_running_sessions_say_what_went_in_and_out_so_far(self) -> None:
        station = make_station("S-1")
        now = timezone.now()
        for evse in (1, 2):
            make_session(station, evse_number=evse, started_at=now - HOUR, received_at=now - HOUR)
            make_reading(
                station, evse_number=evse, sampled_at=now, import_wh=1_000.0 + 3_200 * evse, export_wh=5.0
            )
        staff = make_staff()
        page = sees(staff, "/stations/S-1/sessies/")
        assert '3.20 kWh<br><span class="laad-tiny laad-muted">so far' in page
        assert '6.40 kWh<br><span class="laad-tiny laad-muted">so far' in page
        assert page.count("0.00 kWh") == 2
        few = queries_of(staff, "/stations/S-1/sessies/")
        for minute in range(10):
            make_session(station, started_at=now - dt.timedelta(minutes=minute + 1))
        assert queries_of(staff, "/stations/S-1/sessies/") == few

    def test_configuration_says_what_was_not_said(self) -> None:
        station = make_station("S-1")
        staff = make_staff()
        assert "Nothing has been read yet" in sees(staff, "/stations/S-1/configuratie/")
        make_capabilities(station, max_profiles=None)
        page = sees(staff, "/stations/S-1/configuratie/")
        assert "needed: 5 or more (206)" in page
        assert "<dt>Profiles in all</dt><dd>not said</dd>" in page

    def test_a_value_of_the_configuration_is_found_by_its_name(self) -> None:
        station, staff = make_station("S-1"), make_staff()
        now = timezone.now()
        for name in [f"Key{number}" for number in range(30)]:
            station.configuration.create(name=name, value="1", read_at=now)
        page = sees(staff, "/stations/S-1/configuratie/")
        assert 'rel="next"' in page
        found = sees(staff, "/stations/S-1/configuratie/?q=key29")
        assert "Key29" in found
        assert "Key28" not in found
        assert "No value has this in its name or value" in sees(
            staff, "/stations/S-1/configuratie/?q=nothing"
        )

    def test_concession_that_asks_nothing(self) -> None:
        make_station("S-1")
        assert "This concession asks nothing of its stations yet" in sees(
            make_official(), "/stations/S-1/naleving/"
        )

    def test_every_requirement_on_stations_with_its_status(self) -> None:
        concession = make_asking_concession()
        station = make_station("S-1", concession=concession)
        official = make_official(municipality=concession.municipality)
        page = sees(official, "/stations/S-1/naleving/")
        codes = ["205", "206", "207", "208", "209", "210", "211"]
        assert [code for code in map(str, range(200, 213)) if f'lang="nl">{code} ' in page] == codes
        assert "Not assessed" in page
        assert "Live probe" in page
        for code in ("206", "208"):  # a wish that nobody promised, and a requirement
            asked = concession.requirements.get(requirement__code=code)
            Judgement.objects.create(
                concession=concession,
                requirement=asked.requirement,
                operator=station.site.operator,
                station=station,
                status=Status.DEVIATION,
            )
        page = sees(official, "/stations/S-1/naleving/")
        assert page.count("laad-breach") == 1
        assert "Not promised" in page
