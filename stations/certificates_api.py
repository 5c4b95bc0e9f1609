"""The API of certificates: a station's own, and the roots that it trusts. For who works for its operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from stations import certificates
from stations.api import QueuedSerializer, visitor
from stations.models import InstalledCertificate, Station, StationCertificate
from stations.scopes import Scope

T = TypeVar("T")


class OwnCertificateSerializer(serializers.ModelSerializer[StationCertificate]):
    """A certificate that a station asked for, or that was made known here. `chain`: PEM, its own first."""

    class Meta:
        model = StationCertificate
        fields = (
            "id", "kind", "state", "reason", "subject", "serial_number", "fingerprint", "not_before", "not_after",
            "chain", "requested_at", "settled_at", "seen_at",
        )  # fmt: skip


class RootSerializer(serializers.ModelSerializer[InstalledCertificate]):
    """A root that a station trusts, by the hashes that OCPP names it with; subject and end where it came from here."""

    class Meta:
        model = InstalledCertificate
        fields = (
            "id", "use", "state", "subject", "not_after", "hash_algorithm", "issuer_name_hash", "issuer_key_hash",
            "serial_number", "command", "requested_at", "read_at",
        )  # fmt: skip


class PemSerializer(serializers.Serializer[Any]):
    pem = serializers.CharField(help_text="One certificate in PEM form, without its private key.")


class NewRootSerializer(PemSerializer):
    use = serializers.CharField(
        max_length=40, help_text="As the station's version names it, CSMSRootCertificate say."
    )


class RevocationSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


def _operable(request: Request, identity: str) -> Station:
    station: Station = get_object_or_404(Station.objects.operable_by(visitor(request)), identity=identity)
    return station


def _asked(deed: Callable[[], T], *, field: str = "pem") -> T:
    """What cannot be asked is a 400 that says why."""
    try:
        return deed()
    except certificates.NotPossible as problem:
        raise ValidationError({field: [str(problem)]}) from problem


def _said(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    said: dict[str, Any] = asked.validated_data
    return said


class OwnCertificatesView(generics.ListAPIView[StationCertificate]):
    """Certificates of a station itself, newest first."""

    scope = Scope.CONFIGURE
    serializer_class = OwnCertificateSerializer
    queryset = StationCertificate.objects.none()

    def get_queryset(self) -> QuerySet[StationCertificate]:
        stations = Station.objects.worked_on_by(visitor(self.request))
        station = get_object_or_404(stations, identity=self.kwargs["id"])
        return StationCertificate.objects.filter(station=station)

    @extend_schema(request=PemSerializer, responses={201: OwnCertificateSerializer})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - the name in the address
        """Make a certificate known that the station has from its maker: it opens the portal from now on."""
        station, pem = _operable(request, id), _said(PemSerializer, request)["pem"]
        row = _asked(lambda: certificates.register(station=station, pem=pem, now=timezone.now()))
        return Response(OwnCertificateSerializer(row).data, status=status.HTTP_201_CREATED)


class RenewCertificateView(generics.GenericAPIView[StationCertificate]):
    scope = Scope.CONFIGURE
    serializer_class = QueuedSerializer
    queryset = StationCertificate.objects.none()

    @extend_schema(request=None, responses={202: QueuedSerializer})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - as above
        """Have the station make a new key and ask for a certificate (SignChargingStationCertificate)."""
        station, now = _operable(request, id), timezone.now()
        command = _asked(
            lambda: certificates.ask_to_renew(station=station, requested_by=request.user, now=now),
            field="detail",
        )
        return Response({"id": command.pk}, status=status.HTTP_202_ACCEPTED)


class RevokeCertificateView(generics.GenericAPIView[StationCertificate]):
    scope = Scope.CONFIGURE
    serializer_class = RevocationSerializer
    queryset = StationCertificate.objects.none()

    @extend_schema(request=RevocationSerializer, responses={200: OwnCertificateSerializer, 409: None})
    def post(self, request: Request, id: str, pk: str) -> Response:  # noqa: A002 - as above
        """It opens nothing any more, and a socket that it opened is closed. 409: rejected or revoked already."""
        station, reason = _operable(request, id), _said(RevocationSerializer, request)["reason"]
        row = get_object_or_404(StationCertificate, pk=pk, station=station)
        if not certificates.revoke(certificate=row, reason=reason, now=timezone.now()):
            detail = "It was rejected or revoked already."
            return Response({"detail": detail}, status=status.HTTP_409_CONFLICT)
        row.refresh_from_db()
        return Response(OwnCertificateSerializer(row).data)


class RootsView(generics.ListAPIView[InstalledCertificate]):
    """The roots that a station trusts, as installed from here or read of it; those that are gone are left out."""

    scope = Scope.CONFIGURE
    serializer_class = RootSerializer
    queryset = InstalledCertificate.objects.none()

    def get_queryset(self) -> QuerySet[InstalledCertificate]:
        stations = Station.objects.worked_on_by(visitor(self.request))
        station = get_object_or_404(stations, identity=self.kwargs["id"])
        rows = InstalledCertificate.objects.filter(station=station)
        return rows.exclude(state=InstalledCertificate.State.DELETED)

    @extend_schema(request=NewRootSerializer, responses={202: RootSerializer})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - as above
        """Have the station trust a root (InstallCertificate); its `state` tells what came of it."""
        station, said = _operable(request, id), _said(NewRootSerializer, request)
        if said["use"] not in certificates.USES[station.ocpp_version]:
            known = ", ".join(certificates.USES[station.ocpp_version])
            raise ValidationError({"use": [f"OCPP {station.ocpp_version} knows: {known}."]})
        now = timezone.now()
        row = _asked(
            lambda: certificates.install(station=station, requested_by=request.user, now=now, **said)
        )
        return Response(RootSerializer(row).data, status=status.HTTP_202_ACCEPTED)


class RootView(generics.GenericAPIView[InstalledCertificate]):
    scope = Scope.CONFIGURE
    serializer_class = RootSerializer
    queryset = InstalledCertificate.objects.none()

    @extend_schema(responses={202: QueuedSerializer})
    def delete(self, request: Request, id: str, pk: str) -> Response:  # noqa: A002 - as above
        """Have the station trust it no longer (DeleteCertificate)."""
        station, now = _operable(request, id), timezone.now()
        row = get_object_or_404(InstalledCertificate, pk=pk, station=station)
        command = _asked(
            lambda: certificates.delete(installed=row, requested_by=request.user, now=now), field="detail"
        )
        return Response({"id": command.pk}, status=status.HTTP_202_ACCEPTED)


class ReadRootsView(generics.GenericAPIView[InstalledCertificate]):
    scope = Scope.CONFIGURE
    serializer_class = QueuedSerializer
    queryset = InstalledCertificate.objects.none()

    @extend_schema(request=None, responses={202: QueuedSerializer(many=True)})
    def post(self, request: Request, id: str) -> Response:  # noqa: A002 - as above
        """Ask which roots stand on it (GetInstalledCertificateIds); 1.6 is asked for one use at a time."""
        station = _operable(request, id)
        queued = certificates.read_back(station=station, requested_by=request.user, now=timezone.now())
        return Response([{"id": command.pk} for command in queued], status=status.HTTP_202_ACCEPTED)
