"""When a car is expected to be ready: from how full it is, what it takes and the limits that are to come. Pure.

Only where that is known: a guess that is not called one would be worse than none. Why not, is said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from portal.pages.limits import Stretch
from portal.templatetags.measures import kwh, moment_from, rounded

# Of what the meter counts about a tenth is lost in the charger of the car.
ARRIVES_SHARE = 0.9
# Less than this is no charging, and tells nothing of what the car can take.
CHARGES_W = 500.0


@dataclass(frozen=True, slots=True)
class Car:
    """What is known of the car: `soc_percent` as the station measured it, `asked_wh` as the car itself asked, less
    what it got since; `most_w` is the highest power that it took in this session."""

    battery_wh: float | None
    charge_to_percent: int
    soc_percent: float | None
    asked_wh: float | None
    most_w: float | None

    def missing_wh(self) -> float | None:
        """What is still to go through the meter; None: not known."""
        if self.asked_wh is not None:
            return max(self.asked_wh, 0.0)
        if self.battery_wh is None or self.soc_percent is None:
            return None
        share = max(self.charge_to_percent - self.soc_percent, 0.0) / 100
        return share * self.battery_wh / ARRIVES_SHARE


@dataclass(frozen=True, slots=True)
class Ready:
    """`at` None: not known, and `text` says why; else `text` says from what it was reckoned."""

    at: datetime | None
    text: str
    is_late: bool = False
    needs_battery: bool = False


def ready_of(car: Car, course: Iterable[Stretch], *, ready_by: time | None, now: datetime) -> Ready:
    """`course`: the limits of the socket from now on."""
    missing_wh = car.missing_wh()
    if missing_wh is None:
        return _unknown(car)
    if missing_wh == 0:
        return Ready(now, _("Your car is as full as you wanted."))
    if car.most_w is None or car.most_w < CHARGES_W:
        return Ready(None, _("Not known: the car has taken no power yet."))
    at = reached_at(missing_wh, course, most_w=car.most_w, now=now)
    if at is None:
        return Ready(None, _("Not within a day, with the limits as they are now."))
    wanted = next_at(ready_by, now) if ready_by else None
    is_late = wanted is not None and at > wanted
    return Ready(at, " ".join((_from_what(car, missing_wh), _against(wanted, now, is_late=is_late))), is_late)


def reached_at(
    missing_wh: float, course: Iterable[Stretch], *, most_w: float, now: datetime
) -> datetime | None:
    """When so much has flowed, at the lower of the limit and what the car takes; None: not within the course."""
    left_wh = missing_wh
    for stretch in course:
        start = max(stretch.start, now)
        power_w = min(stretch.limit_w, most_w)
        if stretch.end <= start or power_w < CHARGES_W:
            continue
        gets_wh = power_w * (stretch.end - start).total_seconds() / 3600
        if gets_wh >= left_wh:
            return start + timedelta(hours=left_wh / power_w)
        left_wh -= gets_wh
    return None


def next_at(clock: time, now: datetime) -> datetime:
    """The next time that it is so late, in the time of the place."""
    local = timezone.localtime(now)
    today = timezone.make_aware(datetime.combine(local.date(), clock))
    tomorrow = timezone.make_aware(datetime.combine(local.date() + timedelta(days=1), clock))
    return today if today > now else tomorrow


def _unknown(car: Car) -> Ready:
    if car.soc_percent is None:
        return Ready(None, _("Not known: your car does not tell the station how full it is."))
    text = _("Not known: fill in how large the battery is, then it can be reckoned.")
    return Ready(None, text, needs_battery=True)


def _from_what(car: Car, missing_wh: float) -> str:
    if car.asked_wh is not None:
        return _("About: the car asked for %(energy)s more.") % {"energy": kwh(missing_wh)}
    return _("About: from %(now)s%% to %(goal)d%%, with the limits that are known now.") % {
        "now": rounded(car.soc_percent or 0.0, 0),
        "goal": car.charge_to_percent,
    }


def _against(wanted: datetime | None, now: datetime, *, is_late: bool) -> str:
    if wanted is None:
        return ""
    values = {"time": moment_from(wanted, now)}
    if is_late:
        return _("That is later than you wanted: %(time)s.") % values
    return _("In time: you wanted %(time)s.") % values
