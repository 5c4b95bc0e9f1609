"""Roll-ups; and on PostgreSQL readings and frames become tables in parts by time (stations.partitions).

The rows that are there are copied into the parts of their time: some minutes for tens of millions, while nothing else
runs on the database. On SQLite there are no partitions, and nothing changes.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

from stations.partitions import FRAMES, READINGS, make_part

# What a table has beside its primary key, as statements that make it again.
KEPT = """
SELECT format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
  FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype IN ('u', 'f')
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM pg_index
 WHERE indrelid = %(table)s::regclass
   AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def partition(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    for parted in (FRAMES, READINGS):
        _convert(schema_editor, parted)


def _convert(schema_editor, parted):
    table, column, old = parted.table, parted.column, f"{parted.table}_unparted"
    run = schema_editor.execute
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(KEPT, {"table": table})
        kept = [statement for (statement,) in cursor.fetchall()]
    run(f"ALTER TABLE {table} RENAME TO {old}")
    # Identity columns of tables in parts came with PostgreSQL 17: a sequence does the same.
    run(f"ALTER TABLE {old} ALTER id DROP IDENTITY")
    run(
        f"CREATE TABLE {table} (LIKE {old} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)"
        f" PARTITION BY RANGE ({column})"
    )
    run(f"CREATE SEQUENCE {table}_id_seq OWNED BY {table}.id")
    run(f"SELECT setval('{table}_id_seq', (SELECT COALESCE(max(id), 0) + 1 FROM {old}), false)")  # noqa: S608
    run(f"ALTER TABLE {table} ALTER id SET DEFAULT nextval('{table}_id_seq')")
    run(f"CREATE TABLE {parted.default} PARTITION OF {table} DEFAULT")
    for start in _starts(schema_editor, parted, old):
        make_part(parted, start)
    run(f"INSERT INTO {table} SELECT * FROM {old}")  # noqa: S608
    run(f"DROP TABLE {old}")
    run(f"ALTER TABLE {table} ADD PRIMARY KEY (id, {column})")
    for statement in kept:
        run(statement)
    # Until it knows what is in a part, the planner reads all of it to find a key.
    run(f"ANALYZE {table}")


def _starts(schema_editor, parted, old):
    """The parts of now and of what comes, and of the rows of the last three years; what is further stays apart."""
    now = timezone.now()
    starts = {parted.start_of(now)}
    for _ in range(parted.ahead):
        starts.add(parted.next(max(starts)))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc('day', {parted.column}, 'UTC') FROM {old}"  # noqa: S608
            f" WHERE {parted.column} BETWEEN %s - interval '1100 days' AND %s",
            [now, now],
        )
        starts.update(parted.start_of(at) for (at,) in cursor.fetchall())
    return sorted(starts)


class Migration(migrations.Migration):
    dependencies = [("stations", "0007_commands")]
    operations = [
        migrations.RunPython(partition, migrations.RunPython.noop, elidable=False),
        migrations.CreateModel(
            name="RollUp",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "before",
                    models.BigIntegerField(
                        default=0, help_text="Key of a reading: a round looks at what came after it"
                    ),
                ),
                (
                    "until",
                    models.BigIntegerField(default=0, help_text="Key of the last reading of the last round"),
                ),
                (
                    "claimed_until",
                    models.DateTimeField(help_text="Somebody is at it; null: nobody", null=True),
                ),
            ],
        ),
        migrations.CreateModel(
            name="QuarterHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("evse_number", models.PositiveSmallIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("context", models.CharField(blank=True, max_length=20)),
                ("import_wh", models.FloatField(null=True)),
                ("export_wh", models.FloatField(null=True)),
                (
                    "import_fall",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reset", "the register began again at 0"),
                            ("rollover", "the register was full and began again"),
                            ("counted_back", "the register counted back"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "export_fall",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reset", "the register began again at 0"),
                            ("rollover", "the register was full and began again"),
                            ("counted_back", "the register counted back"),
                        ],
                        max_length=20,
                    ),
                ),
                ("max_import_w", models.FloatField(null=True)),
                ("mean_import_w", models.FloatField(null=True)),
                ("max_export_w", models.FloatField(null=True)),
                ("mean_export_w", models.FloatField(null=True)),
                ("samples", models.PositiveIntegerField()),
                ("import_reads", models.PositiveIntegerField()),
                ("export_reads", models.PositiveIntegerField()),
                (
                    "station",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quarters",
                        to="stations.station",
                    ),
                ),
            ],
            options={
                "verbose_name": "quarter-hour",
                "verbose_name_plural": "quarter-hours",
                "ordering": ["starts_at", "evse_number"],
                "indexes": [models.Index(fields=["starts_at"], name="quarter_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("station", "starts_at", "evse_number"), name="quarter_once"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="chargingsession",
            index=models.Index(fields=["-started_at", "-id"], name="session_newest"),
        ),
    ]
