"""What a command brings is sealed until it is sent; reservations; the list of a station's commands has its index."""

import django.db.models.deletion
import orjson
from django.conf import settings
from django.db import migrations, models

from stations.ocpp import masking
from stations.sealing import seal

OPEN = ["asked", "active", "unknown"]


def seal_what_waits(apps, schema_editor):
    """Rows from before, which still hold a token or a password as it is: a few minutes' worth at most."""
    Command = apps.get_model("stations", "Command")
    for command in Command.objects.filter(state="queued").iterator():
        masked = masking.mask_payload(command.action, command.payload)
        if masked != command.payload:
            command.sealed_payload = seal(orjson.dumps(command.payload).decode())
            command.payload = masked
            command.save(update_fields=["payload", "sealed_payload"])


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0006_diagnostics"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("command", "sealed_payload", models.TextField(blank=True)),
        migrations.AlterField(
            "command",
            "station",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="commands",
                to="stations.station",
            ),
        ),
        migrations.AddIndex("command", models.Index(fields=["station", "-id"], name="command_station")),
        migrations.CreateModel(
            name="Reservation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evse_number", models.PositiveSmallIntegerField()),
                ("reservation_id", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("active", "reserved"),
                            ("refused", "refused"),
                            ("unknown", "unknown"),
                            ("used", "used"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                            ("removed", "removed by the station"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                (
                    "refusal",
                    models.CharField(
                        blank=True, help_text="The word of the station: Occupied, ...", max_length=20
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "cancel_command",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="stations.command",
                    ),
                ),
                (
                    "command",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="stations.command",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reservations",
                        to="stations.chargingsession",
                    ),
                ),
                (
                    "station",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reservations",
                        to="stations.station",
                    ),
                ),
                (
                    "token",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="reservations",
                        to="stations.token",
                    ),
                ),
            ],
            options={
                "verbose_name": "reservation",
                "verbose_name_plural": "reservations",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddIndex(
            "reservation",
            models.Index(
                condition=models.Q(("state__in", OPEN)), fields=["station"], name="reservation_open"
            ),
        ),
        migrations.AddIndex(
            "reservation",
            models.Index(
                condition=models.Q(("state__in", OPEN)), fields=["expires_at"], name="reservation_due"
            ),
        ),
        migrations.AddConstraint(
            "reservation",
            models.UniqueConstraint(fields=("station", "reservation_id"), name="reservation_id_once"),
        ),
        migrations.RunPython(seal_what_waits, migrations.RunPython.noop),
    ]
