-- Confirmed cases in each loaded year of registration.
--
-- One scan, grouped by day first: a few hundred groups are cheap to fold, and dates are not taken apart once per row.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           count(*)                                                                           AS notified,
           count(*) FILTER (WHERE classification = 'Confirmado')                              AS confirmed,
           count(*) FILTER (WHERE classification = 'Confirmado' AND died_on IS NOT NULL)      AS died
    FROM covid_case
    GROUP BY registered_on
),
yearly AS (
    SELECT extract(year FROM registered_on)::bigint AS year,
           sum(notified)::bigint                    AS notified,
           sum(confirmed)::bigint                   AS confirmed,
           sum(died)::bigint                        AS died,
           max(registered_on)                       AS newest_on
    FROM daily
    GROUP BY 1
)
SELECT year,
       confirmed,
       notified,
       100 * confirmed::float8 / notified        AS confirmed_percent,
       died,
       100 * died::float8 / nullif(confirmed, 0) AS fatality_percent,
       newest_on
FROM yearly
ORDER BY year;
