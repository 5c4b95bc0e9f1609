import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0002_schedules'),
        ('stations', '0013_claims'),
    ]

    operations = [
        migrations.CreateModel(
            name='UsageMonth',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField(help_text='Its first day')),
                ('is_whole', models.BooleanField(default=False, help_text='Of the municipality as a whole')),
                ('area', models.CharField(blank=True, max_length=100)),
                ('sessions', models.PositiveIntegerField()),
                ('drivers', models.PositiveIntegerField(help_text="Cards told apart; all sessions without a card are one driver's")),
                ('metered', models.PositiveIntegerField(help_text='Sessions of which energy and length are known')),
                ('energy_wh', models.FloatField(help_text='Of the metered ones')),
                ('hours', models.FloatField(help_text='Of the metered ones, from their start to their end')),
                ('judged', models.PositiveIntegerField(help_text='Sessions of which it is known whether they were limited')),
                ('limited', models.PositiveIntegerField()),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'use in a month',
                'verbose_name_plural': 'use by month',
                'ordering': ['-month', 'area'],
            },
        ),
        migrations.AddIndex(
            model_name='judgement',
            index=models.Index(fields=['concession', 'status'], name='judgement_status'),
        ),
        migrations.AddField(
            model_name='usagemonth',
            name='municipality',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='stations.municipality'),
        ),
        migrations.AddConstraint(
            model_name='usagemonth',
            constraint=models.UniqueConstraint(fields=('municipality', 'month', 'is_whole', 'area'), name='usage_month_once'),
        ),
    ]
