-- Confirmed cases as a share of decided cases, by epidemiological week, with Wilson's 95 % interval.
--
-- Decided cases are confirmed or discarded; suspected cases are in neither number. The numbers are people in the registry, not tests.
-- Weeks run from Sunday to Saturday and belong to the year of their Wednesday; a week is partial if the data do not cover its seven
-- days. The newest 53 weeks.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           sum(cases) FILTER (WHERE classification = 'Confirmado')::bigint AS confirmed,
           sum(cases) FILTER (WHERE classification = 'Descartado')::bigint AS discarded
    FROM case_counts()
    GROUP BY registered_on
),
newest AS (
    SELECT max(registered_on) AS newest_on FROM daily
),
calendar AS (
    SELECT make_date(year, 1, 1) + number AS day
    FROM (SELECT DISTINCT extract(year FROM registered_on)::int FROM daily) AS loaded (year)
    CROSS JOIN generate_series(0, 365) AS number
    CROSS JOIN newest
    WHERE make_date(year, 1, 1) + number <= least(make_date(year, 12, 31), newest_on)
      AND make_date(year, 1, 1) + number >= newest_on - extract(dow FROM newest_on)::int - 7 * 52
),
weekly AS (
    SELECT day - extract(dow FROM day)::int       AS starts_on,
           count(*)                               AS days,
           coalesce(sum(confirmed), 0)::bigint    AS confirmed,
           coalesce(sum(discarded), 0)::bigint    AS discarded
    FROM calendar
    LEFT JOIN daily ON daily.registered_on = calendar.day
    GROUP BY 1
)
SELECT extract(year FROM starts_on + 3)::bigint                         AS epidemiological_year,
       (extract(doy FROM starts_on + 3)::bigint - 1) / 7 + 1            AS epidemiological_week,
       starts_on                                                        AS week_starts_on,
       confirmed + discarded                                            AS decided,
       confirmed,
       100 * confirmed::float8 / nullif(confirmed + discarded, 0)       AS positivity_percent,
       100 * wilson_low(confirmed, confirmed + discarded)               AS low_percent,
       100 * wilson_high(confirmed, confirmed + discarded)              AS high_percent,
       days < 7                                                         AS partial
FROM weekly
ORDER BY starts_on;
