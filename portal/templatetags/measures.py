"""Numbers with their unit and moments in time, as people write them in the language of the page.

Use with `{% load measures %}`. Between number and unit stands a no-break space; nothing known is a dash.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

register = template.Library()

NBSP = "\N{NO-BREAK SPACE}"
UNKNOWN = "\N{EN DASH}"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
Number = int | float | Decimal | None


def _with_unit(value: Number, unit: str, *, divisor: float = 1, decimals: int) -> str:
    if value is None:
        return UNKNOWN
    return f"{rounded(float(value) / divisor, decimals)}{NBSP}{unit}"


def rounded(value: float | Decimal, decimals: int) -> str:
    """Half up, as people do; Django's number_format only cuts off what does not fit."""
    return _rounded(value, decimals, get_language() or "")


@lru_cache(maxsize=4096)
def _rounded(value: float | Decimal, decimals: int, language: str) -> str:
    """A page says the same few numbers hundreds of times."""
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return number_format(exact, decimals, use_l10n=True)


@register.filter
def kw(power_w: Number) -> str:
    """Watts as kilowatts: 11040 -> "11,0 kW"."""
    return _with_unit(power_w, "kW", divisor=1000, decimals=1)


@register.filter
def kwh(energy_wh: Number) -> str:
    """Watt-hours as kilowatt-hours: 12345 -> "12,35 kWh"."""
    return _with_unit(energy_wh, "kWh", divisor=1000, decimals=2)


@register.filter
def watt(power_w: Number) -> str:
    """Watts: 3680 -> "3.680 W"."""
    return _with_unit(power_w, "W", decimals=0)


@register.filter
def ampere(current_a: Number) -> str:
    """Amperes with a decimal where there is one: 16.0 -> "16 A", 12.5 -> "12,5 A"."""
    return _with_unit(current_a, "A", decimals=_decimals(current_a))


@register.filter
def limit(value: Number, unit: str) -> str:
    """A limit of a charging schedule in its unit, "A" or "W"; kilowatts from 1000 W on."""
    if unit == "W" and value is not None and abs(float(value)) >= 1000:
        return kw(value)
    return watt(value) if unit == "W" else ampere(value)


@register.filter
def euro(amount: Number) -> str:
    """An amount of money: 4.5 -> "EUR 4,50" as "€ 4,50"."""
    return UNKNOWN if amount is None else f"€{NBSP}{rounded(amount, 2)}"


@register.filter
def money(amount: Number, currency: str) -> str:
    """An amount in its own currency: euros as `euro` writes them, others as "4,50 CHF"."""
    if currency == "EUR" or amount is None:
        return euro(amount)
    return f"{rounded(amount, 2)}{NBSP}{currency}"


@register.filter
def figure(value: Any) -> str:
    """A number with at most one decimal, or a text as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return UNKNOWN if value is None else str(value)
    return rounded(value, _decimals(value))


def _decimals(value: Number) -> int:
    return 0 if value is None or round(float(value), 1) == round(float(value)) else 1


@register.filter
def duration(seconds: Number) -> str:
    """A length of time in the unit that fits: 50 -> "50 s", 4680 -> "1 u 18 min"."""
    if seconds is None:
        return UNKNOWN
    whole = round(float(seconds))
    if whole < 2 * MINUTE_S:
        return f"{whole}{NBSP}s"
    hours, minutes = divmod(whole // MINUTE_S, 60)
    if not hours:
        return f"{minutes}{NBSP}min"
    hour_unit = _("h")
    return f"{hours}{NBSP}{hour_unit}" + (f" {minutes}{NBSP}min" if minutes else "")


@register.filter
def percent(share: Number) -> str:
    """A share of one: 0.9934 -> "99,3%". Nearly all is not written as all."""
    if share is None:
        return UNKNOWN
    value = float(share) * 100
    return f"{rounded(min(value, 99.9) if value < 100 else value, 1)}%"


@register.filter
def megabytes(size: Number) -> str:
    """Bytes: 2345 -> "2,3 kB", 5242880 -> "5,2 MB"."""
    if size is not None and size < 1_000_000:
        return _with_unit(size, "kB", divisor=1000, decimals=1)
    return _with_unit(size, "MB", divisor=1_000_000, decimals=1)


@register.filter
def milliseconds(ms: Number) -> str:
    """A short time: 12.3 -> "12 ms", 5200 -> "5,2 s", 90000 -> "90 s"."""
    if ms is None:
        return UNKNOWN
    if ms < 1000:
        return _with_unit(ms, "ms", decimals=0)
    return _with_unit(ms, "s", divisor=1000, decimals=1) if ms < 60_000 else duration(float(ms) / 1000)


@register.filter
def moment_ms(at: datetime | None) -> str:
    """20 Nov 2026, 18:22:10.123: where one second holds a question and its answer."""
    return UNKNOWN if at is None else f"{short_day(at)}, {clock_s(at)}.{at.microsecond // 1000:03d}"


@register.filter
def clock(at: datetime | None) -> str:
    """18:22, in Europe/Amsterdam, in 24 hours."""
    # Not by date_format, which takes ten times as long: a stack of profiles has a thousand of these.
    return UNKNOWN if at is None else f"{_shown(at):%H:%M}"


@register.filter
def clock_s(at: datetime | None) -> str:
    """18:22:10."""
    return UNKNOWN if at is None else f"{_shown(at):%H:%M:%S}"


def _shown(at: datetime) -> datetime:
    """In the one zone of the portal. No page chooses another; to ask which is current costs more than to convert."""
    return at.astimezone(timezone.get_default_timezone())


@register.filter
def day(at: date | None) -> str:
    """Friday 20 November 2026."""
    return UNKNOWN if at is None else date_format(_local(at), "l j F Y")


@register.filter
def short_day(at: date | None) -> str:
    """20 Nov 2026."""
    return UNKNOWN if at is None else _in_short(_local(at), get_language())


@lru_cache(maxsize=1000)
def _in_short(at: date, _language: str | None) -> str:
    """In the language that is spoken. Kept: the lines of a list are of few days."""
    # Dutch writes a month in small letters.
    return date_format(at, _("j M Y"))


@register.filter
def moment(at: datetime | None) -> str:
    """20 Nov 2026, 18:22."""
    return UNKNOWN if at is None else f"{short_day(at)}, {clock(at)}"


def moment_from(at: datetime, now: datetime) -> str:
    """18:22, with its day where that is not plain at `now`."""
    return clock(at) if now - at < timedelta(hours=20) else moment(at)


def _local(at: date) -> date:
    return _shown(at).date() if isinstance(at, datetime) else at


@register.filter
def age(at: datetime | None) -> str:
    """How long ago, in one unit: "3 days"."""
    if at is None:
        return UNKNOWN
    seconds = max(0, int((timezone.now() - at).total_seconds()))
    if seconds < MINUTE_S:
        return _("just now")
    if seconds < HOUR_S:
        count = seconds // MINUTE_S
        return ngettext("%(count)d minute", "%(count)d minutes", count) % {"count": count}
    if seconds < DAY_S:
        count = seconds // HOUR_S
        return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}
    count = seconds // DAY_S
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


@register.filter
def iso(at: datetime | None) -> str:
    """For the `datetime` attribute of `<time>`."""
    return "" if at is None else at.isoformat()


@register.filter
def short_hash(text: str) -> str:
    """The first eight and the last four characters: "e81f 77c0 … 094d"."""
    return f"{text[:4]} {text[4:8]} … {text[-4:]}" if text else UNKNOWN
