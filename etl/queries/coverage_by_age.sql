-- Doses that begin and complete a vaccination, by age group, beside the people of that age.
--
-- A first or single dose begins a vaccination, a second or single dose completes it. Doses are counted, not people, and the age is that of
-- the day of the dose: a share can be above 100 %. Population: 2022 census, people in private dwellings. No rows if the load had no register
-- of doses. The country has all people and all doses, also those of unknown age.
WITH tally AS MATERIALIZED (
    SELECT age_group,
           coalesce(sum(doses) FILTER (WHERE dose IN ('first', 'single')), 0)::bigint  AS begun,
           coalesce(sum(doses) FILTER (WHERE dose IN ('second', 'single')), 0)::bigint AS completed,
           coalesce(sum(doses) FILTER (WHERE dose NOT IN ('first', 'second', 'single', 'additional')), 0)::bigint AS boosters
    FROM dose_count
    GROUP BY age_group
),
country AS (
    SELECT 100 * sum(begun)::float8 / people AS begun_percent, 100 * sum(completed)::float8 / people AS completed_percent
    FROM tally
    CROSS JOIN (SELECT sum(population)::float8 AS people FROM province_population) AS census
    GROUP BY people
),
bounds AS (
    SELECT tally.*,
           CASE WHEN age_group LIKE '<%' THEN 0
                WHEN age_group LIKE '>=%' THEN substr(age_group, 3)::integer
                ELSE split_part(age_group, '-', 1)::integer END AS youngest,
           CASE WHEN age_group LIKE '<%' THEN substr(age_group, 2)::integer - 1
                WHEN age_group LIKE '>=%' THEN 100
                ELSE split_part(age_group, '-', 2)::integer END AS oldest
    FROM tally
)
SELECT country.begun_percent     AS country_begun_percent,
       country.completed_percent AS country_completed_percent,
       age_group,
       people.population,
       begun,
       100 * begun::float8 / people.population     AS begun_percent,
       completed,
       100 * completed::float8 / people.population AS completed_percent,
       boosters,
       100 * boosters::float8 / people.population  AS boosters_per_100
FROM bounds
CROSS JOIN country
CROSS JOIN LATERAL (
    SELECT sum(population)::bigint AS population FROM age_population WHERE age BETWEEN youngest AND oldest
) AS people
ORDER BY youngest NULLS LAST, oldest;
