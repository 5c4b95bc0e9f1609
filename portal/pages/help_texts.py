"""Help with a page: what it is for and how to go on, under the page itself. One text for each page, by the name of its
address; a page without one needs none."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LISTS = _(
    "Every list works the same way. Click a heading to sort. Under “Columns” you choose what is shown; that is "
    "remembered. Under “Saved filters” you keep what you look at often, and choose what the list opens with. CSV and "
    "XLSX hold what is shown now, all pages of it."
)
CHARTS = _(
    "In a chart you look closer by dragging over a stretch of time, or with the buttons above it. With the keyboard: "
    "the arrows, Page Up, Page Down, Home and End move a line that says time, power and limit; + and - zoom."
)
SAFE = _(
    "What you send to a station waits for its answer. Nothing counts as done before the station says so."
)

HELP: Mapping[str, tuple[str | Promise, ...]] = {
    "official:overview": (
        _(
            "A visit ends when you asked for nothing for a while. What came since then is new, however often you "
            "load the page. Click a requirement to see its evidence and to judge it."
        ),
        _(
            "Only what was required or promised waits here. When you find a deviation, give the operator a day "
            "by which it is restored; that day is kept in sight here."
        ),
        LISTS,
    ),
    "official:objects": (
        _(
            "Each object has a sign for each requirement on stations. Click a sign to see its proof. Choose a "
            "requirement and whether it is met to find the objects you look for."
        ),
        _("Choose “map” to see the same objects on a map, with a list beside it."),
        LISTS,
    ),
    "official:usage": (
        _(
            "Where an area has too few drivers, another one is left out too: else you could work out the first by "
            "taking the others off the total."
        ),
        LISTS,
    ),
    "compliance:matrix": (
        _(
            "Each row is a requirement or a wish, each column an operator. A cell shows the weakest status of"
            " its stations."
        ),
        _(
            "Red is only a deviation on what is required or was promised. Click a requirement to see its "
            "stations and proof."
        ),
    ),
    "compliance:requirement": (
        _(
            "The ladder shows how strong the proof is: declared, substantiated, proven. A proof grows old; "
            "then it is stale."
        ),
        _(
            "“Probe now” asks the station itself. It sets profiles for a moment, reads them back and puts "
            "everything right again."
        ),
        LISTS,
    ),
    "compliance:evidence": (
        _(
            "This is what was measured or answered, when and on which firmware. The hash chains it to the "
            "evidence before it, so that nothing can be changed unseen."
        ),
        _("The portal proposes a status; you decide. Give a reason, also where you follow the proposal."),
    ),
    "compliance:requirement_evidence": (
        _(
            "Every judgement that was ever made on this requirement, each with what it rests on. Evidence is added "
            "and never changed."
        ),
        LISTS,
    ),
    "compliance:probe_start": (
        _(
            "A probe takes a few minutes. The station needs to be online and the socket free, unless the "
            "requirement is about a car that charges."
        ),
    ),
    "work": (
        _(
            "Here stands what goes wrong at your stations, by itself and the worst first: who is silent, what "
            "failed, what ends soon. Each line leads to where it is mended."
        ),
        _(
            "What can wait you put aside, with a reason and a day. Your colleagues see who did so. It comes "
            "back after that day, and before it when it gets worse."
        ),
        LISTS,
    ),
    "fleet_sessions": (
        _(
            "“Limits that stood” names the limits that the station had while the car charged, and under them which of "
            "them decided. Click the start of a session to see when. What a running session costs is told “so far”."
        ),
        LISTS,
    ),
    "tariff": (
        _(
            "The first price that holds decides, for each kind of price. Fill in a session of your own under "
            "“What would a session cost?” to see what it comes to."
        ),
    ),
    "stations:list": (
        _(
            "“Limits” shows the worst of what stands on a station: drifted and refused come first. Search by "
            "station, street or place."
        ),
        _("The page refreshes by itself. “Pause live” holds it still."),
        LISTS,
    ),
    "stations:detail": (
        _(
            "On top stands the limit that holds now, which profile sets it, and until when. Below it: what "
            "was wanted, what was sent and what the station says that it has. These three can differ."
        ),
        _("The page refreshes by itself. “Pause live” holds it still."),
        CHARTS,
        _("Click a stretch of the stack of profiles to see why that limit held."),
    ),
    "stations:session": (
        _("Power against the limits of this session. Where nothing was measured the chart has a gap."),
        CHARTS,
    ),
    "stations:why": (
        _(
            "Choose a time and a socket. The page shows every profile that could count then, and which one "
            "wins."
        ),
    ),
    "stations:sessions": (
        _(
            "Energy in and out are two registers, never taken off one another. “So far” is of a session that "
            "still runs."
        ),
        LISTS,
    ),
    "stations:commands": (
        SAFE,
        _(
            "A command that was not sent within a minute expires. “Unknown” means that no answer came: look "
            "at the station before you ask again."
        ),
        LISTS,
    ),
    "stations:frames": (
        _(
            "Each line is a question with its answer. Open it for the whole text; choose “in words” to read "
            "it without JSON."
        ),
        _("A message name is exact: StatusNotification, not status. Card numbers and passwords are masked."),
    ),
    "stations:registers": (
        _(
            "Import and export over time, by the registers of the station. Gaps and resets are marked, never "
            "filled in."
        ),
    ),
    "stations:read_back": (
        _("What the station itself says that is in force, beside what we computed. A difference is drift."),
    ),
    "stations:configuration": (
        _(
            "Every value as the station last told it. Read it again when it is old; change one, or compare "
            "all with a template."
        ),
        SAFE,
    ),
    "stations:security": (
        _(
            "How the station shows who it is: password or certificate. A change takes effect at its next "
            "connection."
        ),
        SAFE,
        LISTS,
    ),
    "stations:certificates": (
        _(
            "The certificates that the station shows, and the roots by which it knows whom to trust. One that ends "
            "soon stands out; “asked” and “sent” wait for the station."
        ),
        SAFE,
        LISTS,
    ),
    "stations:monitors": (
        _(
            "A monitor has the station tell by itself when a value passes a bound or changes. The worst stand on top. "
            "One that the maker built in cannot be removed."
        ),
        SAFE,
        LISTS,
    ),
    "stations:noticed": (
        _("What the monitors of this station told, the newest first. “Over” says that it has passed."),
        LISTS,
    ),
    "stations:evidence": (
        _("Every judgement on this station, of whichever requirement. Click one to see what it rests on."),
        LISTS,
    ),
    "stations:access": (
        _("Who may charge here: cards on the list of the station, and what it does when it cannot reach us."),
        SAFE,
    ),
    "stations:connection": (
        _("When the station was connected, why each connection ended, and how fast it answers."),
    ),
    "stations:files": (
        _(
            "Ask a station for its log or diagnostics; it brings the file by itself. That can take some "
            "minutes."
        ),
        LISTS,
    ),
    "stations:firmware_updates": (
        _(
            "Each update that the station was asked for: how much of the file it fetched, and every step that it "
            "told. Ask for one with the command UpdateFirmware."
        ),
        LISTS,
    ),
    "connections": (
        _(
            "Sort by what worries you: silent longest, most connections in a day, slowest answers. Figures "
            "are of the last day."
        ),
        LISTS,
    ),
    "firmware": (_("Add a file here first. Then send it with the command UpdateFirmware of a station."),),
    "configuration:list": (
        _(
            "A template holds how stations are to be set. Compare one station with it, or roll it out to "
            "many."
        ),
        LISTS,
    ),
    "configuration:rollouts": (
        _(
            "A roll-out begins with a few stations and stops by itself when too many refuse. Open it to go on"
            " or try again."
        ),
        LISTS,
    ),
    "smartcharging:set": (
        _(
            "Times count from the start, or by the clock with “every day”. Of two profiles for one purpose "
            "the higher level wins; over all purposes the lowest limit counts."
        ),
        SAFE,
    ),
    "driver:now": (
        _(
            "What your car takes at this moment, how much it may take, and who decides that. The page follows the "
            "station by itself."
        ),
        _("A ready time is only shown where the car tells how full it is."),
    ),
    "driver:cards": (
        _(
            "Link a card with the code that your operator gave you. Without a code: name the card and the station, "
            "and start charging there within five minutes."
        ),
    ),
    "notices:list": (
        _(
            "What needs your eye, the newest first. Click one to see what it is about; then it is read. It comes "
            "once, and again only after it was over in between."
        ),
        LISTS,
    ),
    "notices:preferences": (
        _(
            "The daily mail holds what you have not read in the portal by then. A day without news brings no mail."
        ),
    ),
    "webhooks:list": (
        _(
            "A webhook sends a message to an address of your own as soon as something happens. Make it with an "
            "https address, keep the secret in your system, and send a test."
        ),
        LISTS,
    ),
    "webhooks:detail": (
        _(
            "What is not taken is sent again for a day, with growing pauses. After that the webhook is marked as "
            "failing, until a test is taken."
        ),
        LISTS,
    ),
    "account_tokens": (
        _(
            "Give each program a token of its own, for what it needs and no more. Revoke it when the program goes, "
            "or when somebody else may have seen it."
        ),
    ),
    "driver:preferences": (_("Choose your language, and what we tell you about your charging."),),
    "driver:data": (
        _(
            "Everything that is kept of you, to look at and to take along. You can ask us to erase it; until the "
            "date that is shown you can change your mind."
        ),
    ),
    "driver:sessions": (
        _("All your sessions by month. Choose a month or a year to find one; CSV holds what is shown."),
    ),
    "driver:session": (
        _(
            "The line shows your power, the other line the limit. Below it stands what happened, step by "
            "step."
        ),
        CHARTS,
    ),
}
