-- Two more of the ministry's files, both optional: the laboratories' tests and the doses of vaccines that were given. And what
-- became of each file of a load.
--
-- Quick on a full database: new, small tables and functions, no lock that a reader would notice. Their rows carry the id of the load
-- that brought them, like the counts: nobody sees them before the record of that load says that it is the published one, and
-- nothing has to be swapped. No key refers to province or department, so that dropping and deleting never locks what readers
-- join. On Citus they stay plain tables of the coordinator, or become reference tables.

CREATE TABLE test_count (
    run_id        uuid NOT NULL,
    tested_on     date NOT NULL,
    province_id   smallint,
    department_id integer,
    funding       text,
    laboratory    text,
    tests         bigint NOT NULL,
    positives     bigint NOT NULL
);
CREATE INDEX test_count_run_idx ON test_count (run_id);
COMMENT ON TABLE test_count IS 'Tests by day and laboratory, from Covid19Determinaciones. Kept for the published load and for the release before it; ask test_counts() for the published ones.';
COMMENT ON COLUMN test_count.province_id IS 'Where the laboratory is, not where the tested people live; null where it is unknown.';
COMMENT ON COLUMN test_count.funding IS 'origen_financiamiento: Público, Privado.';
COMMENT ON COLUMN test_count.laboratory IS 'tipo: who runs the laboratory.';
COMMENT ON COLUMN test_count.tests IS 'Tests, not people: whoever was tested twice is in it twice.';

CREATE TABLE vaccination_count (
    run_id      uuid NOT NULL,
    province_id smallint,
    vaccine     text NOT NULL,
    dose        text NOT NULL,
    doses       bigint NOT NULL
);
CREATE INDEX vaccination_count_run_idx ON vaccination_count (run_id);
COMMENT ON TABLE vaccination_count IS 'Doses given so far, from Covid19VacunasAgrupadas. Kept for the published load and for the release before it; ask vaccination_counts() for the published ones.';
COMMENT ON COLUMN vaccination_count.province_id IS 'Where the doses were given; null where it is unknown.';
COMMENT ON COLUMN vaccination_count.dose IS 'first, second, single, additional, booster.';

CREATE TABLE run_dataset (
    run_id        uuid NOT NULL,
    dataset       text NOT NULL,
    status        text NOT NULL,
    source_name   text,
    source_size   bigint,
    rows_read     bigint,
    rows_filtered bigint,
    rows_loaded   bigint,
    rows_rejected bigint,
    rows_repaired bigint,
    error         text,
    CONSTRAINT run_dataset_pkey PRIMARY KEY (run_id, dataset)
);
COMMENT ON TABLE run_dataset IS 'What became of each file of a load: one row per run and dataset (provinces, departments, cases, tests, vaccinations). rows_read = rows_filtered + rows_loaded + rows_rejected.';
COMMENT ON COLUMN run_dataset.status IS 'loaded; missing or unreadable, which only an optional dataset can be.';
COMMENT ON COLUMN run_dataset.rows_repaired IS 'Repairs, not rows: one row may have several.';
COMMENT ON COLUMN run_dataset.error IS 'Why an optional dataset was left out.';

COMMENT ON TABLE run_issue IS 'The tally of a run: one row per dataset (provinces, departments, cases, tests, vaccinations), kind (rejected, repaired) and reason.';

CREATE FUNCTION test_counts() RETURNS TABLE (
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
    WHERE run_id = public.published_load()
$$;
COMMENT ON FUNCTION test_counts IS 'The published tests by day and laboratory; nothing where the load had no file of them.';

CREATE FUNCTION vaccination_counts() RETURNS TABLE (
    province_id smallint,
    vaccine     text,
    dose        text,
    doses       bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT province_id, vaccine, dose, doses
    FROM public.vaccination_count
    WHERE run_id = public.published_load()
$$;
COMMENT ON FUNCTION vaccination_counts IS 'The published doses by province, vaccine and dose; nothing where the load had no file of them.';
