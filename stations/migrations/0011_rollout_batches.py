"""Roll-outs: a few stations first, so many at once, and when they stop by themselves."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0010_token_evses")]

    operations = [
        migrations.AddField(
            model_name="configurationrollout",
            name="at_once",
            field=models.PositiveSmallIntegerField(default=50),
        ),
        migrations.AddField(
            model_name="configurationrollout",
            name="first_stations",
            field=models.PositiveSmallIntegerField(default=5),
        ),
        migrations.AddField(
            model_name="configurationrollout",
            name="stop_percent",
            field=models.PositiveSmallIntegerField(default=10),
        ),
        migrations.AddField(
            model_name="configurationrollout",
            name="stopped_for",
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AlterField(
            model_name="configurationrollout",
            name="state",
            field=models.CharField(
                choices=[
                    ("running", "running"),
                    ("done", "done"),
                    ("cancelled", "cancelled"),
                    ("stopped", "stopped by itself"),
                ],
                default="running",
                max_length=9,
            ),
        ),
    ]
