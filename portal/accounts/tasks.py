"""What is done aside with accounts. Safe to run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from portal.accounts import erasing


@shared_task(name="portal.accounts.tasks.carry_out_erasures")
def carry_out_erasures() -> None:
    """The round of who asked to be erased, and whose term is over."""
    erasing.carry_out_due(timezone.now())
