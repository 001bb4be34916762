from django.db import migrations

# A trigger and not a constraint: tokens that were issued before go on reading, which is noted on
# their rows each minute, and are revoked as any other.
NAMED = """
create function serving_names_its_model() returns trigger language plpgsql as $$
begin
    raise exception 'a token of role serving names its model' using errcode = 'check_violation';
end $$;
create trigger serving_names_its_model
    before insert or update of role, family_id on registry_apitoken for each row
    when (new.role = 'serving' and new.family_id is null)
    execute function serving_names_its_model();
"""
NOT_NAMED = """
drop trigger serving_names_its_model on registry_apitoken;
drop function serving_names_its_model;
"""


class Migration(migrations.Migration):
    """A serving token reports on the one model it names; those that name none only read now."""

    dependencies = [
        ("registry", "0012_operators_and_reviewers_settle_incidents"),
    ]

    operations = [
        migrations.RunSQL(NAMED, NOT_NAMED),
    ]
