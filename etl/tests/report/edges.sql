-- Every edge of the report in few rows, so that the expected answers can be written by hand.
-- The newest registration of any case is Wednesday 2021-02-10; 2020 has an epidemiological week 53.

INSERT INTO release_province_1 (province_id, name) VALUES (2, 'CABA'), (6, 'Buenos Aires'), (14, 'Córdoba'), (94, 'Tierra del Fuego');

INSERT INTO release_case_1 (case_id, sex, age, registered_on, died_on, registration_province_id, residence_province_id,
                        classification, icu, ventilated)
SELECT case_id, sex, age, registered_on::date, died_on::date, 6, residence, classification, false, false
FROM (VALUES
    -- 2020: 14 confirmed of 16. 29 February is in the same month as the last one, a year earlier.
    ( 1, 'F',   30, '2020-02-29', NULL,          6, 'Confirmado'),
    ( 2, 'F',   31, '2020-03-01', NULL,          6, 'Confirmado'),
    ( 3, 'M',   32, '2020-03-01', NULL,          6, 'Confirmado'),
    ( 4, 'M',   33, '2020-03-02', NULL,          6, 'Sin Clasificar'),
    -- Week 49 ends on Saturday 5 December: before the two months, but the week after it is compared with it.
    ( 5, 'F',   34, '2020-12-05', NULL,          6, 'Confirmado'),
    ( 6, 'F',   35, '2020-12-05', NULL,          6, 'Confirmado'),
    ( 7, 'M',   36, '2020-12-05', NULL,          6, 'Confirmado'),
    ( 8, 'M',   37, '2020-12-05', NULL,          6, 'Confirmado'),
    -- Week 50, its first and its last day; then 51.
    ( 9, 'F',   38, '2020-12-06', NULL,          2, 'Confirmado'),
    (10, 'F',   39, '2020-12-12', NULL,          2, 'Confirmado'),
    (11, 'M',   40, '2020-12-13', NULL,          2, 'Confirmado'),
    (12, 'M',   41, '2020-12-13', NULL,          2, 'Confirmado'),
    (13, 'M',   42, '2020-12-13', NULL,          2, 'Confirmado'),
    -- Week 52 has a death, but of a discarded case.
    (14, 'M',   80, '2020-12-21', '2020-12-24',  2, 'Descartado'),
    -- Week 53 spans New Year; a death of 2021 belongs to the case of 2020.
    (15, 'F',   81, '2020-12-31', '2021-01-15',  6, 'Confirmado'),
    (16, 'M',   43, '2020-12-31', NULL,          6, 'Confirmado'),
    -- January 2021: 9 confirmed.
    (17, 'F',    9, '2021-01-01', NULL,          6, 'Confirmado'),
    (18, 'M',   10, '2021-01-02', NULL,          6, 'Confirmado'),
    (19, 'F',   19, '2021-01-03', NULL,          2, 'Confirmado'),
    -- No case at all in week 2.
    (20, 'F',   20, '2021-01-17', NULL,         14, 'Confirmado'),
    (21, 'M',   89, '2021-01-17', '2021-01-20', 14, 'Confirmado'),
    (22, 'F',   90, '2021-01-30', NULL,       NULL, 'Confirmado'),
    (23, 'M',   35, '2021-01-30', NULL,          6, 'Confirmado'),
    (24, 'F', NULL, '2021-01-31', NULL,          6, 'Confirmado'),
    (25, 'M',   35, '2021-01-31', NULL,          2, 'Confirmado'),
    -- February 2021, the last month: 3 confirmed of 5.
    (26, 'F', NULL, '2021-02-01', NULL,          6, 'Confirmado'),
    (27, 'M',   50, '2021-02-05', '2021-02-06',  6, 'Descartado'),
    (28, 'M',    0, '2021-02-07', NULL,       NULL, 'Confirmado'),
    (29, 'NR', 120, '2021-02-08', NULL,          2, 'Confirmado'),
    (30, 'NR',  60, '2021-02-10', NULL,       NULL, 'Sospechoso')
) AS made (case_id, sex, age, registered_on, died_on, residence, classification);

INSERT INTO pipeline_run (run_id, kind, status, started_at, finished_at, dataset_updated_on, years, rows_read,
                          rows_filtered, rows_loaded, rows_repaired, rows_rejected) VALUES
    -- An older release, loaded last: it is the published one.
    ('00000000-0000-4000-8000-000000000001', 'etl', 'succeeded', '2021-02-12 03:00Z', '2021-02-12 03:05:06Z',
     '2021-02-11', '2020,2021', 40, 6, 30, 3, 4),
    ('00000000-0000-4000-8000-000000000002', 'etl', 'succeeded', '2021-02-11 03:00Z', '2021-02-11 03:05:06Z',
     '2021-02-15', '2020,2021', 99, 0, 99, 0, 0),
    -- None of these published anything.
    ('00000000-0000-4000-8000-000000000003', 'etl', 'failed', '2021-02-13 03:00Z', '2021-02-13 03:05Z',
     '2021-02-12', 'all', 1, 0, 0, 0, 1),
    ('00000000-0000-4000-8000-000000000004', 'etl', 'skipped', '2021-02-14 03:00Z', '2021-02-14 03:05Z',
     '2021-02-11', '2020,2021', NULL, NULL, NULL, NULL, NULL),
    ('00000000-0000-4000-8000-000000000005', 'etl', 'running', '2021-02-15 03:00Z', NULL,
     NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('00000000-0000-4000-8000-000000000006', 'report', 'succeeded', '2021-02-16 03:00Z', '2021-02-16 03:05Z',
     NULL, NULL, NULL, NULL, NULL, NULL, NULL);

UPDATE release SET run_id = '00000000-0000-4000-8000-000000000001' WHERE release_id = 1;
INSERT INTO release (release_id, run_id, rules_version, publication, dropped_at)
VALUES (0, '00000000-0000-4000-8000-000000000002', 1, 0, now());

INSERT INTO run_issue (run_id, dataset, kind, reason, rows) VALUES
    ('00000000-0000-4000-8000-000000000001', 'cases', 'rejected', 'malformed', 1),
    ('00000000-0000-4000-8000-000000000001', 'cases', 'rejected', 'duplicate_case_id', 3),
    ('00000000-0000-4000-8000-000000000001', 'cases', 'repaired', 'missing_age', 2),
    ('00000000-0000-4000-8000-000000000001', 'cases', 'repaired', 'from_the_future', 1),
    ('00000000-0000-4000-8000-000000000001', 'departments', 'rejected', 'malformed', 1),
    ('00000000-0000-4000-8000-000000000003', 'cases', 'rejected', 'missing_case_id', 1);
