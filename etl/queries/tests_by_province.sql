-- Tests of the loaded years by province of the laboratory, and how many of them were positive.
--
-- Laboratories also test people from other provinces. A province without tests has a row, and so have tests of unknown province.
-- Population: 2022 census. No rows if the load had no file of tests.
WITH tally AS MATERIALIZED (
    SELECT province_id,
           sum(tests)::bigint     AS tests,
           sum(positives)::bigint AS positives
    FROM test_counts()
    GROUP BY province_id
),
line AS (
    SELECT province_id, name FROM province
    UNION ALL
    SELECT NULL, NULL FROM tally WHERE province_id IS NULL
)
SELECT line.province_id::bigint                                        AS province_id,
       line.name                                                       AS province,
       coalesce(tally.tests, 0)                                        AS tests,
       100 * coalesce(tally.tests, 0)::float8
           / nullif(sum(tally.tests) OVER (), 0)::float8               AS share_percent,
       coalesce(tally.positives, 0)                                    AS positives,
       100 * tally.positives::float8 / nullif(tally.tests, 0)          AS positivity_percent,
       1000 * coalesce(tally.tests, 0)::float8 / population.population AS per_1000
FROM line
LEFT JOIN tally ON tally.province_id IS NOT DISTINCT FROM line.province_id
LEFT JOIN province_population AS population ON population.province_id = line.province_id
WHERE EXISTS (SELECT FROM tally)
ORDER BY line.province_id IS NULL, coalesce(tally.tests, 0) DESC, line.name, line.province_id;
