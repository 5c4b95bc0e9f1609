"""Forms of the master data that need more than their fields: a token's number, a tariff's rules."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from stations.credentials import digest_token
from stations.domain.tariff_terms import BadTariff, parse
from stations.models import Evse, Operator, Tariff, Token
from stations.sealing import seal

if TYPE_CHECKING:  # generic in the stubs only
    TokenModelForm = forms.ModelForm[Token]
    TariffModelForm = forms.ModelForm[Tariff]
else:
    TokenModelForm = TariffModelForm = forms.ModelForm


class SocketsField(forms.CharField):
    """Places as `Token.only_at` has them, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        text = str(super().clean(value))
        return sorted({"".join(line.split()) for line in text.splitlines() if line.strip()})


class TokenForm(TokenModelForm):
    """A group is of one operator, as its tokens are; so are the sockets that it holds at."""

    only_at = SocketsField(
        label=_("only at these sockets"),
        required=False,
        help_text=_(
            "One a line: the identity of a station, a slash and the EVSE, as in NL-1/2. Empty: at all."
        ),
    )

    class Meta:
        model = Token
        fields = [
            "operator", "user", "kind", "group", "label", "blocked", "expires_at", "offline_allowed",
            "concurrent_allowed", "only_at", "held_since",
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        group, operator = cleaned.get("group"), cleaned.get("operator")
        if group is not None and operator is not None and group.operator_id != operator.pk:
            self.add_error("group", _("This group is of another operator."))
        places = cleaned.get("only_at") or []
        if operator is not None and places:
            unknown = set(places) - _sockets_of(operator, places)
            if unknown:
                text = _("Not a socket of this operator: %(places)s.")
                self.add_error("only_at", text % {"places": ", ".join(sorted(unknown))})
        return cleaned


def _sockets_of(operator: Operator, places: list[str]) -> set[str]:
    identities = {place.rpartition("/")[0] for place in places}
    rows = Evse.objects.filter(station__site__operator=operator, station__identity__in=identities)
    return {f"{identity}/{number}" for identity, number in rows.values_list("station__identity", "number")}


class NewTokenForm(TokenForm):
    """A token's number goes in, and never comes out: it is found by its digest, and sealed for the stations' lists."""

    id_token = forms.CharField(
        label=_("number of the card or token"),
        max_length=36,
        help_text=_("Kept sealed, for the local lists of stations. It is shown nowhere."),
    )

    def clean_id_token(self) -> str:
        number = str(self.cleaned_data["id_token"]).strip()
        if Token.objects.filter(digest=digest_token(number)).exists():
            raise forms.ValidationError(_("This token is known already."))
        return number

    def save(self, commit: bool = True) -> Token:  # noqa: FBT001, FBT002  # Django's
        number = self.cleaned_data["id_token"]
        self.instance.digest = digest_token(number)
        self.instance.sealed_number = seal(number)
        return super().save(commit)


class TariffForm(TariffModelForm):
    """The rules as OCPI writes them, or in the simple way: up to three prices that always hold."""

    per_kwh = forms.DecimalField(label=_("price per kWh"), required=False, max_digits=8, decimal_places=4)
    start_fee = forms.DecimalField(label=_("start fee"), required=False, max_digits=8, decimal_places=4)
    per_hour_parked = forms.DecimalField(
        label=_("price per hour parked without charging"), required=False, max_digits=8, decimal_places=4
    )
    vat = forms.DecimalField(
        label=_("VAT (%)"), required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2
    )

    class Meta:
        model = Tariff
        fields = [
            "operator", "name", "currency", "tax_included", "elements", "min_price", "max_price",
            "credits_export", "valid_from", "valid_until",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = _('As {"before_taxes": 1.00, "after_taxes": 1.21}; one of both will do.')
        notes = {
            "elements": _(
                "A list of TariffElement, as OCPI has it. Leave it as it is where you fill in the simple prices: "
                "they take its place."
            ),
            "min_price": limit,
            "max_price": limit,
        }
        for name, note in notes.items():
            if name in self.fields:  # who may only read has none
                self.fields[name].required = False
                self.fields[name].help_text = note

    def clean(self) -> dict[str, Any]:
        """The domain is the one that says whether it is a tariff; what it refuses stands at its field."""
        cleaned = super().clean() or {}
        simple = self._simple(cleaned)
        if simple:
            cleaned["elements"] = [{"price_components": simple}]
        raw = {name: cleaned.get(name) for name in ("currency", "tax_included", "elements")}
        raw |= {name: cleaned[name] for name in ("min_price", "max_price") if cleaned.get(name) is not None}
        if self.errors:
            return cleaned
        try:
            parse(raw, strict=True)
        except BadTariff as bad:
            name = bad.field.partition("[")[0].partition(".")[0]
            self.add_error(name if name in self.fields else None, str(bad))
        starts, ends = cleaned.get("valid_from"), cleaned.get("valid_until")
        if starts and ends and ends <= starts:
            self.add_error("valid_until", _("Give a moment after the start."))
        return cleaned

    def _simple(self, cleaned: dict[str, Any]) -> list[dict[str, Any]]:
        vat: Decimal | None = cleaned.get("vat")
        prices = {
            "ENERGY": cleaned.get("per_kwh"),
            "FLAT": cleaned.get("start_fee"),
            "PARKING_TIME": cleaned.get("per_hour_parked"),
        }
        return [
            {"type": kind, "price": float(price), "step_size": 1}
            | ({"vat": float(vat)} if vat is not None else {})
            for kind, price in prices.items()
            if price is not None
        ]
