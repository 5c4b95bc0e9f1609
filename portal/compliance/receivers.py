"""After-effects: of events of stations, and of a probe that was asked for. They enqueue, and do nothing else."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from portal.compliance.probes import probe_queued
from portal.compliance.tasks import check_configuration, judge_again, observe_session, run_probe
from stations.events import Kind, event_recorded
from stations.models import Event


@receiver(probe_queued, dispatch_uid="compliance.run_probe")
def run_after_queued(probe_id: int, **_: Any) -> None:
    run_probe.delay(probe_id)


@receiver(event_recorded, dispatch_uid="compliance.judge")
def judge_after(event: Event, **_: Any) -> None:
    new_firmware = event.kind == Kind.BOOTED and event.data.get("firmware_changed")
    if new_firmware or event.kind == Kind.OCPP_CHANGED:
        judge_again.delay(event.station_id)
    elif event.kind == Kind.CAPABILITIES_READ:
        check_configuration.delay(event.station_id)
        judge_again.delay(event.station_id)
    elif event.kind == Kind.SESSION_ENDED:
        observe_session.delay(event.data["session"])
