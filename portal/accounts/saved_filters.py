"""What people keep of the lists they look at: which columns, and filters by name."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

LONGEST_NAME = 60
LONGEST_QUERY = 2000


class ListChoice(models.Model):
    """A list as one person keeps it. `list_key` is the key of its portal.tables List; no columns: the usual ones."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="list_choices")
    list_key = models.CharField(_("list"), max_length=50)
    columns = models.JSONField(_("columns"), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "list_key"], name="one_choice_per_user_and_list"),
        ]


class SavedFilter(models.Model):
    """A filter with a name: `query` as in the address, without the page. The default one opens with the list."""

    choice = models.ForeignKey(ListChoice, on_delete=models.CASCADE, related_name="filters")
    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    query = models.CharField(_("filter"), max_length=LONGEST_QUERY, blank=True)
    is_default = models.BooleanField(_("opens with the list"), default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["choice", "name"], name="one_saved_filter_per_name"),
            models.UniqueConstraint(
                fields=["choice"], condition=Q(is_default=True), name="one_default_filter_per_list"
            ),
        ]
