-- Confirmed cases by year of registration.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           sum(cases) AS notified,
           coalesce(sum(cases) FILTER (WHERE classification = 'Confirmado'), 0) AS confirmed,
           coalesce(sum(died) FILTER (WHERE classification = 'Confirmado'), 0) AS died
    FROM case_counts()
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
