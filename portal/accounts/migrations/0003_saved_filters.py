import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='ListChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('list_key', models.CharField(max_length=50, verbose_name='list')),
                ('columns', models.JSONField(blank=True, default=list, verbose_name='columns')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='list_choices', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'list_key'), name='one_choice_per_user_and_list')],
            },
        ),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('query', models.CharField(blank=True, max_length=2000, verbose_name='filter')),
                ('is_default', models.BooleanField(default=False, verbose_name='opens with the list')),
                ('choice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='filters', to='accounts.listchoice')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('choice', 'name'), name='one_saved_filter_per_name'), models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('choice',), name='one_default_filter_per_list')],
            },
        ),
    ]
