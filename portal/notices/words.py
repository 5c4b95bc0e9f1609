"""A notice in words, in the language of who reads it, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.notices.kinds import Kind
from portal.notices.models import Notice
from portal.pages.words import end_reason
from portal.templatetags.measures import day, moment

Data = Mapping[str, Any]
# Tone and icon, as marks have them.
LOOKS: Mapping[str, tuple[str, str]] = {
    Kind.DEVIATION: ("bad", "alert"),
    Kind.DEADLINE: ("warn", "clock"),
    Kind.ROLLOUT_FAILED: ("bad", "alert"),
    Kind.STATION_SILENT: ("warn", "status-bar"),
    Kind.LIMIT_DRIFTED: ("warn", "status-restored"),
    Kind.CHARGING_FAILED: ("warn", "bolt"),
    Kind.WEBHOOK_FAILING: ("bad", "link"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """`title` is one sentence, `text` what more there is to say or to do; `path` leads to the thing."""

    title: str
    text: str
    path: str


def said(notice: Notice) -> Said:
    """Names are of the moment of the notice: what it was called then."""
    data: Data = notice.data
    words = _MANY if "count" in data else _ONE
    title, text, name, args = words[Kind(notice.kind)](data)
    return Said(title, text, _path(name, args))


def _path(name: str, args: list[Any]) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:  # a name of then that no address takes now
        return reverse("notices:list")


Words = tuple[str, str, str, list[Any]]


# ---------------------------------------------------------------- of one thing
def _deviation(data: Data) -> Words:
    title = _("%(subject)s deviates from %(code)s, %(title)s") % data
    text = _("The operator is %(operator)s. Look at the evidence.") % data
    if data.get("evidence"):
        return title, text, "compliance:evidence", [data["evidence"]]
    return title, text, "compliance:requirement", [data["concession"], data["code"]]


def _deadline(data: Data) -> Words:
    about = {**data, "day": day(date.fromisoformat(data["by"]))}
    where = ("compliance:requirement", [data["concession"], data["code"]])
    if data["passed"]:
        title = _("The term to restore %(code)s at %(subject)s has passed") % about
        return title, _("It was to be mended by %(day)s, and is not proven yet.") % about, *where
    title = _("The term to restore %(code)s at %(subject)s ends on %(day)s") % about
    return title, _("The proof comes by a new measurement or probe."), *where


def _rollout(data: Data) -> Words:
    title = _("The roll-out of “%(template)s” did not go well everywhere") % data
    if data["stopped"]:
        title = _("The roll-out of “%(template)s” stopped by itself") % data
    failed = ngettext(
        "%(n)d station did not take all of it.", "%(n)d stations did not take all of it.", data["stations"]
    )
    return title, failed % {"n": data["stations"]}, "configuration:rollout", [data["rollout"]]


def _silent(data: Data) -> Words:
    title = _("%(label)s is silent") % data
    text = _("It has had no connection since %(since)s.") % {
        "since": moment(datetime.fromisoformat(data["since"]))
    }
    return title, text, "stations:connection", [data["station"]]


def _drift(data: Data) -> Words:
    title = _("%(label)s has lost the limit “%(limit)s”") % data
    return (
        title,
        _("What was read back says so. It can be put back there."),
        "stations:read_back",
        [data["station"]],
    )


def _charging(data: Data) -> Words:
    where = ("driver:session", [data["session"]])
    if data["unclosed"]:
        title = _("The end of your session at %(place)s was never told") % {"place": data["label"]}
        text = _("So its energy and cost are not known. Ask the operator, if you miss them.")
        return title, text, *where
    title = _("Charging at %(place)s stopped too early") % {"place": data["label"]}
    return title, end_reason(data["reason"]), *where


def _webhook(data: Data) -> Words:
    title = _("The webhook “%(name)s” fails") % data
    text = _("A message was not taken for a day. Nothing new is sent there until a test is taken.")
    return title, text, "webhooks:detail", [data["webhook"]]


# ---------------------------------------------------------------- of many together
def _many_deviations(data: Data) -> Words:
    title = ngettext("%(n)d new deviation", "%(n)d new deviations", data["count"]) % {"n": data["count"]}
    return title, _of_operator(data), "compliance:matrix", [data["concession"]]


def _many_terms(data: Data) -> Words:
    title = ngettext(
        "%(n)d term to restore ends or has passed", "%(n)d terms to restore end or have passed", data["count"]
    )
    return title % {"n": data["count"]}, _of_operator(data), "compliance:matrix", [data["concession"]]


def _many_rollouts(data: Data) -> Words:
    title = ngettext("%(n)d roll-out failed", "%(n)d roll-outs failed", data["count"]) % {"n": data["count"]}
    return title, "", "configuration:rollouts", []


def _many_silent(data: Data) -> Words:
    title = ngettext("%(n)d more station is silent", "%(n)d more stations are silent", data["count"])
    text = _("Within one hour, so perhaps for one reason: a network, or a power cut.")
    return title % {"n": data["count"]}, text, "connections", []


def _many_drifts(data: Data) -> Words:
    title = ngettext("%(n)d more limit has drifted", "%(n)d more limits have drifted", data["count"])
    return title % {"n": data["count"]}, _("The list of stations shows where."), "stations:list", []


def _of_operator(data: Data) -> str:
    return _("The operator is %(operator)s.") % data if "operator" in data else ""


_ONE: Mapping[Kind, Callable[[Data], Words]] = {
    Kind.DEVIATION: _deviation,
    Kind.DEADLINE: _deadline,
    Kind.ROLLOUT_FAILED: _rollout,
    Kind.STATION_SILENT: _silent,
    Kind.LIMIT_DRIFTED: _drift,
    Kind.CHARGING_FAILED: _charging,
    Kind.WEBHOOK_FAILING: _webhook,
}
_MANY: Mapping[Kind, Callable[[Data], Words]] = {
    Kind.DEVIATION: _many_deviations,
    Kind.DEADLINE: _many_terms,
    Kind.ROLLOUT_FAILED: _many_rollouts,
    Kind.STATION_SILENT: _many_silent,
    Kind.LIMIT_DRIFTED: _many_drifts,
}
