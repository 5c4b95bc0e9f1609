"""The pages of notices: the list, the way to what each is about, and how they come by mail."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.models import User
from portal.notices import leaving
from portal.notices.forms import MailForm
from portal.notices.models import MailChoice, Notice, NoticeQuerySet
from portal.notices.notice_list import NOTICES, NoticeFilter
from portal.notices.words import said
from portal.tables.listing import Listing


def _own(request: HttpRequest) -> NoticeQuerySet:
    return Notice.objects.of(cast("User", request.user))


@require_safe
def notice_list(request: HttpRequest) -> HttpResponseBase:
    form = NoticeFilter(request.GET)
    listing = Listing(NOTICES, request, form.narrow(_own(request)), filters=form)
    if answer := listing.answer():
        return answer
    newest = listing.lines[0].notice.pk if listing.lines else 0
    return render(request, "notices/list.html", {"listing": listing, "until": newest})


@require_safe
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """To what it is about. Whoever follows it has read it."""
    notice = get_object_or_404(_own(request), pk=pk)
    _mark(_own(request).filter(pk=pk))
    return redirect(said(notice).path)


@require_POST
def mark_read(request: HttpRequest, pk: int) -> HttpResponse:
    get_object_or_404(_own(request), pk=pk)
    _mark(_own(request).filter(pk=pk))
    return redirect("notices:list")


@require_POST
def mark_all_read(request: HttpRequest) -> HttpResponse:
    """All that there was when the page was made; what came meanwhile stays unread."""
    until = request.POST.get("until", "")
    rows = (
        _own(request).filter(pk__lte=int(until)) if until.isdecimal() and len(until) < 19 else _own(request)
    )
    count = _mark(rows)
    text = ngettext("%(n)d notice is read now.", "%(n)d notices are read now.", count) % {"n": count}
    messages.success(request, text)
    return redirect("notices:list")


def _mark(rows: NoticeQuerySet) -> int:
    keys = list(rows.unread().values_list("pk", flat=True))
    return Notice.objects.filter(pk__in=keys, read_at__isnull=True).update(read_at=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    ways = leaving.ways_of(user.pk)
    form = MailForm(request.POST if request.method == "POST" else None, ways=ways)
    if form.is_bound and form.is_valid():
        for kind, way in form.chosen.items():
            MailChoice.objects.update_or_create(user=user, kind=kind, defaults={"way": way})
        messages.success(request, _("Saved."))
        return redirect("notices:preferences")
    return render(request, "notices/preferences.html", {"form": form}, status=422 if form.is_bound else 200)


@login_not_required
@csrf_exempt  # a mail program sends it, without a page before it (RFC 8058); the address itself is signed
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Out of one kind of mail by the link in it. Looking at it changes nothing: mail programs look too."""
    try:
        user_id, kind = leaving.opened(token)
        get_object_or_404(User, pk=user_id, is_active=True)
    except leaving.BadLink:
        return render(request, "notices/left.html", {"state": "bad"}, status=410)
    is_done = request.method == "POST"
    if is_done:
        leaving.leave(user_id, kind)
    return render(request, "notices/left.html", {"state": "left" if is_done else "asked", "kind": kind})
