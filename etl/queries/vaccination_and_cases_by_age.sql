-- Vaccination beside incidence and fatality of the loaded years, by age.
--
-- A description, not an effect: the ages differ in exposure, in illness and in when they were vaccinated. The three groups of doses below 30 are
-- added up, because they are not those of the cases; so are those above 90. Population: 2022 census, people in private dwellings. No rows if
-- the load had no register of doses.
WITH line AS (
    SELECT number AS decade, CASE number WHEN 2 THEN 0 ELSE number * 10 END AS youngest,
           CASE number WHEN 9 THEN 100 ELSE number * 10 + 9 END AS oldest
    FROM generate_series(2, 9) AS number
),
given AS MATERIALIZED (
    SELECT CASE WHEN age_group LIKE '<%' THEN 0
                WHEN age_group LIKE '>=%' THEN substr(age_group, 3)::integer
                ELSE split_part(age_group, '-', 1)::integer END                        AS youngest,
           coalesce(sum(doses) FILTER (WHERE dose IN ('second', 'single')), 0)::bigint AS completed,
           coalesce(sum(doses) FILTER (WHERE dose NOT IN ('first', 'second', 'single', 'additional')), 0)::bigint AS boosters
    FROM dose_count
    GROUP BY age_group
),
confirmed AS MATERIALIZED (
    SELECT age_decade, sum(cases)::bigint AS cases, sum(died)::bigint AS died
    FROM case_counts()
    WHERE classification = 'Confirmado'
    GROUP BY age_decade
)
SELECT CASE line.decade WHEN 9 THEN '90+' ELSE format('%s-%s', line.youngest, line.oldest) END AS age_band,
       people.population,
       100 * doses.completed::float8 / people.population   AS completed_percent,
       100 * doses.boosters::float8 / people.population    AS boosters_per_100,
       of_age.cases                                          AS confirmed,
       100000 * of_age.cases::float8 / people.population     AS per_100000,
       of_age.died,
       100 * of_age.died::float8 / nullif(of_age.cases, 0)     AS fatality_percent
FROM line
CROSS JOIN LATERAL (
    SELECT sum(population)::bigint AS population FROM age_population WHERE age BETWEEN line.youngest AND line.oldest
) AS people
CROSS JOIN LATERAL (
    SELECT coalesce(sum(completed), 0)::bigint AS completed, coalesce(sum(boosters), 0)::bigint AS boosters
    FROM given WHERE given.youngest BETWEEN line.youngest AND line.oldest
) AS doses
CROSS JOIN LATERAL (
    SELECT coalesce(sum(cases), 0)::bigint AS cases, coalesce(sum(died), 0)::bigint AS died
    FROM confirmed WHERE age_decade * 10 BETWEEN line.youngest AND line.oldest
) AS of_age
WHERE EXISTS (SELECT FROM given)
ORDER BY line.decade;
