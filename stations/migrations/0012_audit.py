"""The audit log, which the database itself keeps as it is.

As with evidence (portal/compliance/migrations/0002_schedules.py): a migration that rebuilds this table on SQLite loses
its triggers and installs them again at its end. tests/security/test_audit_append_only.py looks whether they are there.
"""

import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

TABLE = "stations_auditentry"

SQLITE = f"""
CREATE TRIGGER {TABLE}_no_{{what}} BEFORE {{what}} ON {TABLE}
BEGIN SELECT RAISE(ABORT, '{TABLE} is append-only'); END
"""
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION stations_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""
POSTGRESQL = f"""
CREATE TRIGGER {TABLE}_no_{{what}} BEFORE {{what}} ON {TABLE}
FOR EACH ROW EXECUTE FUNCTION stations_append_only()
"""


def installing(vendor):
    """The statements, one by one, as `vendor` has them."""
    is_postgresql = vendor == "postgresql"
    first = [POSTGRESQL_FUNCTION] if is_postgresql else []
    template = POSTGRESQL if is_postgresql else SQLITE
    return first + [template.format(what=what) for what in ("update", "delete")]


def lifting(vendor):
    on = f" ON {TABLE}" if vendor == "postgresql" else ""
    return [f"DROP TRIGGER IF EXISTS {TABLE}_no_{what}{on}" for what in ("update", "delete")]


def install(apps, schema_editor):
    for statement in installing(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def lift(apps, schema_editor):
    for statement in lifting(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def named(model):
    """A key that is no constraint: what is deleted stays named."""
    return models.ForeignKey(
        db_constraint=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=model,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0011_rollout_batches"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("who", models.CharField(blank=True, max_length=254, verbose_name="who")),
                ("party", models.CharField(blank=True, max_length=200, verbose_name="party")),
                ("role", models.CharField(blank=True, max_length=20, verbose_name="role")),
                (
                    "door",
                    models.CharField(
                        choices=[("page", "page"), ("api", "API"), ("admin", "administration")],
                        max_length=5,
                        verbose_name="by way of",
                    ),
                ),
                (
                    "action",
                    models.CharField(
                        choices=[("created", "created"), ("changed", "changed"), ("deleted", "deleted")],
                        max_length=7,
                        verbose_name="action",
                    ),
                ),
                ("model", models.CharField(max_length=60, verbose_name="kind of object")),
                ("key", models.CharField(max_length=64)),
                ("label", models.CharField(max_length=200, verbose_name="object")),
                (
                    "changes",
                    models.JSONField(
                        encoder=django.core.serializers.json.DjangoJSONEncoder, verbose_name="changes"
                    ),
                ),
                ("request_id", models.CharField(max_length=32)),
                ("municipality", named("stations.municipality")),
                ("operator", named("stations.operator")),
                ("station", named("stations.station")),
                ("user", named(settings.AUTH_USER_MODEL)),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "changes",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["operator", "-id"], name="audit_operator"),
                    models.Index(fields=["municipality", "-id"], name="audit_municipality"),
                    models.Index(fields=["station", "-id"], name="audit_station"),
                    models.Index(fields=["model", "key"], name="audit_object"),
                ],
            },
        ),
        migrations.RunPython(install, lift),
    ]
