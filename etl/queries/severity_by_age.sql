-- Confirmed cases of each age that were admitted, were in intensive care, were ventilated, or died.
--
-- Each column counts cases with that event on record. The columns are not a strict funnel: some people die without a recorded
-- admission, and some ventilated people have no recorded intensive care.
WITH tally AS (
    SELECT age_decade,
           sum(cases)::bigint      AS confirmed,
           sum(admitted)::bigint   AS admitted,
           sum(icu)::bigint        AS icu,
           sum(ventilated)::bigint AS ventilated,
           sum(died)::bigint       AS died
    FROM case_counts()
    WHERE classification = 'Confirmado'
    GROUP BY age_decade
),
line AS (
    SELECT number AS decade FROM generate_series(0, 9) AS number
    UNION ALL
    SELECT NULL
)
SELECT CASE WHEN line.decade < 9 THEN format('%s-%s', line.decade * 10, line.decade * 10 + 9)
            WHEN line.decade = 9 THEN '90+' END         AS age_band,
       coalesce(confirmed, 0)                           AS confirmed,
       coalesce(admitted, 0)                            AS admitted,
       coalesce(icu, 0)                                 AS icu,
       coalesce(ventilated, 0)                          AS ventilated,
       coalesce(died, 0)                                AS died,
       100 * admitted::float8 / nullif(confirmed, 0)    AS admitted_percent,
       100 * icu::float8 / nullif(confirmed, 0)         AS icu_percent,
       100 * ventilated::float8 / nullif(confirmed, 0)  AS ventilated_percent,
       100 * died::float8 / nullif(confirmed, 0)        AS died_percent
FROM line
LEFT JOIN tally ON tally.age_decade IS NOT DISTINCT FROM line.decade
WHERE EXISTS (SELECT FROM tally)
ORDER BY line.decade NULLS LAST;
