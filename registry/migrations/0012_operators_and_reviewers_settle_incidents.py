from django.db import migrations

ROLES = "('operator', 'reviewer', 'risk_officer')"
GIVE = f"""
update registry_apitoken set scopes = scopes || '["incidents:write"]'::jsonb
where role in {ROLES} and not scopes ? 'incidents:write'
"""
TAKE = f"""
update registry_apitoken set scopes = scopes - 'incidents:write' where role in {ROLES}
"""


class Migration(migrations.Migration):
    """Tokens carry the scopes of their role from when they were issued; the roles have one more."""

    dependencies = [
        ("registry", "0011_times_come_from_one_clock"),
    ]

    operations = [
        migrations.RunSQL(GIVE, TAKE),
    ]
