-- Confirmed cases by age and sex, over all loaded cases. People registered as neither woman nor man have a column of their own.
WITH tally AS (
    SELECT age_decade,
           sum(cases) FILTER (WHERE sex = 'F')::bigint                                      AS women,
           sum(cases) FILTER (WHERE sex = 'M')::bigint                                      AS men,
           sum(cases) FILTER (WHERE sex IS NULL OR sex NOT IN ('F', 'M'))::bigint           AS not_registered
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
            WHEN line.decade = 9 THEN '90+' END AS age_band,
       coalesce(women, 0)          AS women,
       coalesce(men, 0)            AS men,
       coalesce(not_registered, 0) AS not_registered
FROM line
LEFT JOIN tally ON tally.age_decade IS NOT DISTINCT FROM line.decade
WHERE EXISTS (SELECT FROM tally)
ORDER BY line.decade NULLS LAST;
