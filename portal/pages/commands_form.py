"""What the forms of commands have in common: they know the station, give the command by one service, place a refusal.

`consequence` is what a person confirms first, where the command cannot be taken back or a driver notices (rule 4).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.pages.commands_words import problem_of
from stations import reserving
from stations.models import Station, Token
from stations.objections import Objected
from stations.ocpp.validation import SchemaViolation, UnknownAction
from stations.sealing import Unsealable

WHOLE = "0"  # as an EVSE number: the station itself
ANY = "0"


class CommandForm(forms.Form):
    """What all have in common. `title` and `lead` head the page, `button` gives the command."""

    title: ClassVar[Any] = ""
    lead: ClassVar[Any] = ""
    button: ClassVar[Any] = gettext_lazy("Send to the station")
    # The page where there is more of this: the name of its address, and what it is called here.
    see_also: ClassVar[tuple[str, Any] | None] = None

    def __init__(self, *args: Any, station: Station, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.station = station
        self.prepare()

    def prepare(self) -> None:
        """Fill in what depends on the station."""

    def consequence(self) -> str:
        """What will happen, for who is to confirm it; empty: nothing to confirm."""
        return ""

    def send(self, user: Any, now: datetime) -> None:
        """Give the command, by a service. Raises what the services raise; `placed` puts it at its field."""
        raise NotImplementedError

    def give(self, user: Any, now: datetime) -> bool:
        """False: it cannot be given, and the form says why."""
        try:
            with transaction.atomic():  # a link for a file without its command is of no use
                self.send(user, now)
        except SchemaViolation as violation:
            self.add_error(self.field_of(violation.field), problem_of(violation))
        except UnknownAction as unknown:
            self.add_error(self.field_of("action"), str(unknown))
        except Objected as objected:
            objection = objected.objection
            clause = f" ({objection.clause})" if objection.clause else ""
            self.add_error(self.field_of(objection.field), f"{objection.text}{clause}")
        except reserving.CannotReserve as cannot:
            self.add_error(self.field_of(cannot.field), str(cannot))
        except Unsealable:
            problem = _("The number of this card cannot be read any more: enter the card again.")
            self.add_error(self.field_of("token"), problem)
        return not self.errors

    def field_of(self, field: str) -> str | None:
        """The field of this form that a field of a payload or of a service belongs to."""
        return field if field in self.fields else None

    def evse_choices(self, first: str = "") -> list[tuple[str, Any]]:
        sockets = [
            (str(evse.number), _("socket %(letter)s") % {"letter": evse.letter})
            for evse in self.station.evses.all()
        ]
        return ([(ANY, first)] if first else []) + sockets


class CardForm(CommandForm):
    """A card that the operator knows, by its name: a number is never typed in, and never shown."""

    def known_cards(self) -> Any:
        cards = Token.objects.filter(operator=self.station.site.operator, blocked=False)
        cards = cards.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        return cards.exclude(sealed_number="").select_related("group")
