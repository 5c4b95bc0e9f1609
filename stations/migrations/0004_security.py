"""Security profiles, certificates of stations, and changes of their passwords."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0003_authorisation"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name='station',
            name='security_profile',
            field=models.PositiveSmallIntegerField(choices=[(0, 'not asked'), (1, '1: password'), (2, '2: password over TLS'), (3, '3: client certificate over TLS')], default=0, verbose_name='security profile'),
        ),
        migrations.CreateModel(
            name='InstalledCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('use', models.CharField(max_length=40)),
                ('state', models.CharField(choices=[('asked', 'asked to install'), ('installed', 'installed'), ('refused', 'refused'), ('unknown', 'unknown'), ('deleting', 'asked to delete'), ('deleted', 'no longer there')], default='asked', max_length=10)),
                ('hash_algorithm', models.CharField(blank=True, max_length=10)),
                ('issuer_name_hash', models.CharField(blank=True, max_length=128)),
                ('issuer_key_hash', models.CharField(blank=True, max_length=128)),
                ('serial_number', models.CharField(blank=True, max_length=40)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('not_after', models.DateTimeField(blank=True, null=True)),
                ('requested_at', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('warned_at', models.DateTimeField(blank=True, null=True)),
                ('command', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command')),
                ('station', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='installed_certificates', to='stations.station')),
            ],
            options={
                'verbose_name': 'installed certificate',
                'verbose_name_plural': 'installed certificates',
                'ordering': ['use', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='ProfileRaise',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wanted', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('asked', 'asked'), ('accepted', 'accepted; the station has to come back with it'), ('done', 'done: the station came back with it'), ('refused', 'refused'), ('unknown', 'unknown'), ('withdrawn', 'not sent')], default='asked', max_length=10)),
                ('step', models.CharField(blank=True, max_length=50)),
                ('requested_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('command', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command')),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('station', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='profile_raises', to='stations.station')),
            ],
            options={
                'verbose_name': 'change of security profile',
                'verbose_name_plural': 'changes of security profile',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='SecretRotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('asked', 'asked'), ('accepted', 'accepted; the station has to come back with it'), ('done', 'done: the station came back with the new password'), ('refused', 'refused: the old password stays'), ('unknown', 'unknown: both passwords are accepted until the station shows which it has'), ('withdrawn', 'not sent: the old password stays'), ('replaced', 'replaced by a later one')], default='asked', max_length=10)),
                ('hashes', models.JSONField(default=list)),
                ('requested_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('command', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command')),
                ('requested_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('station', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secret_rotations', to='stations.station')),
            ],
            options={
                'verbose_name': 'change of password',
                'verbose_name_plural': 'changes of password',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='StationCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('ChargingStationCertificate', 'to reach this portal'), ('V2GCertificate', 'for cars (ISO 15118-2)'), ('V2G20Certificate', 'for cars (ISO 15118-20)')], default='ChargingStationCertificate', max_length=30)),
                ('state', models.CharField(choices=[('requested', 'requested'), ('issued', 'issued'), ('sent', 'sent to the station'), ('accepted', 'in use'), ('rejected', 'rejected'), ('revoked', 'revoked')], default='requested', max_length=10)),
                ('request_id', models.BigIntegerField(blank=True, null=True)),
                ('csr', models.TextField(blank=True)),
                ('chain', models.TextField(blank=True)),
                ('subject', models.CharField(blank=True, max_length=200)),
                ('serial_number', models.CharField(blank=True, max_length=40)),
                ('fingerprint', models.CharField(blank=True, max_length=64)),
                ('not_before', models.DateTimeField(blank=True, null=True)),
                ('not_after', models.DateTimeField(blank=True, null=True)),
                ('reason', models.CharField(blank=True, max_length=200)),
                ('requested_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('warned_at', models.DateTimeField(blank=True, null=True)),
                ('seen_at', models.DateTimeField(blank=True, null=True)),
                ('command', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='stations.command')),
                ('station', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='certificates', to='stations.station')),
            ],
            options={
                'verbose_name': 'certificate of a station',
                'verbose_name_plural': 'certificates of stations',
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['fingerprint'], name='certificate_fingerprint')],
            },
        ),
    ]
