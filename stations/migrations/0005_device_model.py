import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0004_security"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ConfigurationChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('component', models.CharField(blank=True, help_text='2.x: component, with instance and EVSE', max_length=150)),
                ('name', models.CharField(max_length=150)),
                ('component_name', models.CharField(blank=True, max_length=50)),
                ('component_instance', models.CharField(blank=True, max_length=50)),
                ('evse_number', models.PositiveIntegerField(blank=True, null=True)),
                ('connector_number', models.PositiveIntegerField(blank=True, null=True)),
                ('variable_name', models.CharField(blank=True, max_length=50)),
                ('variable_instance', models.CharField(blank=True, max_length=50)),
                ('attribute', models.CharField(choices=[('Actual', 'actual'), ('Target', 'target'), ('MinSet', 'lowest to set'), ('MaxSet', 'highest to set')], default='Actual', max_length=6)),
                ('before', models.TextField(blank=True)),
                ('value', models.TextField(blank=True)),
                ('sealed_value', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('asked', 'asked'), ('accepted', 'accepted'), ('reboot', 'accepted, counts after a restart'), ('same', 'was so already'), ('read_only', 'cannot be changed there'), ('rejected', 'rejected'), ('missing', 'the station does not have it'), ('failed', 'failed'), ('unknown', 'no answer: unknown'), ('expired', 'not sent in time'), ('cancelled', 'cancelled')], default='waiting', max_length=9)),
                ('reason', models.CharField(blank=True, max_length=600)),
                ('requested_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ConfigurationRollout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template_name', models.CharField(max_length=100)),
                ('state', models.CharField(choices=[('running', 'running'), ('done', 'done'), ('cancelled', 'cancelled')], default='running', max_length=9)),
                ('requested_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'roll-out',
                'verbose_name_plural': 'roll-outs',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ConfigurationTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('family', models.CharField(choices=[('1.6', 'OCPP 1.6'), ('2.x', 'OCPP 2.0.1, 2.1')], max_length=3, verbose_name='for')),
                ('changed_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'configuration template',
                'verbose_name_plural': 'configuration templates',
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='DeviceReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('values', 'values'), ('monitors', 'monitors')], default='values', max_length=8)),
                ('request_id', models.BigIntegerField(null=True)),
                ('state', models.CharField(choices=[('asked', 'asked'), ('coming', 'coming in'), ('complete', 'complete'), ('failed', 'failed')], default='asked', max_length=8)),
                ('parts', models.JSONField(default=list)),
                ('last_part', models.PositiveIntegerField(null=True)),
                ('values_read', models.PositiveIntegerField(default=0)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('asked_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='RolloutStation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('asked', 'asked'), ('done', 'done'), ('same', 'nothing to change'), ('failed', 'not all done'), ('cancelled', 'cancelled')], default='waiting', max_length=9)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['station__identity'],
            },
        ),
        migrations.CreateModel(
            name='TemplateEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('component', models.CharField(blank=True, help_text='2.x: component, with instance and EVSE', max_length=150)),
                ('name', models.CharField(max_length=150)),
                ('component_name', models.CharField(blank=True, max_length=50)),
                ('component_instance', models.CharField(blank=True, max_length=50)),
                ('evse_number', models.PositiveIntegerField(blank=True, null=True)),
                ('connector_number', models.PositiveIntegerField(blank=True, null=True)),
                ('variable_name', models.CharField(blank=True, max_length=50)),
                ('variable_instance', models.CharField(blank=True, max_length=50)),
                ('attribute', models.CharField(choices=[('Actual', 'actual'), ('Target', 'target'), ('MinSet', 'lowest to set'), ('MaxSet', 'highest to set')], default='Actual', max_length=6)),
                ('value', models.TextField(blank=True)),
                ('sealed_value', models.TextField(blank=True)),
            ],
            options={
                'ordering': ['component', 'name', 'attribute'],
            },
        ),
        migrations.CreateModel(
            name='VariableMonitor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('component', models.CharField(blank=True, help_text='2.x: component, with instance and EVSE', max_length=150)),
                ('name', models.CharField(max_length=150)),
                ('component_name', models.CharField(blank=True, max_length=50)),
                ('component_instance', models.CharField(blank=True, max_length=50)),
                ('evse_number', models.PositiveIntegerField(blank=True, null=True)),
                ('connector_number', models.PositiveIntegerField(blank=True, null=True)),
                ('variable_name', models.CharField(blank=True, max_length=50)),
                ('variable_instance', models.CharField(blank=True, max_length=50)),
                ('number', models.BigIntegerField(null=True)),
                ('kind', models.CharField(max_length=20)),
                ('value', models.FloatField()),
                ('severity', models.PositiveSmallIntegerField()),
                ('only_in_transactions', models.BooleanField(default=False)),
                ('made_by', models.CharField(blank=True, max_length=21)),
                ('state', models.CharField(choices=[('asked', 'asked'), ('set', 'set'), ('refused', 'refused'), ('clearing', 'being removed')], default='set', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=600)),
                ('read_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['severity', 'component', 'name'],
            },
        ),
        migrations.AlterModelOptions(
            name='configurationvalue',
            options={'ordering': ['component', 'name', 'attribute']},
        ),
        migrations.RemoveConstraint(
            model_name='configurationvalue',
            name='configuration_once',
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='attribute',
            field=models.CharField(choices=[('Actual', 'actual'), ('Target', 'target'), ('MinSet', 'lowest to set'), ('MaxSet', 'highest to set')], default='Actual', max_length=6),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='choices',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='component_instance',
            field=models.CharField(blank=True, max_length=50),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='component_name',
            field=models.CharField(blank=True, max_length=50),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='connector_number',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='constant',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='data_type',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='evse_number',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='is_derived',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='is_unknown',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='max_limit',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='min_limit',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='mutability',
            field=models.CharField(blank=True, max_length=9),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='persistent',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='reboot_asked_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='supports_monitoring',
            field=models.BooleanField(null=True),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='unit',
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='variable_instance',
            field=models.CharField(blank=True, max_length=50),
        ),
        migrations.AddField(
            model_name='configurationvalue',
            name='variable_name',
            field=models.CharField(blank=True, max_length=50),
        ),
        migrations.AddConstraint(
            model_name='configurationvalue',
            constraint=models.UniqueConstraint(fields=('station', 'component', 'name', 'attribute'), name='configuration_once'),
        ),
        migrations.AddField(
            model_name='configurationchange',
            name='command',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command'),
        ),
        migrations.AddField(
            model_name='configurationchange',
            name='requested_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='configurationchange',
            name='station',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='configuration_changes', to='stations.station'),
        ),
        migrations.AddField(
            model_name='configurationrollout',
            name='operator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='configuration_rollouts', to='stations.operator'),
        ),
        migrations.AddField(
            model_name='configurationrollout',
            name='requested_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='configurationtemplate',
            name='operator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='configuration_templates', to='stations.operator'),
        ),
        migrations.AddField(
            model_name='configurationrollout',
            name='template',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='rollouts', to='stations.configurationtemplate'),
        ),
        migrations.AddField(
            model_name='devicereading',
            name='command',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command'),
        ),
        migrations.AddField(
            model_name='devicereading',
            name='station',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='device_readings', to='stations.station'),
        ),
        migrations.AddField(
            model_name='rolloutstation',
            name='rollout',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stations', to='stations.configurationrollout'),
        ),
        migrations.AddField(
            model_name='rolloutstation',
            name='station',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rollouts', to='stations.station'),
        ),
        migrations.AddField(
            model_name='configurationchange',
            name='run',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='stations.rolloutstation'),
        ),
        migrations.AddField(
            model_name='templateentry',
            name='template',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='stations.configurationtemplate'),
        ),
        migrations.AddField(
            model_name='variablemonitor',
            name='command',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command'),
        ),
        migrations.AddField(
            model_name='variablemonitor',
            name='station',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='monitors', to='stations.station'),
        ),
        migrations.AddConstraint(
            model_name='configurationtemplate',
            constraint=models.UniqueConstraint(fields=('operator', 'name'), name='template_name_once'),
        ),
        migrations.AddIndex(
            model_name='devicereading',
            index=models.Index(fields=['station', 'kind', '-id'], name='device_reading_station'),
        ),
        migrations.AddIndex(
            model_name='rolloutstation',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'asked'])), fields=['rollout'], name='rollout_station_open'),
        ),
        migrations.AddConstraint(
            model_name='rolloutstation',
            constraint=models.UniqueConstraint(fields=('rollout', 'station'), name='rollout_station_once'),
        ),
        migrations.AddIndex(
            model_name='configurationchange',
            index=models.Index(fields=['station', '-id'], name='change_station'),
        ),
        migrations.AddIndex(
            model_name='configurationchange',
            index=models.Index(condition=models.Q(('state__in', ['waiting', 'asked'])), fields=['command'], name='change_open'),
        ),
        migrations.AddConstraint(
            model_name='templateentry',
            constraint=models.UniqueConstraint(fields=('template', 'component', 'name', 'attribute'), name='template_entry_once'),
        ),
        migrations.AddConstraint(
            model_name='variablemonitor',
            constraint=models.UniqueConstraint(condition=models.Q(('number__isnull', False)), fields=('station', 'number'), name='monitor_once'),
        ),
    ]
