"""Celery tasks: ids in, rows read anew, safe to run twice."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from portal.celery import WaitingTask
from portal.notices import mailing, telling
from portal.notices.models import Notice, Told
from portal.notices.webhooks import delivering
from portal.notices.webhooks.models import Delivery

AT_ONCE = 10_000


@shared_task(name="portal.notices.tasks.tell_news")
def tell_news() -> None:
    """The round of what there is to tell."""
    telling.look(timezone.now())


@shared_task(name="portal.notices.tasks.send_mails", base=WaitingTask)
def send_mails() -> None:
    """The round of mail: one person after the other, until the mail server turns out to be away."""
    for user_id in mailing.people_waiting(timezone.now()):
        if not mailing.send_to(user_id):
            return


@shared_task(name="portal.notices.tasks.deliver_webhooks", base=WaitingTask)
def deliver_webhooks() -> None:
    """The round: each endpoint with something due in a task of its own, for one of them may hang."""
    due = Delivery.objects.due(timezone.now()).order_by()
    for endpoint_id in due.values_list("endpoint", flat=True).distinct():
        deliver_to.delay(endpoint_id)


@shared_task(name="portal.notices.tasks.deliver_to", base=WaitingTask)
def deliver_to(endpoint_id: int) -> None:
    delivering.deliver(endpoint_id)


@shared_task(name="portal.notices.tasks.delete_old_notices")
def delete_old_notices() -> None:
    """Some at a time: the next round takes the rest."""
    before = timezone.now() - timedelta(days=settings.NOTICE_RETENTION_DAYS)
    old = Notice.objects.filter(made_at__lt=before).values("pk")[:AT_ONCE]
    Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    sent = Delivery.objects.filter(made_at__lt=before).exclude(state=Delivery.State.WAITING)
    Delivery.objects.filter(pk__in=list(sent.values_list("pk", flat=True)[:AT_ONCE])).delete()
    Told.objects.filter(since__lt=before, name__in=("term_ends", "term_passed", "webhook")).delete()
