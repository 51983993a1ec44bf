-- Confirmed cases of the last month by age in bands of ten years; an unknown age has a row of its own.
--
-- The last month is that of the newest registration of any case; it is partial unless its last day is that registration. The counts of
-- its year so far are beside it.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           age_decade AS decade,
           coalesce(sum(cases) FILTER (WHERE classification = 'Confirmado'), 0) AS confirmed
    FROM case_counts()
    GROUP BY registered_on, 2
),
latest AS (
    SELECT max(registered_on)                                        AS newest_on,
           date_trunc('month', max(registered_on)::timestamp)::date  AS month,
           date_trunc('year', max(registered_on)::timestamp)::date   AS year
    FROM daily
    HAVING count(*) > 0
),
tally AS (
    SELECT decade,
           sum(CASE WHEN registered_on >= month THEN confirmed ELSE 0 END)::bigint AS confirmed,
           sum(CASE WHEN registered_on >= year THEN confirmed ELSE 0 END)::bigint  AS confirmed_in_year
    FROM daily
    CROSS JOIN latest
    GROUP BY decade
),
line AS (
    SELECT number AS decade FROM generate_series(0, 9) AS number
    UNION ALL
    SELECT NULL
)
SELECT latest.month,
       latest.newest_on,
       latest.newest_on < (latest.month + interval '1 month' - interval '1 day')::date AS partial,
       CASE WHEN line.decade < 9 THEN format('%s-%s', line.decade * 10, line.decade * 10 + 9)
            WHEN line.decade = 9 THEN '90+' END AS age_band,
       coalesce(tally.confirmed, 0)         AS confirmed,
       100 * coalesce(tally.confirmed, 0)::float8
           / nullif(sum(tally.confirmed) OVER (), 0)::float8         AS share_percent,
       coalesce(tally.confirmed_in_year, 0) AS confirmed_in_year,
       100 * coalesce(tally.confirmed_in_year, 0)::float8
           / nullif(sum(tally.confirmed_in_year) OVER (), 0)::float8 AS share_of_year_percent
FROM latest
CROSS JOIN line
LEFT JOIN tally ON tally.decade IS NOT DISTINCT FROM line.decade
ORDER BY line.decade NULLS LAST;
