from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0008_snapshots_are_rolled_up"),
    ]

    operations = [
        migrations.AlterField(
            model_name="incident",
            name="kind",
            field=models.CharField(
                choices=[
                    ("rollback", "rolled back"),
                    ("breach", "breach, not acted on"),
                    ("no_data", "no data"),
                    ("rollback_suppressed_cooldown", "rollback suppressed by cooldown"),
                    ("shared_cause", "shared cause"),
                    ("playbook", "raised by a playbook"),
                    ("traffic_ignored", "traffic goes elsewhere"),
                    ("progress_stalled", "progress stalled"),
                ],
                max_length=32,
            ),
        ),
    ]
