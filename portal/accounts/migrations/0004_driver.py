"""What drivers choose, and who asked to be erased."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_saved_filters'),
    ]

    operations = [
        migrations.CreateModel(
            name='Preference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(blank=True, choices=[('nl', 'Nederlands'), ('en', 'English')], max_length=2, verbose_name='language')),
                ('tell_ended', models.BooleanField(default=True, verbose_name='A session has ended')),
                ('tell_failed', models.BooleanField(default=True, verbose_name='Charging stopped too early, or its end was never told')),
                ('tell_cards', models.BooleanField(default=True, verbose_name='A card was linked to my account')),
                ('notices_read_at', models.DateTimeField(null=True)),
                ('battery_kwh', models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(999)], verbose_name='size of the battery (kWh)')),
                ('charge_to_percent', models.PositiveSmallIntegerField(default=80, validators=[django.core.validators.MinValueValidator(10), django.core.validators.MaxValueValidator(100)], verbose_name='charge until (%)')),
                ('ready_by', models.TimeField(blank=True, null=True, verbose_name='ready by')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='preference', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'preference',
                'verbose_name_plural': 'preferences',
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('asked', 'asked'), ('withdrawn', 'taken back'), ('done', 'done')], default='asked', max_length=9)),
                ('asked_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(null=True)),
                ('sessions', models.PositiveIntegerField(default=0)),
                ('cards', models.PositiveIntegerField(default=0)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='erasures', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'erasure',
                'verbose_name_plural': 'erasures',
                'ordering': ['-asked_at'],
                'indexes': [models.Index(condition=models.Q(('state', 'asked')), fields=['due_at'], name='erasure_due')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'asked')), fields=('user',), name='erasure_one_open')],
            },
        ),
    ]
