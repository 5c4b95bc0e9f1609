"""Files of stations and firmware for them, as who works for the operator sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from portal.accounts.models import User
from portal.pages.file_list import FILES, FileFilter
from portal.pages.file_responses import file_response
from portal.pages.firmware_list import FIRMWARE, ImageFilter
from portal.pages.firmware_update_list import FIRMWARE_UPDATES, UpdateFilter
from portal.pages.station import page, visit_as_staff
from portal.tables.listing import Listing
from portal.templatetags.measures import megabytes
from stations import uploads
from stations.models import FirmwareImage, FirmwareUpdate, Operator, UploadTicket

ENDINGS = (
    "bin", "deb", "fw", "gz", "hex", "img", "pkg", "raucb", "signed", "swu", "tar", "tgz", "upd", "xz", "zip"
)  # fmt: skip


@require_safe
@vary_on_headers("HX-Request")
def files(request: HttpRequest, identity: str) -> HttpResponseBase:
    """What was asked of the station, and how far it is with it."""
    visited = visit_as_staff(request, identity)
    asked = UploadTicket.objects.filter(station=visited.station).select_related("requested_by", "station")
    form = FileFilter(request.GET)
    listing = Listing(FILES, request, form.narrow(asked), filters=form)
    if answer := listing.answer():
        return answer
    context = {"listing": listing, "kept_days": settings.UPLOAD_RETENTION_DAYS}
    return page(request, visited, "files", context)


@require_safe
@vary_on_headers("HX-Request")
def firmware_updates(request: HttpRequest, identity: str) -> HttpResponseBase:
    """Which firmware the station was asked to take, and how far each update came."""
    visited = visit_as_staff(request, identity)
    asked = FirmwareUpdate.objects.filter(station=visited.station).select_related("image")
    form = UpdateFilter(request.GET)
    listing = Listing(FIRMWARE_UPDATES, request, form.narrow(asked), filters=form)
    return listing.answer() or page(request, visited, "firmware_updates", {"listing": listing})


@require_safe
def file(request: HttpRequest, identity: str, pk: int) -> HttpResponse | StreamingHttpResponse:
    """One file as a download; whatever is in it, no browser shows it."""
    visited = visit_as_staff(request, identity)
    row = get_object_or_404(UploadTicket.objects.exclude(file=""), station=visited.station, pk=pk)
    path = uploads.place(row.file)
    if not path.is_file():
        raise Http404
    return file_response(request, path, name=f"{identity}-{row.name}", sha256=row.sha256)


# ---------------------------------------------------------------- firmware


class FirmwareForm(forms.Form):
    """Made with the operators that the visitor may operate."""

    operator = forms.ModelChoiceField(
        queryset=Operator.objects.none(), label=gettext_lazy("Operator"), empty_label=None
    )
    version = forms.CharField(max_length=50, label=gettext_lazy("Version"))
    file = forms.FileField(label=gettext_lazy("File"), max_length=120)
    notes = forms.CharField(
        required=False, max_length=1000, label=gettext_lazy("Notes"), widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args: Any, operators: QuerySet[Operator], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ModelChoiceField[Operator]", self.fields["operator"])
        field.queryset = operators

    def clean_file(self) -> UploadedFile[Any]:
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if Path(file.name or "").suffix.lower().removeprefix(".") not in ENDINGS:
            raise forms.ValidationError(
                _("Choose a file that ends in one of: %(endings)s.") % {"endings": ", ".join(ENDINGS)}
            )
        if (file.size or 0) > settings.FIRMWARE_MAX_BYTES:
            most = megabytes(settings.FIRMWARE_MAX_BYTES)
            raise forms.ValidationError(_("This file is too large: at most %(most)s.") % {"most": most})
        return file


@require_http_methods(["GET", "HEAD", "POST"])
def firmware(request: HttpRequest) -> HttpResponseBase:
    """The images of the operators that the visitor works for; who operates may add one."""
    user = cast("User", request.user)
    operators = Operator.objects.operable_by(user)
    may_add = operators.exists()
    if request.method != "POST":
        return _firmware(request, FirmwareForm(operators=operators) if may_add else None)
    if not may_add:
        raise Http404
    form = FirmwareForm(request.POST, request.FILES, operators=operators)
    if not form.is_valid():
        return _firmware(request, form, status=422)
    try:
        _add(form, user)
    except uploads.Refused as refused:
        form.add_error("file", refused.text)
        return _firmware(request, form, status=refused.status)
    messages.success(request, _("The firmware can now be sent to stations."))
    return redirect("firmware")


def _add(form: FirmwareForm, user: User) -> None:
    chosen, file = form.cleaned_data, form.cleaned_data["file"]
    place = f"firmware/{uuid4()}"
    kept = uploads.keep(file.chunks(uploads.CHUNK_BYTES), file=place, most=settings.FIRMWARE_MAX_BYTES)
    FirmwareImage.objects.create(
        operator=chosen["operator"],
        version=chosen["version"],
        name=uploads.safe_name(file.name),
        file=kept.file,
        size=kept.size,
        sha256=kept.sha256,
        notes=chosen["notes"],
        uploaded_by=user,
        uploaded_at=timezone.now(),
    )


def _firmware(request: HttpRequest, form: FirmwareForm | None, *, status: int = 200) -> HttpResponseBase:
    user = cast("User", request.user)
    own = FirmwareImage.objects.operable_by(user).filter(pk=OuterRef("pk"))
    state = FirmwareUpdate.State
    rows = (
        FirmwareImage.objects.worked_on_by(user)
        .select_related("operator", "uploaded_by")
        .annotate(
            installed=Count("updates", filter=Q(updates__state=state.INSTALLED)),
            failed=Count("updates", filter=Q(updates__state=state.FAILED)),
            open=Count("updates", filter=Q(updates__state__in=FirmwareUpdate.OPEN)),
            may_remove=Exists(own),
        )
    )
    chosen = ImageFilter(request.GET)
    listing = Listing(FIRMWARE, request, chosen.narrow(rows), filters=chosen)
    if request.method != "POST" and (answer := listing.answer()):
        return answer
    context = {
        "form": form,
        "listing": listing,
        "most": settings.FIRMWARE_MAX_BYTES,
        "endings": ", ".join(ENDINGS),
        "crumbs": [(_("Connections"), reverse("connections")), (_("Firmware"), "")],
    }
    return render(request, "pages/firmware.html", context, status=status)


@require_POST
def firmware_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """No longer offered: links to it say so."""
    image = get_object_or_404(FirmwareImage.objects.operable_by(request.user), pk=pk)
    image.delete()
    uploads.place(image.file).unlink(missing_ok=True)
    messages.success(request, _("The firmware is no longer offered."))
    return redirect("firmware")
