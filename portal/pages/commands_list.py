"""The commands of a station as a list: what was asked, by whom, and what came of it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from portal.pages.commands_words import CommandLine
from portal.tables.columns import LOCAL_TIME, Cell, Column, Empty, List, Out, registered
from portal.templatetags.measures import moment


def _asked(line: CommandLine) -> Cell:
    return Cell(moment(line.row.requested_at), (line.who,), moment=line.row.requested_at)


COMMANDS = registered(
    List(
        key="commands",
        title=gettext_lazy("Commands"),
        sort="-asked",
        nothing=Empty(
            gettext_lazy("This station was never asked anything"),
            gettext_lazy("What people and the portal ask of it appears here, with its answer."),
        ),
        no_match=Empty(
            gettext_lazy("No command fits these filters"),
            gettext_lazy("Choose another command, state or day."),
        ),
        columns=(
            Column(
                "command",
                gettext_lazy("Command"),
                lambda line: Cell(line.row.action, (line.asked,) if line.asked else ()),
                outs=(
                    Out(gettext_lazy("Command"), lambda line: line.row.action),
                    Out(gettext_lazy("Question"), lambda line: line.sent),
                ),
            ),
            Column(
                "asked",
                gettext_lazy("Asked"),
                _asked,
                order=("pk",),  # the order in which they were asked, and the one that is indexed by station
                most_first=True,
                outs=(
                    Out(gettext_lazy("Asked"), lambda line: line.row.requested_at, LOCAL_TIME),
                    Out(gettext_lazy("Asked by"), lambda line: line.who),
                ),
            ),
            Column(
                "state",
                gettext_lazy("State"),
                template="pages/station/_command_state.html",
                outs=(
                    Out(gettext_lazy("State"), lambda line: line.row.get_state_display()),
                    Out(gettext_lazy("Sent"), lambda line: line.row.sent_at, LOCAL_TIME),
                    Out(gettext_lazy("Answered"), lambda line: line.row.answered_at, LOCAL_TIME),
                ),
            ),
            Column(
                "answer",
                gettext_lazy("Answer"),
                template="pages/station/_command_answer.html",
                outs=(
                    Out(gettext_lazy("Answer"), lambda line: line.answer),
                    Out(gettext_lazy("Answer as sent"), lambda line: line.answered),
                ),
            ),
        ),
    )
)
