"""Links of cards to drivers, and from when on a driver sees the sessions of a card."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stations', '0012_audit'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='token',
            name='held_since',
            field=models.DateTimeField(blank=True, null=True, verbose_name="the driver's since"),
        ),
        migrations.CreateModel(
            name='TokenClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('way', models.CharField(choices=[('code', 'code of the operator'), ('charge', 'charge at a station')], max_length=6)),
                ('state', models.CharField(choices=[('open', 'waiting'), ('linked', 'linked'), ('refused', 'refused'), ('expired', 'expired'), ('withdrawn', 'withdrawn'), ('undone', 'undone')], default='open', max_length=9)),
                ('refusal', models.CharField(blank=True, choices=[('taken', 'linked to another account'), ('own', 'linked to this account already'), ('blocked', 'blocked')], max_length=7)),
                ('token_digest', models.CharField(blank=True, max_length=64)),
                ('code_digest', models.CharField(blank=True, max_length=64)),
                ('held_since', models.DateTimeField(null=True)),
                ('made_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
                ('undone_at', models.DateTimeField(null=True)),
                ('issued_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('session', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='claims', to='stations.chargingsession')),
                ('station', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='claims', to='stations.station')),
                ('token', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='claims', to='stations.token')),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='token_claims', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'link of a card',
                'verbose_name_plural': 'links of cards',
                'ordering': ['-made_at', '-pk'],
                'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['expires_at'], name='claim_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open'), ('way', 'code')), fields=('token',), name='claim_one_code'), models.UniqueConstraint(condition=models.Q(('state', 'open'), ('way', 'charge')), fields=('user',), name='claim_one_charge'), models.UniqueConstraint(condition=models.Q(('code_digest', ''), _negated=True), fields=('code_digest',), name='claim_code_once')],
            },
        ),
    ]
