from django.db import migrations

# A transition speaks of its own version and stage, or the database refuses it.
PROOF = """
alter table registry_stagetransition add constraint attestation_fits_the_move
    foreign key (attestation_id, version_id, to_stage)
    references registry_attestation (id, version_id, stage);
"""
NO_PROOF = "alter table registry_stagetransition drop constraint attestation_fits_the_move;"

# Deferred to the commit, and re-reading the current row: the order of statements inside a
# transaction does not matter, only what it leaves behind.
STAGE = """
create function stage_follows_transitions() returns trigger language plpgsql as $$
declare
    moved bigint := case tg_table_name
        when 'registry_modelversion' then (to_jsonb(new) ->> 'id')::bigint
        else (to_jsonb(new) ->> 'version_id')::bigint end;
    held record;
    latest record;
begin
    select model_id, stage, canary_basis_points into held
        from registry_modelversion where id = moved;
    select to_stage, canary_basis_points into latest
        from registry_stagetransition where version_id = moved order by id desc limit 1;
    if held.stage is distinct from latest.to_stage
        or held.canary_basis_points is distinct from latest.canary_basis_points then
        raise exception 'stage or share of % is not that of its latest transition', held.model_id
            using errcode = 'check_violation';
    end if;
    return null;
end $$;
create constraint trigger stage_follows_transitions
    after insert or update on registry_modelversion deferrable initially deferred
    for each row execute function stage_follows_transitions();
create constraint trigger stage_follows_transitions
    after insert on registry_stagetransition deferrable initially deferred
    for each row execute function stage_follows_transitions();
alter table registry_modelversion enable always trigger stage_follows_transitions;
alter table registry_stagetransition enable always trigger stage_follows_transitions;
"""
NO_STAGE = """
drop trigger stage_follows_transitions on registry_modelversion;
drop trigger stage_follows_transitions on registry_stagetransition;
drop function stage_follows_transitions;
"""

# The family's sum stands under a CHECK, and its row is the lock: rivals cannot overshoot.
SHARES = """
create function canaries_add_up() returns trigger language plpgsql as $$
begin
    update registry_modelfamily set canary_basis_points = canary_basis_points
        + case when tg_op = 'DELETE' then 0 else coalesce(new.canary_basis_points, 0) end
        - case when tg_op = 'INSERT' then 0 else coalesce(old.canary_basis_points, 0) end
        where id = case when tg_op = 'DELETE' then old.family_id else new.family_id end;
    return null;
end $$;
create trigger canaries_add_up_changed after update on registry_modelversion
    for each row when (old.canary_basis_points is distinct from new.canary_basis_points)
    execute function canaries_add_up();
create trigger canaries_add_up_new after insert on registry_modelversion
    for each row when (new.canary_basis_points is not null)
    execute function canaries_add_up();
create trigger canaries_add_up_gone after delete on registry_modelversion
    for each row when (old.canary_basis_points is not null)
    execute function canaries_add_up();
"""
NO_SHARES = """
drop trigger canaries_add_up_changed on registry_modelversion;
drop trigger canaries_add_up_new on registry_modelversion;
drop trigger canaries_add_up_gone on registry_modelversion;
drop function canaries_add_up;
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_record_is_append_only")]
    operations = [
        migrations.RunSQL(PROOF, NO_PROOF),
        migrations.RunSQL(STAGE, NO_STAGE),
        migrations.RunSQL(SHARES, NO_SHARES),
    ]
