"""Notices by mail: in whose language, when, what a dead mail server costs, and how one leaves."""

from __future__ import annotations

import datetime as dt
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from portal.accounts.driving import Preference
from portal.notices import mailing, telling
from portal.notices.mail_times import next_digest
from portal.notices.models import MailChoice, Notice
from stations.models import Membership
from stations.models.access import Role
from tests.factories import make_staff, make_station
from tests.notices.test_telling import gone
from tests.pages.visiting import sees

pytestmark = pytest.mark.django_db


def chooses(user: Any, way: str, kind: str = "station_silent") -> None:
    MailChoice.objects.update_or_create(user=user, kind=kind, defaults={"way": way})


def silent(name: str = "Kade 1") -> None:
    gone(make_station(name=name))
    telling.look(timezone.now())


def round_of_mail() -> None:
    for user_id in mailing.people_waiting(timezone.now()):
        mailing.send_to(user_id)


def due_now() -> None:
    Notice.objects.filter(mail="waiting").update(mail_due_at=timezone.now())


# ---------------------------------------------------------------- what is sent
def test_a_mail_at_once_is_in_the_persons_language_with_the_way_there_and_out() -> None:
    user = make_staff()
    Preference.objects.create(user=user, language="en")
    chooses(user, "at_once")
    silent()
    round_of_mail()
    round_of_mail()
    (sent,) = mail.outbox
    assert sent.to == [user.email]
    assert sent.subject == "Laadbewijs: Kade 1 is silent"
    assert "http://localhost:8000/stations/NL-TST-" in sent.body
    assert "http://localhost:8000/meldingen/voorkeuren/" in sent.body
    assert "<strong>Kade 1 is silent</strong>" in sent.alternatives[0][0]  # type: ignore[attr-defined]
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert Notice.objects.get().mail == "sent"


def test_who_chose_no_language_is_written_to_in_dutch() -> None:
    chooses(make_staff(), "at_once")
    silent()
    round_of_mail()
    assert "/meldingen/voorkeuren/" in mail.outbox[0].body
    assert '<html lang="nl">' in mail.outbox[0].alternatives[0][0]  # type: ignore[attr-defined]


def test_the_daily_mail_holds_all_of_a_day_but_what_was_read_already() -> None:
    user = make_staff()
    Preference.objects.create(user=user, language="en")
    for place in ("Kade 1", "Kade 2", "Kade 3"):
        silent(place)
    round_of_mail()
    assert mail.outbox == []  # not before the hour
    Notice.objects.filter(data__label="Kade 2").update(read_at=timezone.now())
    due_now()
    round_of_mail()
    (sent,) = mail.outbox
    assert sent.subject == "Laadbewijs: 2 notices"
    assert "Kade 1" in sent.body
    assert "Kade 2" not in sent.body


def test_who_wants_no_mail_gets_none_and_reads_it_in_the_portal() -> None:
    user = make_staff()
    chooses(user, "no")
    silent()
    round_of_mail()
    assert mail.outbox == []
    assert "Kade 1 is silent" in sees(user, "/meldingen/")


def test_who_may_no_longer_see_it_when_it_is_sent_does_not_get_it() -> None:
    user, blocked = make_staff(), make_staff()
    for each in (user, blocked):
        chooses(each, "at_once")
    silent()
    Membership.objects.filter(user=user).update(role=Role.READER)
    blocked.is_active = False
    blocked.save()
    round_of_mail()
    assert mail.outbox == []
    assert set(Notice.objects.values_list("mail", flat=True)) == {"withheld"}


def test_the_daily_mail_comes_at_its_hour_of_the_clock_on_every_kind_of_day(settings: Any) -> None:
    settings.NOTICE_DIGEST_HOUR = 7
    here = ZoneInfo("Europe/Amsterdam")
    for day in (dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 7, 1)):
        before = dt.datetime.combine(day, dt.time(0, 30), here)
        assert next_digest(before) == dt.datetime.combine(day, dt.time(7), here)
        assert next_digest(before.replace(hour=7)).date() == day + dt.timedelta(days=1)


# ---------------------------------------------------------------- a mail server that is away
class MailServer(threading.Thread):
    """Takes mail as SMTP has it, one line at a time, and keeps what it took."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(daemon=True)
        self.line = socket.create_server(("127.0.0.1", port))
        self.port = self.line.getsockname()[1]
        self.taken: list[str] = []

    def run(self) -> None:
        while True:
            try:
                caller, _ = self.line.accept()
            except OSError:
                return
            with caller, caller.makefile("rwb") as said:
                self._talk(said)

    def _talk(self, said: Any) -> None:
        def answer(text: bytes) -> None:
            said.write(text + b"\r\n")
            said.flush()

        answer(b"220 here")
        for line in said:
            if line.upper().startswith(b"DATA"):
                answer(b"354 go on")
                text = b"".join(iter(said.readline, b".\r\n"))
                self.taken.append(text.decode())
                answer(b"250 taken")
            elif line.upper().startswith(b"QUIT"):
                answer(b"221 bye")
                return
            else:
                answer(b"250 well")


@pytest.fixture
def smtp(settings: Any) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
    yield server
    server.line.close()


def test_a_mail_server_that_is_away_loses_nothing(smtp: MailServer) -> None:
    user = make_staff()
    chooses(user, "at_once")
    smtp.line.close()
    silent()
    round_of_mail()
    notice = Notice.objects.get()
    assert (notice.mail, notice.mail_attempts) == ("waiting", 1)
    assert "Refused" in notice.mail_problem
    assert notice.mail_due_at
    assert notice.mail_due_at > timezone.now()
    assert "the mail server did not take it; it is tried again" in sees(user, "/meldingen/")
    back = MailServer(smtp.port)
    back.start()
    round_of_mail()
    assert back.taken == []  # its pause is not over
    due_now()
    round_of_mail()
    (text,) = back.taken
    assert f"To: {user.email}" in text
    assert Notice.objects.get().mail == "sent"
    back.line.close()


def test_after_two_days_it_is_given_up_with_the_reason(smtp: MailServer) -> None:
    chooses(make_staff(), "at_once")
    smtp.line.close()
    silent()
    for _ in range(11):
        due_now()
        round_of_mail()
    notice = Notice.objects.get()
    assert (notice.mail, notice.mail_attempts) == ("failed", 11)
    assert notice.mail_problem


def test_what_a_dead_process_had_claimed_is_sent_by_the_next() -> None:
    chooses(make_staff(), "at_once")
    silent()
    mailing._claimed(Notice.objects.get().user_id, timezone.now())  # and then its process is gone
    round_of_mail()
    assert mail.outbox == []
    due_now()  # the lease is over
    round_of_mail()
    assert len(mail.outbox) == 1


# ---------------------------------------------------------------- leaving
def path_out() -> str:
    found = re.search(r"<https?://[^/]+(/[^>]+)>", mail.outbox[-1].extra_headers["List-Unsubscribe"])
    assert found
    return found[1]


def test_a_mail_program_leaves_with_one_click_and_without_a_sign_in() -> None:
    user = make_staff()
    chooses(user, "at_once")
    silent()
    round_of_mail()
    program = Client(enforce_csrf_checks=True)
    assert program.get(path_out()).status_code == 200
    assert MailChoice.objects.get(user=user).way == "at_once"  # looking changes nothing
    assert program.post(path_out(), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert MailChoice.objects.get(user=user).way == "no"
    silent("Kade 2")
    round_of_mail()
    assert len(mail.outbox) == 1


def test_leaving_the_daily_mail_leaves_what_comes_at_once() -> None:
    user = make_staff()
    chooses(user, "at_once", "rollout_failed")
    silent()
    due_now()
    round_of_mail()
    Client().post(path_out())
    ways = dict(MailChoice.objects.filter(user=user).values_list("kind", "way"))
    assert ways["station_silent"] == ways["deviation"] == "no"
    assert ways["rollout_failed"] == "at_once"


def test_a_link_that_is_not_ours_opens_nothing() -> None:
    for path in ("/meldingen/afmelden/x/", "/meldingen/afmelden/WzEsImRhaWx5Il0:1abc:x/"):
        assert Client().post(path).status_code == 410
