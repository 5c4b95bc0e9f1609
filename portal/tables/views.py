"""Where people keep their columns and filters of a list, and are led back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal.tables import saved
from portal.tables.columns import LISTS, List
from portal.tables.forms import FilterForm
from portal.tables.listing import UNFILTERED

if TYPE_CHECKING:
    from portal.accounts.models import User


@require_POST
def choose_columns(request: HttpRequest, key: str) -> HttpResponse:
    """The columns that are ticked, from now on and in the address; with `usual` those that a list begins with."""
    definition = _list(key)
    keys = {column.key for column in definition.columns}
    chosen = [] if "usual" in request.POST else [one for one in request.POST.getlist("column") if one in keys]
    if not chosen and "usual" not in request.POST:
        chosen = [definition.columns[0].key]  # nothing is ticked: the name of each row alone
    saved.keep_columns(user=_user(request), list_key=key, columns=chosen)
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    query.pop("columns", None)
    if chosen:
        query["columns"] = ",".join(chosen)
    return _back(request, query.urlencode(safe=","))


@require_POST
def change_filters(request: HttpRequest, key: str) -> HttpResponse:
    """Keep, forget or open with a filter of one's own."""
    _list(key)
    form = FilterForm(request.POST)
    query = request.POST.get("query", "")
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return _back(request, query)
    user, name = _user(request), form.cleaned_data["name"]
    match form.cleaned_data["deed"]:
        case "save":
            _save(request, key, form)
        case "default" | "no_default" as deed:
            found = saved.open_with(user=user, list_key=key, name=name if deed == "default" else "")
            if not found:
                messages.error(request, _("The filter %(name)s is no longer there.") % {"name": name})
        case _:
            saved.forget_filter(user=user, list_key=key, name=name)
            messages.success(request, _("The filter %(name)s is removed.") % {"name": name})
    return _back(request, query)


def _save(request: HttpRequest, key: str, form: FilterForm) -> None:
    chosen = form.cleaned_data
    try:
        saved.save_filter(
            user=_user(request),
            list_key=key,
            name=chosen["name"],
            query=chosen["query"],
            is_default=chosen["is_default"],
        )
    except saved.TooMany:
        most = {"most": saved.MOST_FILTERS}
        messages.error(
            request, _("Not saved: you have %(most)d filters here already. Remove one first.") % most
        )
    else:
        messages.success(request, _("The filter %(name)s is saved.") % {"name": chosen["name"]})


def _list(key: str) -> List:
    if key not in LISTS:
        raise Http404
    return LISTS[key]


def _user(request: HttpRequest) -> User:
    return cast("User", request.user)


def _back(request: HttpRequest, query: str) -> HttpResponse:
    """To the list that the form stood on, as it was; an address of elsewhere is not followed."""
    place = request.POST.get("path", "")
    safe = place.startswith("/") and url_has_allowed_host_and_scheme(
        place, {request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(f"{place if safe else reverse('home')}?{query or UNFILTERED}")


urls = (
    [
        path("<slug:key>/kolommen/", choose_columns, name="columns"),
        path("<slug:key>/filters/", change_filters, name="filters"),
    ],
    "lists",
)
