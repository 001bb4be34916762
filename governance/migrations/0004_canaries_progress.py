import datetime

import django.db.models.deletion
from django.db import migrations, models

import registry.clock


class Migration(migrations.Migration):
    dependencies = [
        ("governance", "0003_times_come_from_one_clock"),
        ("registry", "0012_operators_and_reviewers_settle_incidents"),
    ]

    operations = [
        migrations.CreateModel(
            name="Progression",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("steps", models.JSONField()),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("waiting", "Waiting"),
                            ("paused", "Paused"),
                            ("done", "Done"),
                            ("aborted", "Aborted"),
                        ],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("waits_for", models.JSONField(default=list)),
                ("started_by", models.CharField(max_length=64)),
                ("started_at", models.DateTimeField(default=registry.clock.now)),
                ("entered_step_at", models.DateTimeField(default=registry.clock.now)),
                ("paused_for", models.DurationField(default=datetime.timedelta)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("due_at", models.DateTimeField(default=registry.clock.now)),
                ("deadline_at", models.DateTimeField()),
                ("stalled_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "remark",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="registry.remark",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="progressions",
                        to="registry.modelversion",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["due_at"],
                        name="due_progressions",
                    ),
                    models.Index(fields=["version", "-id"], name="progressions_of_a_version"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("version",),
                        name="one_unfinished_progression_each",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("ended_at__isnull", False), ("state__in", ["done", "aborted"])
                            ),
                            models.Q(
                                models.Q(("state__in", ["done", "aborted"]), _negated=True),
                                ("ended_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="finished_progressions_have_an_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("paused_at__isnull", False), ("state", "paused")),
                            models.Q(
                                models.Q(("state", "paused"), _negated=True),
                                ("paused_at__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="paused_progressions_say_since_when",
                    ),
                ],
            },
        ),
    ]
