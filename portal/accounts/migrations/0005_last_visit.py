import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0004_driver'),
    ]

    operations = [
        migrations.CreateModel(
            name='LastVisit',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='last_visit', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('seen_at', models.DateTimeField()),
                ('before', models.DateTimeField(help_text='The end of the visit before; null: there was none', null=True)),
            ],
        ),
    ]
