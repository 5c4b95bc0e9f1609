import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Max, OuterRef, Subquery


def point(apps, schema_editor):
    decisions = apps.get_model("compliance", "Decision").objects.filter(judgement=OuterRef("pk")).order_by()
    last = decisions.values("judgement").annotate(last=Max("pk")).values("last")
    apps.get_model("compliance", "Judgement").objects.update(last_decision=Subquery(last))


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0003_official'),
    ]

    operations = [
        migrations.AddField(
            model_name='judgement',
            name='last_decision',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.decision'),
        ),
        migrations.RunPython(point, migrations.RunPython.noop),
    ]
