-- Confirmed cases of the last month by province of residence; an unspecified residence has a row of its own, so that no join drops a case.
--
-- The last month is that of the newest registration of any case; it is partial unless its last day is that registration. The counts of
-- its year so far are beside it.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           residence_province_id                                 AS province_id,
           coalesce(sum(cases) FILTER (WHERE classification = 'Confirmado'), 0) AS confirmed
    FROM case_counts()
    GROUP BY registered_on, residence_province_id
),
latest AS (
    SELECT max(registered_on)                                        AS newest_on,
           date_trunc('month', max(registered_on)::timestamp)::date  AS month,
           date_trunc('year', max(registered_on)::timestamp)::date   AS year
    FROM daily
    HAVING count(*) > 0
),
tally AS (
    SELECT province_id,
           sum(CASE WHEN registered_on >= month THEN confirmed ELSE 0 END)::bigint AS confirmed,
           sum(CASE WHEN registered_on >= year THEN confirmed ELSE 0 END)::bigint  AS confirmed_in_year
    FROM daily
    CROSS JOIN latest
    GROUP BY province_id
),
line AS (
    SELECT province_id FROM province
    UNION
    SELECT NULL
    UNION
    SELECT province_id FROM tally
)
SELECT latest.month,
       latest.newest_on,
       latest.newest_on < (latest.month + interval '1 month' - interval '1 day')::date AS partial,
       line.province_id::bigint             AS province_id,
       province.name                        AS province,
       coalesce(tally.confirmed, 0)         AS confirmed,
       100 * coalesce(tally.confirmed, 0)::float8
           / nullif(sum(tally.confirmed) OVER (), 0)::float8         AS share_percent,
       coalesce(tally.confirmed_in_year, 0) AS confirmed_in_year,
       100 * coalesce(tally.confirmed_in_year, 0)::float8
           / nullif(sum(tally.confirmed_in_year) OVER (), 0)::float8 AS share_of_year_percent
FROM latest
CROSS JOIN line
LEFT JOIN tally ON tally.province_id IS NOT DISTINCT FROM line.province_id
LEFT JOIN province ON province.province_id = line.province_id
ORDER BY line.province_id IS NULL, confirmed DESC, confirmed_in_year DESC, line.province_id;
