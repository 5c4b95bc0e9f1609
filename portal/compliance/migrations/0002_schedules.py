"""Where the caretaker of observations has looked; and evidence and decisions that the database itself keeps as they are.

Whoever may change the database's structure can take a trigger away; then the chain of hashes still tells. A migration
that rebuilds one of these tables on SQLite (Django does so for an altered field) loses its triggers: install them
again at its end. tests/compliance/test_append_only.py looks whether they are there.
"""

from django.db import migrations, models

TABLES = ('compliance_evidence', 'compliance_decision')

SQLITE = """
CREATE TRIGGER {table}_no_{what} BEFORE {what} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""

POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION compliance_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$
"""
POSTGRESQL = """
CREATE TRIGGER {table}_no_{what} BEFORE {what} ON {table}
FOR EACH ROW EXECUTE FUNCTION compliance_append_only()
"""


def installing(vendor):
    """The statements, one by one, as `vendor` has them."""
    postgresql = vendor == 'postgresql'
    first = [POSTGRESQL_FUNCTION] if postgresql else []
    template = POSTGRESQL if postgresql else SQLITE
    return first + [template.format(table=table, what=what) for table in TABLES for what in ('update', 'delete')]


def lifting(vendor):
    on = ' ON {table}' if vendor == 'postgresql' else ''
    template = 'DROP TRIGGER IF EXISTS {table}_no_{what}' + on
    return [template.format(table=table, what=what) for table in TABLES for what in ('update', 'delete')]


def install(apps, schema_editor):
    for statement in installing(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def lift(apps, schema_editor):
    for statement in lifting(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Watermark',
            fields=[
                ('name', models.CharField(max_length=50, primary_key=True, serialize=False)),
                ('before', models.BigIntegerField()),
                ('until', models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(install, lift),
    ]
