"""What a token of the API may be used for. A view says with `scope` what it takes to change something through it.

Reading takes READ, everywhere but where a view names another as its `read_scope`. Whoever is signed in in a browser
has no scopes: there the role alone counts, as it does for tokens too.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    READ = "read", _("read everything that the role sees")
    PLAN = "plan", _("set and withdraw limits")
    COMMAND = "command", _("send commands to stations")
    CONFIGURE = "configure", _("configuration, monitors, certificates, roll-outs")
    PROBE = "probe", _("start live probes")
    WEBHOOKS = "webhooks", _("webhooks and their secrets")
