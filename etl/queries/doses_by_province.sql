-- Doses of all vaccines by province of vaccination, in total and per 100 people.
--
-- The ministry's file is a snapshot without dates of vaccination: there is no time series, and doses of all years are included. A
-- person receives several doses. A province without doses has a row, and so have doses of unknown province. Population: 2022 census.
-- No rows if the load had no file of vaccinations.
WITH tally AS MATERIALIZED (
    SELECT province_id,
           sum(doses)::bigint                                                   AS doses,
           coalesce(sum(doses) FILTER (WHERE dose = 'first'), 0)::bigint      AS first,
           coalesce(sum(doses) FILTER (WHERE dose = 'second'), 0)::bigint     AS second,
           coalesce(sum(doses) FILTER (WHERE dose = 'single'), 0)::bigint     AS single,
           coalesce(sum(doses) FILTER (WHERE dose = 'additional'), 0)::bigint AS additional,
           coalesce(sum(doses) FILTER (WHERE dose = 'booster'), 0)::bigint    AS booster
    FROM vaccination_counts()
    GROUP BY province_id
),
line AS (
    SELECT province_id, name FROM province
    UNION ALL
    SELECT NULL, NULL FROM tally WHERE province_id IS NULL
),
country AS (
    SELECT 100 * (SELECT sum(doses) FROM tally)::float8 / sum(population) AS per_100
    FROM province_population
)
SELECT country.per_100                                                AS country_per_100,
       line.province_id::bigint                                       AS province_id,
       line.name                                                      AS province,
       coalesce(tally.doses, 0)                                       AS doses,
       100 * coalesce(tally.doses, 0)::float8 / population.population AS per_100,
       coalesce(tally.first, 0)                                       AS first,
       coalesce(tally.second, 0)                                      AS second,
       coalesce(tally.single, 0)                                      AS single,
       coalesce(tally.additional, 0)                                  AS additional,
       coalesce(tally.booster, 0)                                     AS booster
FROM line
CROSS JOIN country
LEFT JOIN tally ON tally.province_id IS NOT DISTINCT FROM line.province_id
LEFT JOIN province_population AS population ON population.province_id = line.province_id
WHERE EXISTS (SELECT FROM tally)
ORDER BY line.province_id IS NULL, coalesce(tally.doses, 0) DESC, line.name, line.province_id;
