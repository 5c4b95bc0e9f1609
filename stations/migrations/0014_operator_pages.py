"""What a person puts aside of an operator's work, and indexes for what asks for a hand among many rows."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stations', '0013_claims'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Aside',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('row', models.BigIntegerField()),
                ('level', models.PositiveSmallIntegerField()),
                ('reason', models.CharField(max_length=200, verbose_name='reason')),
                ('until', models.DateTimeField(verbose_name='until')),
                ('put_at', models.DateTimeField()),
                ('operator', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='asides', to='stations.operator')),
                ('put_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('station', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='asides', to='stations.station')),
            ],
            options={
                'verbose_name': 'work that was put aside',
                'verbose_name_plural': 'work that was put aside',
                'ordering': ['until'],
                'constraints': [models.UniqueConstraint(fields=('operator', 'kind', 'row'), name='aside_once')],
            },
        ),
        migrations.AddIndex(
            model_name='chargingsession',
            index=models.Index(condition=models.Q(models.Q(('import_fall', ''), _negated=True), models.Q(('export_fall', ''), _negated=True), _connector='OR'), fields=['started_at'], name='session_fell'),
        ),
        migrations.AddIndex(
            model_name='command',
            index=models.Index(condition=models.Q(('requested_by__isnull', False), ('state__in', ['failed', 'unknown', 'expired'])), fields=['requested_at'], name='command_in_vain'),
        ),
        migrations.AddIndex(
            model_name='connector',
            index=models.Index(condition=models.Q(('status', 'Faulted')), fields=['evse'], name='connector_faulted'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(condition=models.Q(('kind__in', ['security', 'device_event'])), fields=['recorded_at'], name='event_alarm'),
        ),
    ]
