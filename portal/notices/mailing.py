"""Notices by mail: what waits is claimed by its row, sent in the person's own language, and kept until it is taken.

A notice that its person may no longer see is withheld, and one that was read in the portal needs no digest any more.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from portal.accounts.driving import Preference
from portal.accounts.models import User
from portal.notices import leaving
from portal.notices.kinds import Kind, Way
from portal.notices.mail_times import LEASE, again_at
from portal.notices.models import Notice
from portal.notices.words import Said, said

logger = logging.getLogger(__name__)

Mail = Notice.Mail
PEOPLE_AT_ONCE = 200
MOST_IN_A_MAIL = 50
# About one mail, not about the server.
REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)


def people_waiting(now: datetime) -> list[int]:
    """Who has mail that is due; the round sends to one after the other."""
    due = Notice.objects.filter(mail=Mail.WAITING, mail_due_at__lte=now)
    return list(due.order_by("user").values_list("user", flat=True).distinct()[:PEOPLE_AT_ONCE])


def send_to(user_id: int) -> bool:
    """All that is due for one person: a mail for each notice that goes at once, and one for the others together.

    False: the mail server is away, and there is no use in trying it for the next person.
    """
    now = timezone.now()
    user = User.objects.filter(pk=user_id).first()
    rows = _claimed(user_id, now)
    if user is None or not rows:
        return True
    meant = _still_meant(user, rows)
    together = [row for row in meant if row.mail_way == Way.DAILY]
    mails = [[row] for row in meant if row.mail_way != Way.DAILY]
    mails += [together[start : start + MOST_IN_A_MAIL] for start in range(0, len(together), MOST_IN_A_MAIL)]
    for number, mail in enumerate(mails):
        if (problem := _send(user, mail)) is not None:
            for other in mails[number + 1 :]:
                _missed(other, problem)
            return False
    return True


def _claimed(user_id: int, now: datetime) -> list[Notice]:
    """What is due, for this process alone: each is due again when the lease is over and nothing came of it."""
    due = Notice.objects.filter(user=user_id, mail=Mail.WAITING, mail_due_at__lte=now).order_by("pk")
    claimed = []
    for row in due.select_related("user"):
        mine = Notice.objects.filter(pk=row.pk, mail=Mail.WAITING, mail_due_at=row.mail_due_at)
        if mine.update(mail_due_at=now + LEASE, mail_attempts=F("mail_attempts") + 1):
            row.mail_attempts += 1
            claimed.append(row)
    return claimed


def _still_meant(user: User, rows: Sequence[Notice]) -> list[Notice]:
    """As of now: what may be seen, by somebody who can sign in; of a digest what was not read yet."""
    keys = [row.pk for row in rows]
    seen = set(Notice.objects.of(user).filter(pk__in=keys).values_list("pk", flat=True))
    gone = [row.pk for row in rows if row.pk not in seen or not user.is_active]
    read = [row.pk for row in rows if row.mail_way == Way.DAILY and row.read_at and row.pk not in gone]
    Notice.objects.filter(pk__in=gone).update(mail=Mail.WITHHELD)
    Notice.objects.filter(pk__in=read).update(mail=Mail.NONE)
    return [row for row in rows if row.pk not in {*gone, *read}]


def _send(user: User, rows: Sequence[Notice]) -> str | None:
    """What is wrong with the mail server, if it takes nothing at all; None where it took this mail, or refused it."""
    try:
        _mail(user, rows).send()
    except OSError as error:  # smtplib's own are OSErrors
        problem = f"{type(error).__name__}: {error}"[:200]
        _missed(rows, problem)
        return None if isinstance(error, REFUSED) else problem
    keys = [row.pk for row in rows]
    Notice.objects.filter(pk__in=keys).update(mail=Mail.SENT, mailed_at=timezone.now(), mail_problem="")
    return None


def _missed(rows: Sequence[Notice], problem: str) -> None:
    now = timezone.now()
    logger.warning("%d notices were not mailed: %s", len(rows), problem)
    by_next: dict[datetime | None, list[int]] = defaultdict(list)
    for row in rows:
        by_next[again_at(row.mail_attempts, now)].append(row.pk)
    for again, keys in by_next.items():
        state = Mail.FAILED if again is None else Mail.WAITING
        Notice.objects.filter(pk__in=keys).update(mail=state, mail_due_at=again, mail_problem=problem)


# ---------------------------------------------------------------- the mail itself
def _mail(user: User, rows: Sequence[Notice]) -> EmailMultiAlternatives:
    with translation.override(_language(user)):
        lines = [said(row) for row in rows]
        kind = Kind(rows[0].kind) if len(rows) == 1 and rows[0].mail_way == Way.AT_ONCE else None
        words: dict[str, Any] = {
            "lines": lines,
            "portal": settings.PUBLIC_URL.rstrip("/"),
            "name": user.get_short_name(),
            "choices": reverse("notices:preferences"),
            "all": reverse("notices:list"),
        }
        mail = EmailMultiAlternatives(
            _subject(lines),
            render_to_string("notices/mail.txt", words).strip() + "\n",
            to=[user.email],
            headers=_headers(user, kind),
        )
        mail.attach_alternative(render_to_string("notices/mail.html", words), "text/html")
    return mail


def _subject(lines: Sequence[Said]) -> str:
    if len(lines) == 1:
        title = str(lines[0].title)
    else:
        title = ngettext("%(n)d notice", "%(n)d notices", len(lines)) % {"n": len(lines)}
    # A name of a station may hold anything, and a header one line.
    return " ".join(f"Laadbewijs: {title}".split())


def _headers(user: User, kind: Kind | None) -> dict[str, str]:
    """One click leaves mail of this kind, or the daily mail (RFC 8058); it is no bulk mail that anybody answers."""
    address = settings.PUBLIC_URL.rstrip("/") + leaving.path_of(user.pk, kind)
    return {
        "List-Unsubscribe": f"<{address}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
    }


def _language(user: User) -> str:
    chosen = Preference.objects.filter(user=user.pk).values_list("language", flat=True).first()
    return chosen or settings.LANGUAGE_CODE


def state_words(notice: Notice) -> str:
    """What became of it by mail, in one line."""
    text = str(notice.get_mail_display())
    if notice.mail == Mail.WAITING and notice.mail_problem:
        return gettext("the mail server did not take it; it is tried again")
    return text
