from django.db import migrations

APPEND_ONLY = ("registry_ledgerleaf", "registry_ledgernode", "registry_ledgercheckpoint")

# By a trigger: it costs no round trip, and nobody can record an event without it.
PENDING = """
create function await_the_tree() returns trigger language plpgsql as $$
begin
    insert into registry_pendingleaf (event_id) values (new.id);
    return null;
end $$;
create trigger await_the_tree after insert on registry_event
    for each row execute function await_the_tree();
alter table registry_event enable always trigger await_the_tree;
insert into registry_pendingleaf (event_id) select id from registry_event;
"""
NO_PENDING = """
drop trigger await_the_tree on registry_event;
drop function await_the_tree();
delete from registry_pendingleaf;
"""
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
    dependencies = [("registry", "0006_ledger")]
    operations = [
        migrations.RunSQL(PENDING, NO_PENDING),
        *[
            migrations.RunSQL(TRIGGERS.format(table=table), NO_TRIGGERS.format(table=table))
            for table in APPEND_ONLY
        ],
    ]
