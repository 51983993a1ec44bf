-- Releases: each load fills one release beside the published one, and a single pointer says which release readers see.
--
-- On a full database this takes seconds: the published table becomes the first release in place. Its rows are not copied, but
-- attaching it reads them once. The exclusive lock on `covid_case` is waited for briefly; the caller tries again.
SET LOCAL lock_timeout = '2s';

-- One row per release. Ids ascend in the order in which loads began; no clock takes part.
CREATE SEQUENCE release_id_seq AS integer;
CREATE TABLE release (
    release_id    integer CONSTRAINT release_pkey PRIMARY KEY DEFAULT nextval('release_id_seq'),
    run_id        uuid CONSTRAINT release_run_key UNIQUE,
    rules_version integer,
    publication   bigint,
    replaced_by   xid8,
    replaced_at   timestamptz,
    rolled_back   boolean NOT NULL DEFAULT false,
    dropped_at    timestamptz
);
ALTER SEQUENCE release_id_seq OWNED BY release.release_id;
COMMENT ON TABLE release IS 'One row per release. Rows stay when the release itself is dropped.';
COMMENT ON COLUMN release.run_id IS 'The load that fills it, whose dataset pipeline_run describes; null for a spare one, which is empty and waits for a load.';
COMMENT ON COLUMN release.rules_version IS 'Version of the cleaning rules that built it.';
COMMENT ON COLUMN release.publication IS 'Ordinal of its latest publication; null if it was never published.';
COMMENT ON COLUMN release.replaced_by IS 'Transaction that published another release in its place; null while it is published. Snapshots that precede this transaction read this release.';
COMMENT ON COLUMN release.replaced_at IS 'When that was, for people and for --retire-after.';
COMMENT ON COLUMN release.rolled_back IS 'A rollback replaced it: the same files are not loaded again without --force.';
COMMENT ON COLUMN release.dropped_at IS 'When its tables were dropped; null while they exist.';

CREATE TABLE published_release (
    singleton  boolean CONSTRAINT published_release_pkey PRIMARY KEY DEFAULT true CONSTRAINT published_release_singleton CHECK (singleton),
    release_id integer NOT NULL CONSTRAINT published_release_release_fkey REFERENCES release
);
COMMENT ON TABLE published_release IS 'The pointer: the one release that readers see. No row before the first publication.';

CREATE TABLE release_dataset (
    release_id integer NOT NULL CONSTRAINT release_dataset_release_fkey REFERENCES release,
    dataset    text NOT NULL,
    run_id     uuid NOT NULL,
    CONSTRAINT release_dataset_pkey PRIMARY KEY (release_id, dataset)
);
COMMENT ON TABLE release_dataset IS 'Which run''s rows a release shows for an optional dataset: its own, or those of the release before if its own were refused.';

-- A release is a partition of each of these tables, called `release_case_<release_id>` and so on, with indexes and keys of its own. release_id
-- stands second in release_case, where it costs least: case_id needs no padding before it.
CREATE TABLE release_province (
    release_id  integer NOT NULL,
    province_id smallint NOT NULL,
    name        text NOT NULL
) PARTITION BY LIST (release_id);
COMMENT ON TABLE release_province IS 'The provinces of each release that is kept; query province for the published ones.';

CREATE TABLE release_department (
    release_id    integer NOT NULL,
    department_id integer NOT NULL,
    name          text NOT NULL,
    province_id   smallint NOT NULL
) PARTITION BY LIST (release_id);
COMMENT ON TABLE release_department IS 'The departments of each release that is kept; query department for the published ones.';

CREATE TABLE release_case (
    case_id                  bigint NOT NULL,
    release_id               integer NOT NULL,
    sex                      text,
    age                      smallint,
    symptoms_on              date,
    registered_on            date NOT NULL,
    admitted_on              date,
    icu                      boolean NOT NULL,
    ventilated               boolean NOT NULL,
    died_on                  date,
    diagnosed_on             date,
    registration_province_id smallint NOT NULL,
    residence_province_id    smallint,
    residence_department_id  integer,
    classification           text
) PARTITION BY LIST (release_id);
COMMENT ON TABLE release_case IS 'The cases of each release that is kept; query covid_case for the published ones.';

-- Creates a spare release. Its empty partitions are attached long before a load fills and publishes them, because a transaction that
-- holds its locks already does not notice new partitions. ATTACH PARTITION lets readers pass, unlike CREATE TABLE … PARTITION OF.
CREATE FUNCTION create_release() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    id     integer;
    parent text;
BEGIN
    INSERT INTO public.release DEFAULT VALUES RETURNING release_id INTO id;
    EXECUTE format('CREATE TABLE public.release_province_%s (LIKE public.release_province INCLUDING COMMENTS, PRIMARY KEY (province_id))', id);
    EXECUTE format(
        'CREATE TABLE public.release_department_%1$s (LIKE public.release_department INCLUDING COMMENTS, PRIMARY KEY (department_id),
             FOREIGN KEY (province_id) REFERENCES public.release_province_%1$s)', id);
    EXECUTE format('CREATE TABLE public.release_case_%s (LIKE public.release_case INCLUDING COMMENTS)', id);
    -- One command each: Citus forwards the whole text of a command to its workers.
    FOREACH parent IN ARRAY ARRAY['release_province', 'release_department', 'release_case'] LOOP
        EXECUTE format('ALTER TABLE public.%1$s_%2$s ALTER COLUMN release_id SET DEFAULT %2$s', parent, id);
        EXECUTE format('ALTER TABLE public.%1$s ATTACH PARTITION public.%1$s_%2$s FOR VALUES IN (%2$s)', parent, id);
    END LOOP;
    RETURN id;
END $$;
COMMENT ON FUNCTION create_release IS 'Creates a spare release and its partitions; returns its id.';

-- The database of an earlier version: what was published is release 2 if there is an earlier load to compare it with, else release 1.
DO $$
DECLARE
    published uuid;
    previous  uuid;
    id        integer;
    leftover  text;
    renamed   record;
BEGIN
    SELECT run_id INTO published FROM pipeline_run
    WHERE kind = 'etl' AND status = 'succeeded'
    ORDER BY finished_at DESC NULLS LAST, started_at DESC LIMIT 1;
    SELECT run_id INTO previous FROM pipeline_run
    WHERE kind = 'etl' AND status = 'succeeded'
      AND dataset_updated_on IS DISTINCT FROM (SELECT dataset_updated_on FROM pipeline_run WHERE run_id = published)
    ORDER BY finished_at DESC NULLS LAST, started_at DESC LIMIT 1;

    FOR leftover IN
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND (relname = 'covid_case_staging' OR starts_with(relname::text, 'covid_case_retired_'))
    LOOP
        EXECUTE format('DROP TABLE public.%I', leftover);
    END LOOP;
    IF published IS NULL THEN
        DROP TABLE public.covid_case, public.department, public.province;
        RETURN;
    END IF;

    IF previous IS NOT NULL THEN
        INSERT INTO release (run_id, rules_version, publication, replaced_by, replaced_at, dropped_at)
        VALUES (previous, 1, 1, pg_current_xact_id(), now(), now());
    END IF;
    INSERT INTO release (run_id, rules_version, publication)
    VALUES (published, 1, CASE WHEN previous IS NULL THEN 1 ELSE 2 END) RETURNING release_id INTO id;
    INSERT INTO published_release (release_id) VALUES (id);
    INSERT INTO release_dataset (release_id, dataset, run_id)
    SELECT id, dataset, published FROM run_dataset
    WHERE run_id = published AND dataset IN ('tests', 'vaccinations') AND status = 'loaded';
    -- Keys follow a table that is renamed.
    FOR renamed IN SELECT * FROM (VALUES ('covid_case', 'release_case'), ('province', 'release_province'),
                                         ('department', 'release_department')) AS name (old, new)
    LOOP
        EXECUTE format('ALTER TABLE public.%1$I RENAME TO %2$I;
                        ALTER TABLE public.%2$I ADD COLUMN release_id integer NOT NULL DEFAULT %4$s;
                        ALTER TABLE public.%3$I ATTACH PARTITION public.%2$I FOR VALUES IN (%4$s)',
                       renamed.old, renamed.new || '_' || id, renamed.new, id);
    END LOOP;
END $$;
SELECT create_release(), create_release();

-- A release can be dropped after a snapshot was taken that needs it: the catalog, which is always current, has no such partition then.
-- And a plan can be older than the partition of the release that its snapshot sees: then the statement holds no lock on the
-- partition. Both must be errors and no empty answers. The second is as good as impossible, because a release is attached long before
-- it is published, and a load waits for transactions that do not know it.
CREATE FUNCTION current_release(parent text) RETURNS integer LANGUAGE plpgsql STABLE PARALLEL RESTRICTED AS $$
DECLARE
    release_id integer := (SELECT published_release.release_id FROM public.published_release);
    partition  regclass := to_regclass('public.' || parent || '_' || release_id);
BEGIN
    IF partition IS NULL AND release_id IS NOT NULL THEN
        RAISE EXCEPTION 'release % has been dropped since this transaction began', release_id
            USING ERRCODE = '72000', HINT = 'End the transaction and start a new one. --retire-after says how long a replaced release stays.';
    END IF;
    IF partition IS NOT NULL AND NOT EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND relation = partition) THEN
        RAISE EXCEPTION 'release % was attached after this transaction began', release_id
            USING ERRCODE = '40001', HINT = 'End the transaction and run it again.';
    END IF;
    RETURN release_id;
END $$;
COMMENT ON FUNCTION current_release IS 'The release that this snapshot sees, for a statement that reads this parent table; null before the first publication.';

-- The subquery is evaluated once for each statement, also if no row of any partition is visible, because pruning needs its value: there
-- are always two partitions at least, the published one and a spare. It reads the pointer's table so that Citus evaluates it first, too.
CREATE VIEW province AS
    SELECT province_id, name FROM release_province
    WHERE release_id = (SELECT public.current_release('release_province') FROM public.published_release);
COMMENT ON VIEW province IS 'The 24 jurisdictions of Argentina, by INDEC code (georef). Key: province_id.';
COMMENT ON COLUMN province.name IS 'As people say it: CABA, Tierra del Fuego.';

CREATE VIEW department AS
    SELECT department_id, name, province_id FROM release_department
    WHERE release_id = (SELECT public.current_release('release_department') FROM public.published_release);
COMMENT ON VIEW department IS 'Departments, partidos and comunas. Key: department_id.';
COMMENT ON COLUMN department.department_id IS 'INDEC code: province * 1000 + department.';

CREATE VIEW covid_case AS
    SELECT case_id, sex, age, symptoms_on, registered_on, admitted_on, icu, ventilated, died_on, diagnosed_on,
           registration_province_id, residence_province_id, residence_department_id, classification
    FROM release_case
    WHERE release_id = (SELECT public.current_release('release_case') FROM public.published_release);
COMMENT ON VIEW covid_case IS 'One row per notified case of the wanted years, from Covid19Casos. Key: case_id.';
COMMENT ON COLUMN covid_case.age IS 'Years, on the day of the extraction; 0 below one year.';
COMMENT ON COLUMN covid_case.registered_on IS 'fecha_apertura: the day the case was opened in the registry.';
COMMENT ON COLUMN covid_case.classification IS 'clasificacion_resumen: Confirmado, Descartado, Sospechoso, Sin Clasificar.';

CREATE OR REPLACE FUNCTION published_load() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT run_id FROM public.release WHERE release_id = (SELECT release_id FROM public.published_release)
$$;
COMMENT ON FUNCTION published_load IS 'The load whose release is published.';

CREATE OR REPLACE FUNCTION previous_load() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT release.run_id
    FROM public.release
    JOIN public.pipeline_run USING (run_id)
    WHERE publication IS NOT NULL AND NOT rolled_back
      AND release_id < (SELECT release_id FROM public.published_release)
      AND dataset_updated_on IS DISTINCT FROM
          (SELECT dataset_updated_on FROM public.pipeline_run WHERE run_id = public.published_load())
    ORDER BY release_id DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION previous_load IS 'The latest load before the published one whose dataset has another date.';

CREATE FUNCTION published_dataset_load(dataset text) RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT run_id FROM public.release_dataset
    WHERE release_id = (SELECT release_id FROM public.published_release) AND release_dataset.dataset = $1
$$;
COMMENT ON FUNCTION published_dataset_load IS 'The load whose rows the published release shows for an optional dataset; null if it has none.';

CREATE OR REPLACE FUNCTION test_counts() RETURNS TABLE (
    tested_on     date,
    province_id   smallint,
    department_id integer,
    funding       text,
    laboratory    text,
    tests         bigint,
    positives     bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT tested_on, province_id, department_id, funding, laboratory, tests, positives
    FROM public.test_count
    WHERE run_id = (SELECT public.published_dataset_load('tests'))
$$;

CREATE OR REPLACE FUNCTION vaccination_counts() RETURNS TABLE (
    province_id smallint,
    vaccine     text,
    dose        text,
    doses       bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT province_id, vaccine, dose, doses
    FROM public.vaccination_count
    WHERE run_id = (SELECT public.published_dataset_load('vaccinations'))
$$;

-- The same as before, but the published load is looked up once for each statement, not for each row of a plan that reads the whole table.

CREATE OR REPLACE FUNCTION case_counts() RETURNS TABLE (
    registered_on         date,
    residence_province_id smallint,
    sex                   text,
    age_decade            smallint,
    classification        text,
    cases                 bigint,
    admitted              bigint,
    icu                   bigint,
    ventilated            bigint,
    died                  bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT registered_on, residence_province_id, sex, age_decade, classification, cases, admitted, icu, ventilated, died
    FROM public.case_count
    WHERE run_id = (SELECT public.published_load())
    UNION ALL
    SELECT *
    FROM public.count_cases()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = (SELECT public.published_load()))
$$;

CREATE OR REPLACE FUNCTION place_counts() RETURNS TABLE (
    registered_on            date,
    registration_province_id smallint,
    residence_province_id    smallint,
    residence_department_id  integer,
    confirmed                bigint,
    died                     bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT registered_on, registration_province_id, residence_province_id, residence_department_id, confirmed, died
    FROM public.place_count
    WHERE run_id = (SELECT public.published_load())
    UNION ALL
    SELECT *
    FROM public.count_places()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = (SELECT public.published_load()))
$$;

CREATE OR REPLACE FUNCTION delay_counts() RETURNS TABLE (
    registered_on date,
    symptoms_on   date,
    confirmed     bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT registered_on, symptoms_on, confirmed
    FROM public.delay_count
    WHERE run_id = (SELECT public.published_load())
    UNION ALL
    SELECT *
    FROM public.count_delays()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = (SELECT public.published_load()))
$$;

CREATE OR REPLACE FUNCTION contradiction_counts() RETURNS TABLE (
    contradiction text,
    cases         bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT contradiction, cases
    FROM public.contradiction_count
    WHERE run_id = (SELECT public.published_load())
    UNION ALL
    SELECT *
    FROM public.count_contradictions()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = (SELECT public.published_load()))
$$;

-- What the publish gate found, and what it compares the next release with.
CREATE TABLE run_check (
    run_id     uuid NOT NULL,
    dataset    text NOT NULL,
    check_name text NOT NULL,
    subject    text NOT NULL,
    outcome    text NOT NULL,
    measured   double precision,
    threshold  double precision,
    message    text NOT NULL,
    CONSTRAINT run_check_pkey PRIMARY KEY (run_id, dataset, check_name, subject)
);
COMMENT ON TABLE run_check IS 'The checks that a run passed or failed before it was published.';
COMMENT ON COLUMN run_check.subject IS 'The year or column that was checked; empty if the check is about the whole dataset.';
COMMENT ON COLUMN run_check.outcome IS 'passed, failed, accepted (failed, and published with --accept-anomalies), skipped (nothing to compare with).';
COMMENT ON COLUMN run_check.message IS 'The outcome in words, with its figures.';

CREATE TABLE run_profile (
    run_id      uuid NOT NULL,
    year        smallint NOT NULL,
    column_name text NOT NULL,
    rows        bigint NOT NULL,
    missing     bigint NOT NULL,
    CONSTRAINT run_profile_pkey PRIMARY KEY (run_id, year, column_name)
);
COMMENT ON TABLE run_profile IS 'For each year of registration and column of a load''s cases: how many rows, and in how many the value is null, unknown or repaired.';

COMMENT ON COLUMN pipeline_run.kind IS 'etl, report, rollback.';
COMMENT ON COLUMN run_dataset.status IS 'loaded; missing, unreadable or refused, which only an optional dataset can be.';
