"""Tokens that hold at some sockets alone; and what a station was told last of a running session's cost."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stations", "0008_scale")]

    operations = [
        migrations.AddField(
            model_name="token",
            name="only_at",
            field=models.JSONField(blank=True, default=list, verbose_name="only at these sockets"),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_told",
            field=models.DecimalField(decimal_places=2, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_told_at",
            field=models.DateTimeField(null=True),
        ),
    ]
