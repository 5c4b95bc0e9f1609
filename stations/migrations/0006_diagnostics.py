import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0005_device_model"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ConnectionHealth",
            fields=[
                (
                    "station",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="connection_health",
                        serialize=False,
                        to="stations.station",
                    ),
                ),
                ("measured_at", models.DateTimeField()),
                ("connections", models.PositiveIntegerField(default=0)),
                ("answers", models.PositiveIntegerField(default=0)),
                ("answer_p95_ms", models.FloatField(null=True)),
                ("bad_frames", models.PositiveIntegerField(default=0)),
                ("clock_offset_s", models.FloatField(null=True)),
            ],
            options={
                "verbose_name": "health of a connection",
                "verbose_name_plural": "health of connections",
            },
        ),
        migrations.CreateModel(
            name="ConnectionSpan",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("connection", models.UUIDField(unique=True)),
                ("gateway", models.UUIDField()),
                (
                    "ocpp_version",
                    models.CharField(
                        choices=[("1.6", "OCPP 1.6"), ("2.0.1", "OCPP 2.0.1"), ("2.1", "OCPP 2.1")],
                        max_length=5,
                    ),
                ),
                (
                    "address",
                    models.CharField(blank=True, help_text="Of the other end of the socket", max_length=64),
                ),
                ("connected_at", models.DateTimeField()),
                ("disconnected_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=100)),
                ("clock_offset_s", models.FloatField(null=True)),
                ("clock_seen_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "connection",
                "verbose_name_plural": "connections",
                "ordering": ["-connected_at"],
            },
        ),
        migrations.CreateModel(
            name="FirmwareImage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("version", models.CharField(max_length=50, verbose_name="version")),
                ("name", models.CharField(max_length=120)),
                ("file", models.CharField(max_length=200)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("notes", models.TextField(blank=True, verbose_name="notes")),
                ("uploaded_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "firmware",
                "verbose_name_plural": "firmware",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="FirmwareUpdate",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("request_id", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("busy", "busy"),
                            ("installed", "installed"),
                            ("failed", "failed"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("said", models.CharField(blank=True, max_length=40)),
                ("said_at", models.DateTimeField(null=True)),
                ("steps", models.JSONField(default=list)),
                ("asked_at", models.DateTimeField()),
                ("sent_bytes", models.BigIntegerField(default=0)),
            ],
            options={
                "verbose_name": "firmware update",
                "verbose_name_plural": "firmware updates",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="UploadTicket",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(choices=[("log", "log"), ("diagnostics", "diagnostics")], max_length=12),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "asked"),
                            ("uploading", "uploading"),
                            ("received", "received"),
                            ("failed", "failed"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("request_id", models.BigIntegerField(null=True)),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("said", models.CharField(blank=True, max_length=40)),
                ("said_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField(null=True)),
                ("problem", models.CharField(blank=True, max_length=200)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("file", models.CharField(blank=True, max_length=200)),
                ("size", models.BigIntegerField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name": "file of a station",
                "verbose_name_plural": "files of stations",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(fields=["answered_at"], name="command_answered"),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("kind__in", ["bad_frame", "booted", "ocpp_changed"])),
                fields=["station", "-id"],
                name="event_history",
            ),
        ),
        migrations.AddIndex(
            model_name="frame",
            index=models.Index(fields=["station", "message_id"], name="frame_message"),
        ),
        migrations.AddField(
            model_name="connectionspan",
            name="station",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="connection_spans",
                to="stations.station",
            ),
        ),
        migrations.AddField(
            model_name="firmwareimage",
            name="operator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="firmware_images",
                to="stations.operator",
            ),
        ),
        migrations.AddField(
            model_name="firmwareimage",
            name="uploaded_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="firmwareupdate",
            name="command",
            field=models.OneToOneField(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="stations.command",
            ),
        ),
        migrations.AddField(
            model_name="firmwareupdate",
            name="image",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="updates",
                to="stations.firmwareimage",
            ),
        ),
        migrations.AddField(
            model_name="firmwareupdate",
            name="station",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="firmware_updates",
                to="stations.station",
            ),
        ),
        migrations.AddField(
            model_name="uploadticket",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="uploadticket",
            name="station",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="upload_tickets",
                to="stations.station",
            ),
        ),
        migrations.AddIndex(
            model_name="connectionspan",
            index=models.Index(fields=["station", "connected_at"], name="connection_station"),
        ),
        migrations.AddIndex(
            model_name="connectionspan",
            index=models.Index(
                condition=models.Q(("disconnected_at", None)), fields=["station"], name="connection_open"
            ),
        ),
        migrations.AddIndex(
            model_name="connectionspan",
            index=models.Index(fields=["connected_at"], name="connection_age"),
        ),
        migrations.AddIndex(
            model_name="firmwareupdate",
            index=models.Index(fields=["station", "-id"], name="firmware_update_station"),
        ),
        migrations.AddIndex(
            model_name="uploadticket",
            index=models.Index(fields=["station", "-id"], name="upload_station"),
        ),
    ]
