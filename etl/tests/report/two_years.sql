-- Enough cases for numbers with separators, over two years; every value follows from arithmetic, so that it never changes.

INSERT INTO release_province_1 (province_id, name) VALUES
    (2, 'CABA'), (6, 'Buenos Aires'), (10, 'Catamarca'), (14, 'Córdoba'), (18, 'Corrientes'), (22, 'Chaco'), (26, 'Chubut'),
    (30, 'Entre Ríos'), (34, 'Formosa'), (38, 'Jujuy'), (42, 'La Pampa'), (46, 'La Rioja'), (50, 'Mendoza'),
    (54, 'Misiones'), (58, 'Neuquén'), (62, 'Río Negro'), (66, 'Salta'), (70, 'San Juan'), (74, 'San Luis'),
    (78, 'Santa Cruz'), (82, 'Santa Fe'), (86, 'Santiago del Estero'), (90, 'Tucumán'), (94, 'Tierra del Fuego');

INSERT INTO release_case_1 (case_id, sex, age, registered_on, died_on, registration_province_id, residence_province_id,
                        classification, icu, ventilated)
SELECT row_number() OVER (),
       CASE WHEN mixed % 211 = 0 THEN 'NR' WHEN mixed % 17 < 9 THEN 'F' ELSE 'M' END,
       CASE WHEN mixed % 509 = 0 THEN NULL ELSE (mixed % 53 + mixed % 47) END,
       day,
       CASE WHEN mixed % 97 = 0 THEN day + 12 END,
       6,
       CASE WHEN mixed % 67 = 0 THEN NULL WHEN mixed % 5 < 2 THEN 6 WHEN mixed % 7 = 0 THEN 2 ELSE 2 + 4 * (mixed % 24) END,
       CASE WHEN mixed % 13 < 4 THEN 'Confirmado' WHEN mixed % 13 = 4 THEN 'Sospechoso' ELSE 'Descartado' END,
       false, false
FROM (
    SELECT number,
           DATE '2021-01-01' + number AS day,
           -- Two waves, and quieter weekends.
           (60 + 150 * exp(-power((number - 140) / 40.0, 2)) + 900 * exp(-power((number - 385) / 15.0, 2)))
               * CASE WHEN extract(dow FROM DATE '2021-01-01' + number) IN (0, 6) THEN 0.6 ELSE 1 END AS size
    FROM generate_series(0, DATE '2022-06-02' - DATE '2021-01-01') AS number
) AS wave
CROSS JOIN LATERAL generate_series(1, size::int) AS nth
CROSS JOIN LATERAL (SELECT (number * 40503 + nth * 7919::bigint) * 2654435 % 1000003 AS mixed) AS hash;

INSERT INTO pipeline_run (run_id, kind, status, started_at, finished_at, dataset_updated_on, years, rows_read,
                          rows_filtered, rows_loaded, rows_repaired, rows_rejected)
SELECT '2b1f0c3e-5a77-4c58-9d10-6f6a0c1f2e3d', 'etl', 'succeeded', '2022-06-05 03:14:00Z', '2022-06-05 03:15:30Z',
       '2022-06-03', '2021,2022', count(*) + 1234567 + 1060, 1234567, count(*), 46, 1060
FROM release_case_1;

INSERT INTO run_issue (run_id, dataset, kind, reason, rows)
SELECT '2b1f0c3e-5a77-4c58-9d10-6f6a0c1f2e3d', dataset, kind, reason, rows
FROM (VALUES
    ('cases', 'rejected', 'duplicate_case_id', 1047),
    ('cases', 'rejected', 'malformed', 13),
    ('cases', 'repaired', 'unknown_residence_department', 31),
    ('cases', 'repaired', 'invalid_symptoms_on', 8),
    ('cases', 'repaired', 'a_reason_that_this_program_does_not_know', 7),
    ('departments', 'rejected', 'malformed', 1)
) AS tally (dataset, kind, reason, rows);
