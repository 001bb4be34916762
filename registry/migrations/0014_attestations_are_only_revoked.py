from django.db import migrations

# As an approval is only ever withdrawn (governance 0002): what a gate stated stays stated.
STATED = """
create function only_revoked() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.revoked_at is null and new.revoked_at is not null
        and to_jsonb(new) - '{revoked_at,revoked_by}'::text[]
            = to_jsonb(old) - '{revoked_at,revoked_by}'::text[] then
        return new;
    end if;
    raise exception 'an attestation is only ever revoked, once' using errcode = 'restrict_violation';
end $$;
create trigger only_revoked before update or delete on registry_attestation
    for each row execute function only_revoked();
create trigger only_revoked_whole before truncate on registry_attestation
    for each statement execute function only_revoked();
alter table registry_attestation enable always trigger only_revoked;
alter table registry_attestation enable always trigger only_revoked_whole;
"""
NOT_STATED = """
drop trigger only_revoked on registry_attestation;
drop trigger only_revoked_whole on registry_attestation;
drop function only_revoked;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0013_serving_tokens_name_their_model"),
    ]

    operations = [
        migrations.RunSQL(STATED, NOT_STATED),
    ]
