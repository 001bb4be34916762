from django.db import migrations

# Nobody decides about a model of their own: not as a user, not by the name an owner was given,
# not as a member of a group that owns it. The argument names the column of whoever decides.
OWN_PEOPLE = """
create function refuse_own_people() returns trigger language plpgsql as $$
declare
    person bigint := (to_jsonb(new) ->> tg_argv[0])::bigint;
begin
    if exists (
        select from registry_stakeholder s where s.version_id = new.version_id and (
            s.user_id = person
            or s.name = (select username from auth_user where id = person)
            or s.name in (
                select g.name from auth_group g
                join auth_user_groups m on m.group_id = g.id where m.user_id = person
            )
        )
    ) then
        raise exception 'user % is one of the model''s own people', person
            using errcode = 'check_violation';
    end if;
    return new;
end $$;
create trigger four_eyes before insert on governance_approval
    for each row execute function refuse_own_people('approver_id');
create trigger four_eyes before insert on governance_checkresult
    for each row execute function refuse_own_people('reviewer_id');
alter table governance_approval enable always trigger four_eyes;
alter table governance_checkresult enable always trigger four_eyes;
"""
NO_OWN_PEOPLE = """
drop trigger four_eyes on governance_approval;
drop trigger four_eyes on governance_checkresult;
drop function refuse_own_people;
"""

# A signature says for ever what it said; it may only be withdrawn, once.
SIGNED = """
create function only_withdrawn() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.withdrawn_at is null and new.withdrawn_at is not null
        and to_jsonb(new) - '{withdrawn_at,withdrawn_by}'::text[]
            = to_jsonb(old) - '{withdrawn_at,withdrawn_by}'::text[] then
        return new;
    end if;
    raise exception 'an approval is only ever withdrawn, once' using errcode = 'restrict_violation';
end $$;
create trigger only_withdrawn before update or delete on governance_approval
    for each row execute function only_withdrawn();
create trigger only_withdrawn_whole before truncate on governance_approval
    for each statement execute function only_withdrawn();
alter table governance_approval enable always trigger only_withdrawn;
alter table governance_approval enable always trigger only_withdrawn_whole;
"""
NOT_SIGNED = """
drop trigger only_withdrawn on governance_approval;
drop trigger only_withdrawn_whole on governance_approval;
drop function only_withdrawn;
"""

APPEND_ONLY = ("governance_checkresult", "governance_modelcard")
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
    dependencies = [
        ("governance", "0001_initial"),
        ("registry", "0002_record_is_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        migrations.RunSQL(OWN_PEOPLE, NO_OWN_PEOPLE),
        migrations.RunSQL(SIGNED, NOT_SIGNED),
        *[
            migrations.RunSQL(TRIGGERS.format(table=table), NO_TRIGGERS.format(table=table))
            for table in APPEND_ONLY
        ],
    ]
