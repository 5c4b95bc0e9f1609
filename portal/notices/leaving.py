"""The signed address in a mail with which its reader leaves that mail, without signing in."""

from __future__ import annotations

from django.core import signing
from django.urls import reverse

from portal.notices.kinds import Kind, Way, kinds_for, usual_way
from portal.notices.models import MailChoice
from stations.models import Membership

SALT = "portal.notices.leaving"
DAILY = "daily"


class BadLink(ValueError):
    """Not an address that we made."""


def path_of(user_id: int, kind: Kind | None) -> str:
    """Of mail of one kind, or of the daily mail."""
    return reverse("notices:leave", args=[signing.dumps([user_id, kind or DAILY], salt=SALT)])


def opened(token: str) -> tuple[int, Kind | None]:
    """Whose mail, and which. Raises BadLink."""
    try:
        user_id, name = signing.loads(token, salt=SALT)
        return int(user_id), None if name == DAILY else Kind(name)
    except (signing.BadSignature, ValueError, TypeError):
        raise BadLink from None


def leave(user_id: int, kind: Kind | None) -> list[Kind]:
    """No mail of this kind any more; or of all that comes in the daily mail. In the portal they stay."""
    left = [kind] if kind else [each for each, way in ways_of(user_id).items() if way == Way.DAILY]
    for each in left:
        MailChoice.objects.update_or_create(user_id=user_id, kind=each, defaults={"way": Way.NO})
    return left


def ways_of(user_id: int) -> dict[Kind, Way]:
    """How each kind that concerns this person comes by mail, chosen or as is usual for the roles."""
    roles = frozenset(Membership.objects.filter(user=user_id).values_list("role", flat=True))
    chosen = dict(MailChoice.objects.filter(user=user_id).values_list("kind", "way"))
    return {kind: Way(chosen.get(kind) or usual_way(kind, roles)) for kind in kinds_for(roles)}
