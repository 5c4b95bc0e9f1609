from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="chargingsession",
            name="session_start_once",
        ),
        migrations.AddField(
            model_name="capabilities",
            name="ac_phase_switching",
            field=models.BooleanField(null=True, verbose_name="chooses the phase of one-phase charging"),
        ),
        migrations.AddField(
            model_name="capabilities",
            name="dynamic_profiles",
            field=models.BooleanField(null=True, verbose_name="dynamic profiles"),
        ),
        migrations.AddField(
            model_name="capabilities",
            name="local_time",
            field=models.BooleanField(null=True, verbose_name="schedules in local time"),
        ),
        migrations.AddField(
            model_name="capabilities",
            name="measurands_offered",
            field=models.JSONField(
                help_text="What it could be set to sample; 1.6 never says so.",
                null=True,
                verbose_name="measurands on offer",
            ),
        ),
        migrations.AddField(
            model_name="capabilities",
            name="operation_modes",
            field=models.JSONField(null=True, verbose_name="operation modes"),
        ),
        migrations.AddField(
            model_name="capabilities",
            name="supported_purposes",
            field=models.JSONField(null=True, verbose_name="purposes of profiles beyond those of 2.0.1"),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="export_fall",
            field=models.CharField(
                blank=True,
                choices=[
                    ("reset", "the register began again at 0"),
                    ("rollover", "the register was full and began again"),
                    ("counted_back", "the register counted back"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="import_fall",
            field=models.CharField(
                blank=True,
                choices=[
                    ("reset", "the register began again at 0"),
                    ("rollover", "the register was full and began again"),
                    ("counted_back", "the register counted back"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="over_by",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="chargingsession",
            name="state",
            field=models.CharField(
                choices=[
                    ("active", "charging"),
                    ("ended", "ended"),
                    ("orphan", "stop without start"),
                    ("unclosed", "end not received"),
                ],
                default="active",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("kind", "profiles_reported")),
                fields=["recorded_at"],
                name="event_report_age",
            ),
        ),
        migrations.AddIndex(
            model_name="chargingsession",
            index=models.Index(
                condition=models.Q(("state", "active")), fields=["station"], name="session_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="chargingsession",
            constraint=models.UniqueConstraint(
                condition=models.Q(("start_import_wh__isnull", False)),
                fields=(
                    "station",
                    "evse_number",
                    "connector_number",
                    "token_digest",
                    "started_at",
                    "start_import_wh",
                ),
                name="session_start_once",
            ),
        ),
    ]
