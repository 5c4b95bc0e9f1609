"""The certificates of a station as one list: those it shows, and the roots that it trusts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.icons import Mark
from portal.pages.security_forms import use_text
from portal.pages.security_words import reason_text
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, moment_cell, registered
from portal.templatetags.measures import moment
from stations.models import InstalledCertificate, Station, StationCertificate

Own, Root = StationCertificate.State, InstalledCertificate.State
SOON = timedelta(days=30)
OWN_TONES = {Own.ACCEPTED: "good", Own.REJECTED: "bad", Own.REVOKED: "bad"}
ROOT_TONES = {Root.INSTALLED: "good", Root.REFUSED: "bad", Root.UNKNOWN: "warn"}


@dataclass(frozen=True, slots=True)
class Line:
    """A certificate in the list. `is_living`: in use or on its way; `may_end`: it can be revoked or deleted."""

    pk: int
    is_own: bool
    use: str
    subject: str
    serial_number: str
    fingerprint: str
    mark: Mark
    reason: str
    not_after: datetime | None
    ends_soon: bool
    asked_at: datetime | None
    seen_at: datetime | None  # it came in with it, or told that it has it
    is_living: bool
    may_end: bool

    @property
    def name(self) -> str:
        return self.subject or self.serial_number

    @property
    def whose(self) -> str:
        return _("the station's own") if self.is_own else _("a root that it trusts")


class CertificateFilter(forms.Form):
    whose = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Whose"),
        choices=[
            ("", gettext_lazy("all")),
            ("own", gettext_lazy("the station's own")),
            ("root", gettext_lazy("roots that it trusts")),
        ],
    )
    state = forms.ChoiceField(
        required=False,
        label=gettext_lazy("State"),
        choices=[
            ("", gettext_lazy("all")),
            ("living", gettext_lazy("in use, or on its way")),
            ("soon", gettext_lazy("ends within 30 days, or has ended")),
            ("over", gettext_lazy("refused, revoked or gone")),
        ],
    )

    def narrow(self, lines: Iterable[Line]) -> list[Line]:
        """A field that cannot be read narrows nothing; the form shows what is wrong with it."""
        self.is_valid()
        whose, state = self.cleaned_data.get("whose"), self.cleaned_data.get("state")
        has_state: dict[str, Callable[[Line], bool]] = {
            "living": lambda line: line.is_living,
            "soon": lambda line: line.ends_soon,
            "over": lambda line: not line.is_living,
        }
        return [
            line
            for line in lines
            if (not whose or line.is_own == (whose == "own")) and (not state or has_state[state](line))
        ]


def lines_of(station: Station, now: datetime) -> list[Line]:
    """Of all that was ever asked for or read, the newest first, what is over behind what counts; two queries."""
    own = StationCertificate.objects.filter(station=station).defer("csr", "chain").order_by("-pk")
    roots = InstalledCertificate.objects.filter(station=station).order_by("use", "-pk")
    lines = [*(_own(row, now) for row in own), *(_root(row, now) for row in roots)]
    return sorted(lines, key=lambda line: not line.is_living)


def _own(row: StationCertificate, now: datetime) -> Line:
    state, is_living = Own(row.state), row.state in StationCertificate.LIVING
    is_over = row.not_after is not None and row.not_after <= now
    ends_soon = is_living and row.not_after is not None and row.not_after <= now + SOON
    tone = ("bad" if is_over else "warn") if ends_soon else OWN_TONES.get(state, "info")
    return Line(
        pk=row.pk,
        is_own=True,
        use=row.get_kind_display(),
        subject=row.subject,
        serial_number=row.serial_number,
        fingerprint=row.fingerprint,
        mark=Mark(tone, "", _("expired") if is_living and is_over else state.label),
        reason=str(reason_text(row.reason)),
        not_after=row.not_after,
        ends_soon=ends_soon,
        asked_at=row.requested_at,
        seen_at=row.seen_at,
        is_living=is_living or state is Own.REQUESTED,
        may_end=is_living and not is_over,
    )


def _root(row: InstalledCertificate, now: datetime) -> Line:
    state = Root(row.state)
    is_there = state is Root.INSTALLED
    ends_soon = is_there and row.not_after is not None and row.not_after <= now + SOON
    return Line(
        pk=row.pk,
        is_own=False,
        use=use_text(row.use),
        subject=row.subject,
        serial_number=row.serial_number,
        fingerprint="",
        mark=Mark("warn" if ends_soon else ROOT_TONES.get(state, "info"), "", state.label),
        reason="",
        not_after=row.not_after,
        ends_soon=ends_soon,
        asked_at=row.requested_at,
        seen_at=row.read_at,
        is_living=state not in (Root.REFUSED, Root.DELETED),
        may_end=state in (Root.INSTALLED, Root.UNKNOWN) and bool(row.issuer_key_hash),
    )


# ---------------------------------------------------------------- the columns
def _state(line: Line) -> Cell:
    notes: tuple[object, ...] = (line.reason,) if line.reason else ()
    if line.seen_at:
        told = _("came in with it: %(at)s") if line.is_own else _("read: %(at)s")
        notes += (told % {"at": moment(line.seen_at)},)
    return Cell(mark=line.mark, notes=notes)


def _until(line: Line) -> Cell:
    if line.not_after is None:
        return Cell(_("not said"), muted=True)
    return moment_cell(line.not_after)


def _asked(line: Line) -> Cell:
    if line.asked_at is None:
        return Cell(_("not from here"), muted=True)
    return moment_cell(line.asked_at)


def _when(name: str) -> Callable[[Any], datetime | None]:
    return lambda line: getattr(line, name)


CERTIFICATES = registered(
    List(
        key="certificates",
        title=gettext_lazy("Certificates"),
        sort="whose",
        nothing=Empty(
            gettext_lazy("No certificate yet"),
            gettext_lazy(
                "The station needs one for security profile 3. It asks for it by itself, or when it is told to. "
                "Which roots it trusts it tells when it is asked."
            ),
        ),
        no_match=Empty(
            gettext_lazy("No certificate fits these filters"), gettext_lazy("Choose another state.")
        ),
        columns=(
            Column(
                "use",
                gettext_lazy("What for"),
                template="pages/station/_certificate.html",
                rank=lambda line: line.use,
                outs=(
                    Out(gettext_lazy("What for"), lambda line: line.use),
                    Out(gettext_lazy("Subject"), lambda line: line.subject),
                    Out(gettext_lazy("Serial number"), lambda line: line.serial_number),
                    Out("SHA-256", lambda line: line.fingerprint),
                ),
            ),
            Column(
                "whose",
                gettext_lazy("Whose"),
                lambda line: Cell(line.whose),
                rank=lambda line: not line.is_own,  # of equals the order is that of `lines_of`
                outs=(Out(gettext_lazy("Whose"), lambda line: line.whose),),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                _state,
                rank=lambda line: str(line.mark.label),
                outs=(
                    Out(gettext_lazy("State"), lambda line: line.mark.label),
                    Out(gettext_lazy("Reason"), lambda line: line.reason),
                    Out(gettext_lazy("Last seen"), _when("seen_at"), LOCAL_TIME),
                ),
            ),
            Column(
                "until",
                gettext_lazy("Valid until"),
                _until,
                rank=_when("not_after"),
                outs=(Out(gettext_lazy("Valid until"), _when("not_after"), LOCAL_TIME),),
            ),
            Column(
                "asked",
                gettext_lazy("Asked"),
                _asked,
                rank=_when("asked_at"),
                most_first=True,
                usual=False,
                outs=(Out(gettext_lazy("Asked"), _when("asked_at"), LOCAL_TIME),),
            ),
            Column(
                "end",
                gettext_lazy("Take away"),
                template="pages/station/_certificate_end.html",
                outs=(Out(gettext_lazy("No."), lambda line: line.pk),),
            ),
        ),
    )
)
