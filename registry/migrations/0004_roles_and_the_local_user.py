from django.conf import settings
from django.db import migrations

ROLES = ("trainer", "serving", "operator", "reviewer", "risk_officer")


def make_roles(apps, schema_editor):
    """Roles are groups; `local` is who calls without credentials, where that is allowed."""
    group = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    roles = {name: group.get_or_create(name=name)[0] for name in ROLES}
    user = apps.get_model("auth", "User").objects.using(schema_editor.connection.alias)
    local, _ = user.get_or_create(username="local", defaults={"password": "!"})
    local.groups.add(roles["trainer"], roles["operator"])


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0003_stage_follows_transitions"),
        ("auth", "0012_alter_user_first_name_max_length"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
