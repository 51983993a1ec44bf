-- Confirmed cases by month of registration, and the share of each month in its year.
--
-- Every month of the loaded years has a row, also without cases, up to the month of the newest registration. That month is partial
-- unless its last day is the newest registration.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           coalesce(sum(cases) FILTER (WHERE classification = 'Confirmado'), 0) AS confirmed
    FROM case_counts()
    GROUP BY registered_on
),
newest AS (
    SELECT max(registered_on) AS newest_on FROM daily
),
loaded_year AS (
    SELECT DISTINCT extract(year FROM registered_on)::int AS year FROM daily
),
calendar AS (
    SELECT year, make_date(year, number, 1) AS month
    FROM loaded_year
    CROSS JOIN generate_series(1, 12) AS number
    CROSS JOIN newest
    WHERE make_date(year, number, 1) <= newest_on
),
monthly AS (
    SELECT date_trunc('month', registered_on::timestamp)::date AS month,
           sum(confirmed)::bigint                              AS confirmed
    FROM daily
    GROUP BY 1
)
SELECT calendar.month,
       coalesce(monthly.confirmed, 0)                                      AS confirmed,
       100 * coalesce(monthly.confirmed, 0)::float8
           / nullif(sum(monthly.confirmed) OVER (PARTITION BY calendar.year), 0)::float8 AS share_of_year_percent,
       newest_on < (calendar.month + interval '1 month' - interval '1 day')::date       AS partial
FROM calendar
CROSS JOIN newest
LEFT JOIN monthly ON monthly.month = calendar.month
ORDER BY calendar.month;
