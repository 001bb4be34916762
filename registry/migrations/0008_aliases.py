import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# An alias means a version of its own model, or the database refuses it.
OWN_VERSION = """
alter table registry_modelversion
    add constraint version_and_family_together unique (id, family_id);
alter table registry_alias add constraint alias_means_a_version_of_its_model
    foreign key (version_id, family_id) references registry_modelversion (id, family_id);
"""
ANY_VERSION = """
alter table registry_alias drop constraint alias_means_a_version_of_its_model;
alter table registry_modelversion drop constraint version_and_family_together;
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0007_events_enter_the_tree")]
    operations = [
        migrations.AddField(
            model_name="modelfamily",
            name="revision",
            field=models.PositiveBigIntegerField(default=1),
        ),
        migrations.CreateModel(
            name="Alias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=255)),
                ("revision", models.PositiveBigIntegerField()),
                ("set_by", models.CharField(max_length=64)),
                ("set_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "family",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="registry.modelfamily",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="aliases",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "aliases",
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(fields=("family", "name"), name="one_version_an_alias"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("name__regex", "^[A-Za-z0-9_-]+$"),
                            models.Q(("name__iregex", "^(v?[0-9]+|latest)$"), _negated=True),
                        ),
                        name="alias_looks_like_no_version",
                    ),
                ],
            },
        ),
        migrations.RunSQL(OWN_VERSION, ANY_VERSION),
    ]
