from django.db import migrations

APPEND_ONLY = ("registry_event", "registry_stagetransition")

FUNCTION = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end $$;
"""

# ENABLE ALWAYS: a session that calls itself a replica is refused too.
TRIGGERS = """
create trigger append_only before update or delete on {table}
    for each row execute function refuse_change();
create trigger append_only_whole before truncate on {table}
    for each statement execute function refuse_change();
alter table {table} enable always trigger append_only;
alter table {table} enable always trigger append_only_whole;
"""
NO_TRIGGERS = """
drop trigger append_only on {table};
drop trigger append_only_whole on {table};
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTION, "drop function refuse_change();"),
        *[
            migrations.RunSQL(TRIGGERS.format(table=table), NO_TRIGGERS.format(table=table))
            for table in APPEND_ONLY
        ],
    ]
