-- Doses by epidemiological week of application and kind of dose.
--
-- Weeks run from Sunday to Saturday and belong to the year of their Wednesday. Every week from the first dose to the last has a row. Doses of
-- unknown date have none. No rows if the load had no register of doses.
WITH weekly AS MATERIALIZED (
    SELECT week_starts_on, dose, sum(doses) AS doses
    FROM dose_count
    WHERE week_starts_on IS NOT NULL
    GROUP BY week_starts_on, dose
),
calendar AS (
    SELECT generate_series(min(week_starts_on), max(week_starts_on), interval '7 days')::date AS week_starts_on FROM weekly
)
SELECT extract(year FROM week_starts_on + 3)::bigint                                           AS epidemiological_year,
       (extract(doy FROM week_starts_on + 3)::bigint - 1) / 7 + 1                              AS epidemiological_week,
       week_starts_on,
       coalesce(sum(doses), 0)::bigint                                                         AS doses,
       coalesce(sum(doses) FILTER (WHERE dose = 'first'), 0)::bigint                           AS first,
       coalesce(sum(doses) FILTER (WHERE dose = 'second'), 0)::bigint                          AS second,
       coalesce(sum(doses) FILTER (WHERE dose = 'single'), 0)::bigint                          AS single,
       coalesce(sum(doses) FILTER (WHERE dose = 'additional'), 0)::bigint                      AS additional,
       coalesce(sum(doses) FILTER (WHERE dose NOT IN ('first', 'second', 'single', 'additional')), 0)::bigint AS booster
FROM calendar
LEFT JOIN weekly USING (week_starts_on)
GROUP BY week_starts_on
ORDER BY week_starts_on;
