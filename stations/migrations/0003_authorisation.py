import django.core.validators
import django.db.models.deletion
import stations.models.token
from django.conf import settings
from django.db import migrations, models


def price_becomes_element(apps, schema_editor):
    """What was a price per kWh is the one element of the tariff. Drivers saw it as what they pay: taxes included."""
    for tariff in apps.get_model("stations", "Tariff").objects.all():
        price = float(tariff.price_per_kwh)
        tariff.elements = [
            {"price_components": [{"type": "ENERGY", "price": price, "step_size": 1}]}
        ]
        tariff.save(update_fields=["elements"])


def element_becomes_price(apps, schema_editor):
    """The first price per kWh; the rest of a tariff has no place in the older form."""
    for tariff in apps.get_model("stations", "Tariff").objects.all():
        prices = (
            component["price"]
            for element in tariff.elements
            for component in element["price_components"]
            if component["type"] == "ENERGY"
        )
        tariff.price_per_kwh = next(prices, 0)
        tariff.save(update_fields=["price_per_kwh"])


class Migration(migrations.Migration):
    dependencies = [
        ("stations", "0002_schedules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="LocalList",
            fields=[
                (
                    "station",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="local_list",
                        serialize=False,
                        to="stations.station",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("never", "never sent"),
                            ("sending", "being sent"),
                            ("current", "up to date"),
                            ("other", "the station has another version"),
                            ("failed", "failed"),
                            ("unsupported", "the station takes no list"),
                        ],
                        default="never",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("problem", models.CharField(blank=True, max_length=200)),
                (
                    "version",
                    models.PositiveIntegerField(
                        default=0, verbose_name="version wanted"
                    ),
                ),
                (
                    "version_known",
                    models.IntegerField(
                        null=True, verbose_name="version of the station"
                    ),
                ),
                (
                    "count",
                    models.PositiveIntegerField(default=0, verbose_name="tokens"),
                ),
                ("held", models.JSONField(default=dict)),
                ("plan", models.JSONField(default=dict)),
                ("parts_total", models.PositiveIntegerField(default=0)),
                ("parts_done", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField()),
                ("synced_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "local list",
                "verbose_name_plural": "local lists",
            },
        ),
        migrations.CreateModel(
            name="TokenGroup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "group_id",
                    models.CharField(
                        default=stations.models.token.new_group_id,
                        help_text="What stations get as parentIdTag or groupIdToken. It opens nothing by itself.",
                        max_length=20,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Za-z0-9*\\-_=:+|@.]+$",
                                "Letters, digits and * - _ = : + | @ . only.",
                            )
                        ],
                        verbose_name="group id",
                    ),
                ),
            ],
            options={
                "verbose_name": "token group",
                "verbose_name_plural": "token groups",
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_currency",
            field=models.CharField(blank=True, max_length=3),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_excl_tax",
            field=models.DecimalField(decimal_places=2, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_incl_tax",
            field=models.DecimalField(decimal_places=2, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_lines",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_tariff",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="cost_unknown",
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name="chargingsession",
            name="settled_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="station",
            name="free_vend",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "off: only known tokens"),
                    ("any_token", "any token that is not blocked"),
                    ("no_token", "no token needed"),
                ],
                default="",
                max_length=10,
                verbose_name="free charging",
            ),
        ),
        migrations.AddField(
            model_name="station",
            name="tariff",
            field=models.ForeignKey(
                blank=True,
                help_text="Of its own; without one the newest of the operator holds.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stations",
                to="stations.tariff",
                verbose_name="tariff",
            ),
        ),
        migrations.AddField(
            model_name="tariff",
            name="credits_export",
            field=models.BooleanField(
                default=False,
                help_text="It is taken off the energy charged, at the same price. Otherwise it has no price.",
                verbose_name="energy given back counts as negative",
            ),
        ),
        migrations.AddField(
            model_name="tariff",
            name="elements",
            field=models.JSONField(default=list, verbose_name="elements"),
        ),
        migrations.AddField(
            model_name="tariff",
            name="max_price",
            field=models.JSONField(
                blank=True, null=True, verbose_name="highest price of a session"
            ),
        ),
        migrations.AddField(
            model_name="tariff",
            name="min_price",
            field=models.JSONField(
                blank=True, null=True, verbose_name="lowest price of a session"
            ),
        ),
        migrations.AddField(
            model_name="tariff",
            name="tax_included",
            field=models.CharField(
                choices=[
                    ("YES", "prices include taxes"),
                    ("NO", "taxes come on top"),
                    ("N/A", "no taxes apply"),
                ],
                default="YES",
                max_length=3,
                verbose_name="taxes",
            ),
        ),
        migrations.AddField(
            model_name="tariff",
            name="valid_until",
            field=models.DateTimeField(
                blank=True, null=True, verbose_name="valid until"
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="concurrent_allowed",
            field=models.BooleanField(
                default=False,
                help_text="For a card of a fleet.",
                verbose_name="may charge at several sockets at once",
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ISO14443", "card (RFID, ISO 14443)"),
                    ("ISO15693", "card (RFID, ISO 15693)"),
                    ("Central", "app, or started from here"),
                    ("eMAID", "contract in the car (eMAID)"),
                    ("MacAddress", "car (Autocharge, MAC address)"),
                    ("KeyCode", "key code"),
                    ("Local", "local to the station"),
                ],
                default="ISO14443",
                max_length=20,
                verbose_name="kind",
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="offline_allowed",
            field=models.BooleanField(
                default=True,
                help_text="Then it is on the local lists of the operator's stations.",
                verbose_name="may charge while a station is offline",
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="sealed_number",
            field=models.TextField(blank=True),
        ),
        migrations.AlterField(
            model_name="tariff",
            name="price_per_kwh",
            field=models.DecimalField(decimal_places=4, default=0, max_digits=8),
        ),
        migrations.RunPython(price_becomes_element, element_becomes_price),
        migrations.RemoveField(
            model_name="tariff",
            name="price_per_kwh",
        ),
        migrations.AddIndex(
            model_name="chargingsession",
            index=models.Index(
                condition=models.Q(("state", "active")),
                fields=["token_digest"],
                name="session_token_running",
            ),
        ),
        migrations.AddIndex(
            model_name="chargingsession",
            index=models.Index(
                condition=models.Q(("settled_at__isnull", True), ("state", "ended")),
                fields=["ended_at"],
                name="session_unsettled",
            ),
        ),
        migrations.AddConstraint(
            model_name="tariff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_until__isnull", True),
                    ("valid_until__gt", models.F("valid_from")),
                    _connector="OR",
                ),
                name="tariff_ends_after_start",
            ),
        ),
        migrations.AddField(
            model_name="locallist",
            name="command",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="stations.command",
            ),
        ),
        migrations.AddField(
            model_name="locallist",
            name="requested_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="tokengroup",
            name="operator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="token_groups",
                to="stations.operator",
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="group",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="tokens",
                to="stations.tokengroup",
                verbose_name="group",
            ),
        ),
    ]
