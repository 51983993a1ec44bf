-- What reports ask for again and again, counted once by each load; and the populations behind rates.
--
-- Quick on a full database: new, small tables and functions, no lock that a reader would notice. On Citus the counts stay plain
-- tables of the coordinator, or become reference tables. The functions find `covid_case` by its name each time they are
-- called, so that they follow it when a load takes its place; a view would not.

CREATE TABLE province_population (
    province_id smallint CONSTRAINT province_population_pkey PRIMARY KEY,
    population  integer NOT NULL
);
COMMENT ON TABLE province_population IS 'INDEC, Censo Nacional de Población, Hogares y Viviendas 2022, final results: 45,892,285 people. No key refers to province, which the loads fill.';
INSERT INTO province_population (province_id, population) VALUES
    (2, 3121707), (6, 17523996), (10, 429562), (14, 3840905), (18, 1212696), (22, 1129606), (26, 592621), (30, 1425578),
    (34, 607419), (38, 811611), (42, 361859), (46, 383865), (50, 2043540), (54, 1278873), (58, 710814), (62, 750768),
    (66, 1441351), (70, 822853), (74, 542069), (78, 337226), (82, 3544908), (86, 1060906), (90, 1731820), (94, 185732);

CREATE TABLE case_count (
    run_id                uuid NOT NULL,
    registered_on         date NOT NULL,
    residence_province_id smallint,
    sex                   text,
    age_decade            smallint,
    classification        text,
    cases                 bigint NOT NULL,
    admitted              bigint NOT NULL,
    icu                   bigint NOT NULL,
    ventilated            bigint NOT NULL,
    died                  bigint NOT NULL
);
CREATE INDEX case_count_run_idx ON case_count (run_id);
COMMENT ON TABLE case_count IS 'The cases of a load, counted. Kept for the published load and for the release before it; ask case_counts() for the published ones.';
COMMENT ON COLUMN case_count.age_decade IS '0 for ages 0 to 9 … 9 for 90 and more; null where the age is unknown.';

CREATE TABLE place_count (
    run_id                   uuid NOT NULL,
    registered_on            date NOT NULL,
    registration_province_id smallint NOT NULL,
    residence_province_id    smallint,
    residence_department_id  integer,
    confirmed                bigint NOT NULL,
    died                     bigint NOT NULL
);
CREATE INDEX place_count_run_idx ON place_count (run_id);
COMMENT ON TABLE place_count IS 'The confirmed cases of a load by their places, counted; ask place_counts().';

CREATE TABLE delay_count (
    run_id        uuid NOT NULL,
    registered_on date NOT NULL,
    symptoms_on   date,
    confirmed     bigint NOT NULL
);
CREATE INDEX delay_count_run_idx ON delay_count (run_id);
COMMENT ON TABLE delay_count IS 'The confirmed cases of a load by the days of their registration and of their first symptoms; ask delay_counts().';

CREATE TABLE contradiction_count (
    run_id        uuid NOT NULL,
    contradiction text NOT NULL,
    cases         bigint NOT NULL
);
CREATE INDEX contradiction_count_run_idx ON contradiction_count (run_id);
COMMENT ON TABLE contradiction_count IS 'How many cases of a load contradict themselves in which way; ask contradiction_counts().';

CREATE FUNCTION published_load() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT run_id
    FROM public.pipeline_run
    WHERE kind = 'etl' AND status = 'succeeded'
    ORDER BY finished_at DESC NULLS LAST, started_at DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION published_load IS 'The load that is published now: the latest one that succeeded.';

CREATE FUNCTION previous_load() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT run_id
    FROM public.pipeline_run
    WHERE kind = 'etl' AND status = 'succeeded'
      AND dataset_updated_on IS DISTINCT FROM
          (SELECT dataset_updated_on FROM public.pipeline_run WHERE run_id = public.published_load())
    ORDER BY finished_at DESC NULLS LAST, started_at DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION previous_load IS 'The latest load of another release than the published one.';

-- Each kind of counts has two functions. The first counts the cases now, and is what a load does with its own table. Its settings
-- keep the planner from looking inside: where there are counts, it is never called and must cost nothing in the plan either.
-- The second gives what the published load has counted; a load by an older release of this program has left nothing.

CREATE FUNCTION count_cases() RETURNS TABLE (
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
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 SET jit = off AS $$
    SELECT registered_on, residence_province_id, sex,
           CASE WHEN age >= 0 THEN least(age / 10, 9)::smallint END AS age_decade, classification,
           count(*) AS cases, count(admitted_on) AS admitted, count(*) FILTER (WHERE icu) AS icu,
           count(*) FILTER (WHERE ventilated) AS ventilated, count(died_on) AS died
    FROM public.covid_case
    GROUP BY 1, 2, 3, 4, 5
$$;
CREATE FUNCTION case_counts() RETURNS TABLE (
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
    WHERE run_id = public.published_load()
    UNION ALL
    SELECT *
    FROM public.count_cases()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = public.published_load())
$$;
COMMENT ON FUNCTION case_counts IS 'The published cases by day of registration, residence, sex, age and classification.';

CREATE FUNCTION count_places() RETURNS TABLE (
    registered_on            date,
    registration_province_id smallint,
    residence_province_id    smallint,
    residence_department_id  integer,
    confirmed                bigint,
    died                     bigint
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 SET jit = off AS $$
    SELECT registered_on, registration_province_id, residence_province_id, residence_department_id,
           count(*) AS confirmed, count(died_on) AS died
    FROM public.covid_case
    WHERE classification = 'Confirmado'
    GROUP BY 1, 2, 3, 4
$$;
CREATE FUNCTION place_counts() RETURNS TABLE (
    registered_on            date,
    registration_province_id smallint,
    residence_province_id    smallint,
    residence_department_id  integer,
    confirmed                bigint,
    died                     bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT registered_on, registration_province_id, residence_province_id, residence_department_id, confirmed, died
    FROM public.place_count
    WHERE run_id = public.published_load()
    UNION ALL
    SELECT *
    FROM public.count_places()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = public.published_load())
$$;
COMMENT ON FUNCTION place_counts IS 'The published confirmed cases by day and province of registration, and by province and department of residence.';

CREATE FUNCTION count_delays() RETURNS TABLE (
    registered_on date,
    symptoms_on   date,
    confirmed     bigint
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 SET jit = off AS $$
    SELECT registered_on, symptoms_on, count(*) AS confirmed
    FROM public.covid_case
    WHERE classification = 'Confirmado'
    GROUP BY 1, 2
$$;
CREATE FUNCTION delay_counts() RETURNS TABLE (
    registered_on date,
    symptoms_on   date,
    confirmed     bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT registered_on, symptoms_on, confirmed
    FROM public.delay_count
    WHERE run_id = public.published_load()
    UNION ALL
    SELECT *
    FROM public.count_delays()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = public.published_load())
$$;
COMMENT ON FUNCTION delay_counts IS 'The published confirmed cases by the days of their registration and of their first symptoms.';

CREATE FUNCTION count_contradictions() RETURNS TABLE (
    contradiction text,
    cases         bigint
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 SET jit = off AS $$
    SELECT contradiction, cases
    FROM (
        SELECT count(*) FILTER (WHERE died_on IS NOT NULL AND classification IS DISTINCT FROM 'Confirmado') AS died_unconfirmed,
               count(*) FILTER (WHERE died_on IS NOT NULL AND admitted_on IS NULL) AS died_unadmitted,
               count(*) FILTER (WHERE ventilated AND NOT icu) AS ventilated_without_icu,
               count(*) FILTER (WHERE icu AND admitted_on IS NULL) AS icu_unadmitted,
               count(*) FILTER (WHERE registered_on < symptoms_on) AS registered_before_symptoms,
               count(*) FILTER (WHERE diagnosed_on < registered_on) AS diagnosed_before_registered,
               count(*) FILTER (WHERE died_on < registered_on) AS died_before_registered,
               count(*) FILTER (WHERE died_on < symptoms_on) AS died_before_symptoms,
               count(*) FILTER (WHERE died_on < admitted_on) AS died_before_admitted,
               count(*) FILTER (WHERE least(symptoms_on, admitted_on, died_on, diagnosed_on) < DATE '2020-01-01') AS before_pandemic
        FROM public.covid_case
    ) AS tally
    CROSS JOIN LATERAL (VALUES
        ('died_unconfirmed', died_unconfirmed), ('died_unadmitted', died_unadmitted),
        ('ventilated_without_icu', ventilated_without_icu), ('icu_unadmitted', icu_unadmitted),
        ('registered_before_symptoms', registered_before_symptoms),
        ('diagnosed_before_registered', diagnosed_before_registered),
        ('died_before_registered', died_before_registered), ('died_before_symptoms', died_before_symptoms),
        ('died_before_admitted', died_before_admitted), ('before_pandemic', before_pandemic)
    ) AS line (contradiction, cases)
$$;
CREATE FUNCTION contradiction_counts() RETURNS TABLE (
    contradiction text,
    cases         bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT contradiction, cases
    FROM public.contradiction_count
    WHERE run_id = public.published_load()
    UNION ALL
    SELECT *
    FROM public.count_contradictions()
    WHERE NOT EXISTS (SELECT FROM public.case_count WHERE run_id = public.published_load())
$$;
COMMENT ON FUNCTION contradiction_counts IS 'What the published cases say against themselves or against common sense; a case may be in several lines.';

-- Wilson's score interval for a share, at 95 %: it holds for few cases and for shares near 0, where the usual one does not.
CREATE FUNCTION wilson_low(part bigint, whole bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN whole > 0 THEN
        greatest(0, (part + 1.920729410347062 - 1.959963984540054 * sqrt(part * (whole - part)::float8 / whole + 0.960364705173531)) / (whole + 3.841458820694124))
    END
$$;
CREATE FUNCTION wilson_high(part bigint, whole bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN whole > 0 THEN
        least(1, (part + 1.920729410347062 + 1.959963984540054 * sqrt(part * (whole - part)::float8 / whole + 0.960364705173531)) / (whole + 3.841458820694124))
    END
$$;
COMMENT ON FUNCTION wilson_low IS 'Lower end of Wilson''s 95 % interval of part / whole.';
COMMENT ON FUNCTION wilson_high IS 'Upper end of Wilson''s 95 % interval of part / whole.';
