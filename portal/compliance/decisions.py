"""What an official decides on a proposal. Append-only: who, when, from, to, why."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from portal.compliance.models import Decision, Evidence, Judgement, Status


class CannotDecide(ValueError):
    """A decision that cannot be taken as it was put; says why."""


def decide(
    *,
    judgement: Judgement,
    to_status: str,
    reason: str,
    restore_by: date | None = None,
    evidence: Evidence | None = None,
    decided_by: Any,
    now: datetime,
) -> Decision:
    """Accept the proposal (`to_status` is what it proposes) or override it, with a reason.

    `evidence` is the piece that the official had on the screen: when another has come since, CannotDecide.
    """
    if to_status not in Status.values:
        raise CannotDecide(_("“%(status)s” is not a status.") % {"status": to_status})
    if not reason.strip():
        raise CannotDecide(_("Give a reason: the operator reads it."))
    if restore_by is not None and to_status != Status.DEVIATION:
        raise CannotDecide(_("Only a deviation has a date to be restored by."))
    if restore_by is not None and restore_by < now.date():
        raise CannotDecide(_("The date to be restored by has passed."))
    if evidence is not None and evidence.pk != judgement.evidence_id:
        raise CannotDecide(_("There is newer evidence. Look at that first."))
    return Decision.objects.create(
        judgement=judgement,
        evidence_id=judgement.evidence_id,
        from_status=judgement.status,
        to_status=to_status,
        reason=reason.strip(),
        restore_by=restore_by,
        decided_by=decided_by,
        decided_at=now,
    )
