"""What people send to keep something of a list."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.accounts.saved_filters import LONGEST_NAME, LONGEST_QUERY

DEEDS = ("save", "default", "no_default", "forget")


class FilterForm(forms.Form):
    """`query` is that of the list's address, with or without the filter that is meant."""

    name = forms.CharField(
        max_length=LONGEST_NAME,
        error_messages={
            "required": _("Give the filter a name."),
            "max_length": _("A name has at most %(limit_value)d characters."),
        },
    )
    query = forms.CharField(
        required=False,
        max_length=LONGEST_QUERY,
        error_messages={"max_length": _("This filter is too long to keep. Use fewer words.")},
    )
    is_default = forms.BooleanField(required=False)
    deed = forms.ChoiceField(choices=[(deed, deed) for deed in DEEDS])
