"""Minutes keep the squares of rates, so that hours of them can be weighed without their snapshots."""

from django.db import migrations, models

# What was added up before has no squares, so all that there still are snapshots of is added up anew,
# a day each minute; until then snapshots are read instead.
ANEW = "delete from monitoring_rolluprun"


def squares(level: str) -> list[migrations.AddField]:
    return [
        migrations.AddField(level, name, models.FloatField(null=True))
        for name in ("error_squares", "ood_squares")
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0009_progress_may_stall"),
    ]

    operations = [
        *squares("minuterollup"),
        *squares("hourrollup"),
        *squares("dayrollup"),
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
    ]
