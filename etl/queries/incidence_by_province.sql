-- Confirmed cases per 100,000 people, by province of residence and epidemiological week.
--
-- Weeks run from Sunday to Saturday and belong to the year of their Wednesday. Only the newest 53 whole weeks have rows: the incidence
-- of a partial week cannot be compared. Population: 2022 census. The row without a province is the country, which includes cases of
-- unspecified residence.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           residence_province_id                                          AS province_id,
           sum(cases) FILTER (WHERE classification = 'Confirmado')::bigint AS confirmed
    FROM case_counts()
    GROUP BY registered_on, residence_province_id
),
newest AS (
    SELECT max(registered_on) AS newest_on FROM daily
),
loaded_year AS (
    SELECT DISTINCT extract(year FROM registered_on)::int AS year FROM daily
),
week AS (
    SELECT starts_on
    FROM newest
    CROSS JOIN generate_series(0, 52) AS number
    CROSS JOIN LATERAL (SELECT newest_on - 6 - extract(dow FROM newest_on + 1)::int - 7 * number AS starts_on) AS sunday
    WHERE extract(year FROM starts_on) IN (SELECT year FROM loaded_year)
      AND extract(year FROM starts_on + 6) IN (SELECT year FROM loaded_year)
),
counted AS (
    SELECT registered_on - extract(dow FROM registered_on)::int AS starts_on,
           province_id,
           grouping(province_id) = 1                            AS country,
           sum(confirmed)::bigint                               AS confirmed
    FROM daily
    GROUP BY GROUPING SETS ((1, province_id), (1))
),
line AS (
    SELECT false AS country, province_id, name, population FROM province LEFT JOIN province_population USING (province_id)
    UNION ALL
    SELECT true, NULL, NULL, sum(population) FROM province JOIN province_population USING (province_id) HAVING count(*) > 0
)
SELECT extract(year FROM week.starts_on + 3)::bigint              AS epidemiological_year,
       (extract(doy FROM week.starts_on + 3)::bigint - 1) / 7 + 1 AS epidemiological_week,
       week.starts_on                                             AS week_starts_on,
       line.province_id::bigint                                   AS province_id,
       line.name                                                  AS province,
       line.population::bigint                                    AS population,
       coalesce(counted.confirmed, 0)                             AS confirmed,
       100000 * coalesce(counted.confirmed, 0)::float8 / line.population AS per_100000
FROM week
CROSS JOIN line
LEFT JOIN counted
       ON counted.starts_on = week.starts_on AND counted.country = line.country
      AND (line.country OR counted.province_id = line.province_id)
ORDER BY week.starts_on, line.country DESC, line.name, line.province_id;
