"""What stands out in a day of registers, and what the day comes to, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.templatetags.measures import duration, kwh
from v2x.domain.registers import BREAKS, Mark, Name, Register, What
from v2x.registers import RegisterSeries

# How a meter itself names the two: DSMR P1 (IEC 62056-6-1, OBIS), the total of all tariffs.
CODES: dict[Name, str] = {"import": "1.8.0", "export": "2.8.0"}
NAMES: dict[Name, Promise] = {"import": gettext_lazy("Import"), "export": gettext_lazy("Export")}
SHORT: dict[What, Promise] = {
    What.GAP: gettext_lazy("gap"),
    What.RESET: gettext_lazy("began again at 0"),
    What.ROLLOVER: gettext_lazy("was full"),
    What.COUNTED_BACK: gettext_lazy("counted back"),
    What.JUMP: gettext_lazy("jump"),
    What.PLACEHOLDER: gettext_lazy("0 that says nothing"),
    What.TWICE: gettext_lazy("two values"),
    What.LATE: gettext_lazy("came late"),
}


def register_name(name: Name) -> str:
    """Import (1.8.0)."""
    return f"{NAMES[name]} ({CODES[name]})"


def mark_text(mark: Mark) -> str:
    """A sentence on what stands out, with its figures."""
    figures = {
        "register": register_name(mark.register) if mark.register else "",
        "before": kwh(mark.before_wh),
        "after": kwh(mark.after_wh),
        "duration": duration((mark.end - mark.start).total_seconds()),
        "count": mark.count,
    }
    if mark.what == What.LATE:
        text = ngettext(
            "%(count)d reading came after one of a later time. It stands at its own time.",
            "%(count)d readings came after one of a later time. They stand at their own time.",
            mark.count,
        )
        return text % figures
    texts = {
        What.GAP: _("No readings for %(duration)s."),
        What.RESET: _("%(register)s began again at 0: from %(before)s to %(after)s."),
        What.ROLLOVER: _("%(register)s was full and began again: from %(before)s to %(after)s."),
        What.COUNTED_BACK: _("%(register)s counted back: from %(before)s to %(after)s."),
        What.JUMP: _(
            "%(register)s rose from %(before)s to %(after)s, more than the connection can deliver in %(duration)s."
        ),
        What.PLACEHOLDER: _(
            "%(register)s said 0, and the next reading proves that wrong. It is not counted."
        ),
        What.TWICE: _(
            "%(register)s had two values at one moment: %(before)s and %(after)s. The first counts."
        ),
    }
    return texts[mark.what] % figures


def day_summary(series: RegisterSeries) -> str:
    """On 21 November: 12.30 kWh in, 4.50 kWh back; 1 gap of 40 min."""
    day = date_format(timezone.localtime(series.start), "j F")
    if not series.samples:
        return _("On %(day)s: no readings.") % {"day": day}
    energy = ", ".join(_energy(series.registers[name], series.marks) for name in ("import", "export"))
    parts = [energy, _gaps(series.marks), *_others(series.marks)]
    return _("On %(day)s: %(parts)s.") % {"day": day, "parts": "; ".join(part for part in parts if part)}


def _energy(register: Register, marks: Iterable[Mark]) -> str:
    texts = (
        (_("%(energy)s in"), _("in not known"), _("in not measured"))
        if register.name == "import"
        else (_("%(energy)s back"), _("back not known"), _("back not measured"))
    )
    if register.rise_wh is not None:
        return texts[0] % {"energy": kwh(register.rise_wh)}
    if register.last_wh is None:
        return texts[2]
    broken = next((mark for mark in marks if mark.register == register.name and mark.what in BREAKS), None)
    if broken is None:
        return texts[1]
    return _("%(energy)s (the register %(what)s)") % {"energy": texts[1], "what": _did(broken.what)}


def _did(what: What) -> str:
    return _("jumped") if what == What.JUMP else str(SHORT[what])


def _gaps(marks: Iterable[Mark]) -> str:
    lengths_s = [(mark.end - mark.start).total_seconds() for mark in marks if mark.what == What.GAP]
    text = ngettext(
        "%(count)d gap of %(duration)s", "%(count)d gaps, %(duration)s together", len(lengths_s)
    ) % {"count": len(lengths_s), "duration": duration(sum(lengths_s))}
    return text if lengths_s else _("no gaps")


def _others(marks: Iterable[Mark]) -> list[str]:
    """What is neither a gap nor the reason of an unknown energy, counted."""
    rest = [mark for mark in marks if mark.what in {What.PLACEHOLDER, What.TWICE, What.LATE}]
    if not rest:
        return []
    text = ngettext("%(count)d remark on readings", "%(count)d remarks on readings", len(rest))
    return [text % {"count": len(rest)}]
