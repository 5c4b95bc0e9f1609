"""Tokens of the API: hashed, named and with scopes. Those of before (rest_framework.authtoken, kept in full) go on."""

import datetime as dt
from hashlib import sha256

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

BEFORE = "authtoken_token"
SCOPES = ["read", "plan", "command", "configure", "probe", "webhooks"]


def take_over(apps, schema_editor):
    """The table goes: a key in full is what nobody should find, and its rows would hold on to their people."""
    connection = schema_editor.connection
    if BEFORE not in connection.introspection.table_names():
        return
    token = apps.get_model("accounts", "ApiToken")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, user_id, created FROM {BEFORE}")
        for key, user_id, created in cursor.fetchall():
            token.objects.create(
                user_id=user_id,
                name="token of before",
                prefix=key[:8],
                digest=sha256(key.encode()).hexdigest(),
                scopes=SCOPES,
                is_whole=True,
                made_at=_aware(created),
            )
        cursor.execute(f"DROP TABLE {BEFORE}")


def _aware(moment):
    """SQLite gives a text or a naive moment, which is UTC."""
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_last_visit'),
        ('stations', '0014_operator_pages'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('prefix', models.CharField(max_length=8, verbose_name='begins with')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('scopes', models.JSONField(default=list, verbose_name='may do')),
                ('is_whole', models.BooleanField(default=False, verbose_name='for all parties of the person')),
                ('made_at', models.DateTimeField(verbose_name='made')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='works until')),
                ('last_used_at', models.DateTimeField(null=True, verbose_name='last used')),
                ('revoked_at', models.DateTimeField(null=True, verbose_name='revoked')),
                ('municipality', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stations.municipality', verbose_name='municipality')),
                ('operator', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='stations.operator', verbose_name='operator')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API token',
                'verbose_name_plural': 'API tokens',
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('operator__isnull', True), ('municipality__isnull', True), _connector='OR'), name='api_token_one_party')],
            },
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
