-- Doses whose date, person, place or vaccine the register does not know, or gives in a form that is not valid.
--
-- No rows if the load had no register of doses.
WITH by_residence AS MATERIALIZED (
    SELECT sum(doses)                                                     AS doses,
           sum(doses) FILTER (WHERE week_starts_on IS NULL)               AS week,
           sum(doses) FILTER (WHERE dose IS NULL)                         AS dose,
           sum(doses) FILTER (WHERE sex IS NULL)                          AS sex,
           sum(doses) FILTER (WHERE age_group IS NULL)                    AS age_group,
           sum(doses) FILTER (WHERE residence_province_id IS NULL)        AS residence_province,
           sum(doses) FILTER (WHERE residence_department_id IS NULL)      AS residence_department
    FROM dose_count
),
by_application AS MATERIALIZED (
    SELECT sum(doses) FILTER (WHERE application_province_id IS NULL)      AS application_province,
           sum(doses) FILTER (WHERE application_department_id IS NULL)    AS application_department,
           sum(doses) FILTER (WHERE vaccine IS NULL)                      AS vaccine,
           sum(doses) FILTER (WHERE condition IS NULL)                    AS condition
    FROM dose_application_count
)
SELECT unknown.field,
       doses::bigint                                          AS doses,
       coalesce(unknown.doses_unknown, 0)::bigint             AS unknown,
       100 * coalesce(unknown.doses_unknown, 0)::float8 / doses::float8 AS unknown_percent
FROM by_residence
CROSS JOIN by_application
CROSS JOIN LATERAL (VALUES
    (1, 'week_starts_on', week), (2, 'dose', dose), (3, 'vaccine', vaccine), (4, 'condition', condition), (5, 'sex', sex),
    (6, 'age_group', age_group), (7, 'residence_province_id', residence_province),
    (8, 'residence_department_id', residence_department), (9, 'application_province_id', application_province),
    (10, 'application_department_id', application_department)
) AS unknown (place, field, doses_unknown)
WHERE doses > 0
ORDER BY unknown.place;
