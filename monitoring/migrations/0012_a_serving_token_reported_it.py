from django.db import migrations, models


class Migration(migrations.Migration):
    """Snapshots say whether a serving token reported them; of earlier ones nobody knows: no.

    With a constant default no row is rewritten, however many there are.
    """

    dependencies = [
        ("monitoring", "0011_silence_needs_somebody_who_listens"),
    ]

    operations = [
        migrations.AddField(
            model_name="performancesnapshot",
            name="by_job",
            field=models.BooleanField(db_default=False),
        ),
    ]
