"""The people of a party as lists: who has which role, and who is invited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.accounts.inviting import Invitation
from portal.accounts.roles import ROLE_NAMES
from portal.pages.icons import Mark
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import moment
from stations.models.access import Role

IN_USE, NONE = Mark("good", "check", gettext_lazy("In use")), Mark("warn", "alert", gettext_lazy("None"))
State = Invitation.State
LOOKS = {
    State.OPEN: ("info", "info"),
    State.UNSENT: ("bad", "alert"),
    State.EXPIRED: ("warn", "clock"),
    State.ACCEPTED: ("good", "check"),
    State.WITHDRAWN: ("calm", "status-empty"),
}
INVITE = gettext_lazy("Invite somebody")
NOBODY = gettext_lazy("Invite somebody: with the link in the e-mail they make an account.")


def _party(row: Any) -> str:
    return str(row.municipality or row.operator)


def _role(row: Any) -> str:
    return str(ROLE_NAMES[Role(row.role)])


def _name(row: Any) -> Cell:
    return Cell(row.user.get_full_name(), (row.user.email,) if row.user.name else ())


def _last_seen(row: Any) -> Cell:
    if not row.user.is_active:
        return Cell(_("Account closed"), muted=True)
    at = row.user.last_login
    return Cell(moment(at), moment=at) if at else Cell(_("never"), muted=True)


def _with_role(rows: Sequence[Any]) -> list[Any]:
    for row in rows:
        row.role_name = _role(row)
    return list(rows)


PARTY = Column(
    "party",
    gettext_lazy("Party"),
    lambda row: Cell(_party(row)),
    outs=(Out(gettext_lazy("Party"), _party),),
)
ROLE = Column(
    "role",
    gettext_lazy("Role"),
    lambda row: Cell(_role(row)),
    order=("role",),
    outs=(Out(gettext_lazy("Role"), _role),),
)

MEMBERS = registered(
    List(
        key="members",
        title=gettext_lazy("People with a role"),
        sort="name",
        lines=_with_role,
        nothing=Empty(gettext_lazy("Nobody has a role yet"), NOBODY, "people:invite", INVITE),
        no_match=Empty(
            gettext_lazy("Nobody fits this search"), gettext_lazy("Use fewer words or another role.")
        ),
        columns=(
            Column(
                "name",
                gettext_lazy("Name"),
                _name,
                order=("user__email",),
                outs=(
                    Out(gettext_lazy("Name"), lambda row: row.user.get_full_name()),
                    Out(gettext_lazy("E-mail address"), lambda row: row.user.email),
                ),
            ),
            PARTY,
            ROLE,
            Column(
                "factor",
                gettext_lazy("Second step"),
                lambda row: Cell(mark=IN_USE if row.has_second_factor else NONE),
                order=("has_second_factor", "user__email"),
                outs=(
                    Out(
                        gettext_lazy("Second step"),
                        lambda row: (IN_USE if row.has_second_factor else NONE).label,
                    ),
                ),
            ),
            Column(
                "seen",
                gettext_lazy("Last signed in"),
                _last_seen,
                order=("user__last_login",),
                most_first=True,
                empty_last=True,
                outs=(Out(gettext_lazy("Last signed in"), lambda row: row.user.last_login, LOCAL_TIME),),
            ),
            Column(
                "take_away",
                gettext_lazy("Take away"),
                template="people/_take_away.html",
                outs=(Out(gettext_lazy("No."), lambda row: row.pk),),
            ),
        ),
    )
)


# ---------------------------------------------------------------- invitations
def _with_state(rows: Sequence[Any]) -> list[Any]:
    """Each with its state at this moment: an invitation runs out by itself."""
    now = timezone.now()
    for row in rows:
        row.state = row.state_at(now)
    return list(rows)


def _state(row: Any) -> Cell:
    tone, icon = LOOKS[row.state]
    note = ""
    if row.state == State.OPEN:
        note = _("good until %(at)s") % {"at": moment(row.expires_at)}
    elif at := row.accepted_at or row.withdrawn_at:
        note = moment(at)
    return Cell(mark=Mark(tone, icon, row.state.label), notes=(note,) if note else ())


def _invited(row: Any) -> Cell:
    who = (row.invited_by.get_full_name(),) if row.invited_by else ()
    return Cell(moment(row.invited_at), who, moment=row.invited_at)


INVITATIONS = registered(
    List(
        key="invitations",
        title=gettext_lazy("Invitations"),
        sort="-invited",
        lines=_with_state,
        nothing=Empty(gettext_lazy("Nobody was invited yet"), NOBODY, "people:invite", INVITE),
        no_match=Empty(
            gettext_lazy("No invitation fits this search"), gettext_lazy("Use fewer words or another role.")
        ),
        columns=(
            Column(
                "email",
                gettext_lazy("E-mail address"),
                lambda row: Cell(row.email),
                order=("email",),
                outs=(Out(gettext_lazy("E-mail address"), lambda row: row.email),),
            ),
            PARTY,
            ROLE,
            Column(
                "state",
                gettext_lazy("State"),
                _state,
                outs=(Out(gettext_lazy("State"), lambda row: row.state.label),),
            ),
            Column(
                "invited",
                gettext_lazy("Invited"),
                _invited,
                order=("invited_at",),
                most_first=True,
                outs=(
                    Out(gettext_lazy("Invited"), lambda row: row.invited_at, LOCAL_TIME),
                    Out(gettext_lazy("Invited by"), lambda row: str(row.invited_by or "")),
                ),
            ),
            Column(
                "change",
                gettext_lazy("Change"),
                template="people/_change.html",
                outs=(Out(gettext_lazy("No."), lambda row: row.pk),),
            ),
        ),
    )
)
