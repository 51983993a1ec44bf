-- Deaths among confirmed cases by age, as a share with Wilson's 95 % interval, which is valid for few cases, too.
--
-- Deaths are those of the loaded cases on any date. Recent cases can still die, and cases that were never confirmed are not counted:
-- the share is of confirmed cases, not of infections.
WITH tally AS (
    SELECT age_decade,
           sum(cases)::bigint AS confirmed,
           sum(died)::bigint  AS died
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
            WHEN line.decade = 9 THEN '90+' END              AS age_band,
       coalesce(tally.confirmed, 0)                          AS confirmed,
       coalesce(tally.died, 0)                               AS died,
       100 * tally.died::float8 / nullif(tally.confirmed, 0) AS fatality_percent,
       100 * wilson_low(tally.died, tally.confirmed)         AS low_percent,
       100 * wilson_high(tally.died, tally.confirmed)        AS high_percent
FROM line
LEFT JOIN tally ON tally.age_decade IS NOT DISTINCT FROM line.decade
WHERE EXISTS (SELECT FROM tally)
ORDER BY line.decade NULLS LAST;
