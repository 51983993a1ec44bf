-- Confirmed cases of each day, their seven-day mean, and the change of the mean within a week.
--
-- Every day from the start of a loaded year to the newest registration has a row. Seven days even out the week: few cases are registered
-- on Sundays. There is a mean only if all seven days are loaded.
WITH daily AS MATERIALIZED (
    SELECT registered_on,
           sum(cases) FILTER (WHERE classification = 'Confirmado')::bigint AS confirmed
    FROM case_counts()
    GROUP BY registered_on
),
calendar AS (
    SELECT make_date(year, 1, 1) + number AS day
    FROM (SELECT DISTINCT extract(year FROM registered_on)::int FROM daily) AS loaded (year)
    CROSS JOIN generate_series(0, 365) AS number
    WHERE make_date(year, 1, 1) + number
        <= least(make_date(year, 12, 31), (SELECT max(registered_on) FROM daily))
),
filled AS (
    SELECT day, coalesce(confirmed, 0) AS confirmed
    FROM calendar
    LEFT JOIN daily ON daily.registered_on = calendar.day
),
smooth AS (
    SELECT day,
           confirmed,
           CASE WHEN lag(day, 6) OVER by_day = day - 6
                THEN sum(confirmed) OVER (ORDER BY day ROWS 6 PRECEDING)::float8 / 7 END AS mean
    FROM filled
    WINDOW by_day AS (ORDER BY day)
)
SELECT this.day,
       this.confirmed,
       this.mean                                                  AS seven_day_mean,
       100 * (this.mean - before.mean) / nullif(before.mean, 0)   AS change_percent
FROM smooth AS this
LEFT JOIN smooth AS before ON before.day = this.day - 7
ORDER BY this.day;
