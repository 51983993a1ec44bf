-- Confirmed cases of the last month by sex as registered; 'NR' (not registered) has a row of its own.
--
-- The last month is that of the newest registration of any case; it is partial unless its last day is that registration. The counts of
-- its year so far are beside it.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           sex,
           coalesce(sum(cases) FILTER (WHERE classification = 'Confirmado'), 0) AS confirmed
    FROM case_counts()
    GROUP BY registered_on, sex
),
latest AS (
    SELECT max(registered_on)                                        AS newest_on,
           date_trunc('month', max(registered_on)::timestamp)::date  AS month,
           date_trunc('year', max(registered_on)::timestamp)::date   AS year
    FROM daily
    HAVING count(*) > 0
),
tally AS (
    SELECT sex,
           sum(CASE WHEN registered_on >= month THEN confirmed ELSE 0 END)::bigint AS confirmed,
           sum(CASE WHEN registered_on >= year THEN confirmed ELSE 0 END)::bigint  AS confirmed_in_year
    FROM daily
    CROSS JOIN latest
    GROUP BY sex
),
line AS (
    SELECT sex FROM (VALUES ('F'), ('M'), ('NR')) AS usual (sex)
    UNION
    SELECT sex FROM tally
)
SELECT latest.month,
       latest.newest_on,
       latest.newest_on < (latest.month + interval '1 month' - interval '1 day')::date AS partial,
       line.sex,
       coalesce(tally.confirmed, 0)         AS confirmed,
       100 * coalesce(tally.confirmed, 0)::float8
           / nullif(sum(tally.confirmed) OVER (), 0)::float8         AS share_percent,
       coalesce(tally.confirmed_in_year, 0) AS confirmed_in_year,
       100 * coalesce(tally.confirmed_in_year, 0)::float8
           / nullif(sum(tally.confirmed_in_year) OVER (), 0)::float8 AS share_of_year_percent
FROM latest
CROSS JOIN line
LEFT JOIN tally ON tally.sex IS NOT DISTINCT FROM line.sex
ORDER BY line.sex IS NULL, line.sex = 'NR', line.sex;
