-- The tables of the pipeline. Append-only: never edit a migration that has been released, add the next one.
--
-- It stays friendly to Citus: `covid_case` would be distributed by its primary key, the small tables would be reference tables.

CREATE TABLE province (
    province_id smallint CONSTRAINT province_pkey PRIMARY KEY,
    name        text NOT NULL
);
COMMENT ON TABLE province IS 'The 24 jurisdictions of Argentina, by INDEC code (georef).';
COMMENT ON COLUMN province.name IS 'As people say it: CABA, Tierra del Fuego.';

CREATE TABLE department (
    department_id integer CONSTRAINT department_pkey PRIMARY KEY,
    name          text NOT NULL,
    province_id   smallint NOT NULL CONSTRAINT department_province_fkey REFERENCES province
);
COMMENT ON COLUMN department.department_id IS 'INDEC code: province * 1000 + department.';

-- This first, empty `covid_case` is what readers see before the first load. Every load builds a table of the same shape
-- beside it and takes its place; see etl/src/load.
CREATE TABLE covid_case (
    case_id                  bigint CONSTRAINT covid_case_pkey PRIMARY KEY,
    sex                      text,
    age                      smallint,
    symptoms_on              date,
    registered_on            date NOT NULL,
    admitted_on              date,
    icu                      boolean NOT NULL,
    ventilated               boolean NOT NULL,
    died_on                  date,
    diagnosed_on             date,
    registration_province_id smallint NOT NULL CONSTRAINT covid_case_registration_province_fkey REFERENCES province,
    residence_province_id    smallint CONSTRAINT covid_case_residence_province_fkey REFERENCES province,
    residence_department_id  integer CONSTRAINT covid_case_residence_department_fkey REFERENCES department,
    classification           text
);
COMMENT ON TABLE covid_case IS 'One row per notified case of the wanted years, from Covid19Casos.';
COMMENT ON COLUMN covid_case.age IS 'Years, on the day of the extraction; 0 below one year.';
COMMENT ON COLUMN covid_case.registered_on IS 'fecha_apertura: the day the case was opened in the registry.';
COMMENT ON COLUMN covid_case.classification IS 'clasificacion_resumen: Confirmado, Descartado, Sospechoso, Sin Clasificar.';

CREATE TABLE pipeline_run (
    run_id             uuid CONSTRAINT pipeline_run_pkey PRIMARY KEY,
    kind               text NOT NULL,
    status             text NOT NULL,
    started_at         timestamptz NOT NULL DEFAULT now(),
    finished_at        timestamptz,
    dataset_updated_on date,
    source_name        text,
    source_size        bigint,
    source_etag        text,
    source_sha256      text,
    source_fingerprint text,
    years              text,
    rows_read          bigint,
    rows_filtered      bigint,
    rows_loaded        bigint,
    rows_repaired      bigint,
    rows_rejected      bigint,
    error              text
);
CREATE INDEX pipeline_run_started_at_idx ON pipeline_run (started_at DESC);
COMMENT ON COLUMN pipeline_run.kind IS 'etl, report, …';
COMMENT ON COLUMN pipeline_run.status IS 'running, succeeded, failed, skipped.';
COMMENT ON COLUMN pipeline_run.source_sha256 IS 'Of the line list''s file, where it stands in a folder; on S3 the etag tells versions apart.';
COMMENT ON COLUMN pipeline_run.source_fingerprint IS 'One digest of all source files together: equal means that nothing changed.';
COMMENT ON COLUMN pipeline_run.years IS 'all, or the loaded years in ascending order: 2021,2022.';
COMMENT ON COLUMN pipeline_run.rows_repaired IS 'Repairs, not rows: one row may have several.';

CREATE TABLE run_issue (
    run_id  uuid NOT NULL,
    dataset text NOT NULL,
    kind    text NOT NULL,
    reason  text NOT NULL,
    rows    bigint NOT NULL,
    CONSTRAINT run_issue_pkey PRIMARY KEY (run_id, dataset, kind, reason)
);
COMMENT ON TABLE run_issue IS 'The tally of a run: one row per dataset (provinces, departments, cases), kind (rejected, repaired) and reason.';

CREATE TABLE rejected_row (
    run_id  uuid NOT NULL,
    dataset text NOT NULL,
    line    bigint NOT NULL,
    reason  text NOT NULL,
    raw     text NOT NULL
);
CREATE INDEX rejected_row_run_idx ON rejected_row (run_id, dataset, line);
COMMENT ON TABLE rejected_row IS 'Every rejected row, so that nothing is lost.';
COMMENT ON COLUMN rejected_row.line IS 'Line in the file, counted from 1; the header is line 1.';
