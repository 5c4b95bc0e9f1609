"""A low limit that stands under all others, by operator or by station."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("smartcharging", "0002_schedules"),
        ("stations", "0010_token_evses"),
    ]

    operations = [
        migrations.CreateModel(
            name="SafeLimit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "limit_a",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        default=6,
                        help_text="Every session gets this and no more, unless a default or limit per session on a higher level stands. Empty: none here.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(6),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="safe limit (A per phase)",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="safe_limits",
                        to="stations.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "station",
                    models.OneToOneField(
                        blank=True,
                        help_text="Empty: all stations of the operator that have none of their own.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="safe_limit",
                        to="stations.station",
                        verbose_name="station",
                    ),
                ),
            ],
            options={
                "verbose_name": "safe limit",
                "verbose_name_plural": "safe limits",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("station__isnull", True)),
                        fields=("operator",),
                        name="safe_limit_of_operator_once",
                    )
                ],
            },
        ),
    ]
