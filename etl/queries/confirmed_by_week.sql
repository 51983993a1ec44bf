-- Confirmed cases by epidemiological week over the last two months, with the change from the previous week.
--
-- Weeks run from Sunday to Saturday and belong to the year of their Wednesday (the rule of the ministry and of MMWR), so that a week
-- across New Year is counted whole. The two months are counted back from the newest registration of any case; the week of that day
-- is the first row. A week is partial if the data do not cover its seven days: the newest week, and a week that reaches into a year
-- that is not loaded. The change compares two consecutive whole weeks.
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
    SELECT make_date(year, 1, 1) + number AS day
    FROM loaded_year
    CROSS JOIN generate_series(0, 365) AS number
    CROSS JOIN newest
    WHERE make_date(year, 1, 1) + number <= least(make_date(year, 12, 31), newest_on)
),
weekly AS (
    SELECT day - extract(dow FROM day)::int  AS starts_on,
           count(*)                          AS days,
           coalesce(sum(confirmed), 0)::bigint AS confirmed
    FROM calendar
    LEFT JOIN daily ON daily.registered_on = calendar.day
    GROUP BY 1
)
SELECT extract(year FROM this.starts_on + 3)::bigint              AS epidemiological_year,
       (extract(doy FROM this.starts_on + 3)::bigint - 1) / 7 + 1 AS epidemiological_week,
       this.starts_on                                             AS week_starts_on,
       this.starts_on + 6                                         AS week_ends_on,
       this.days,
       this.confirmed,
       100 * (this.confirmed - before.confirmed)::float8 / nullif(before.confirmed, 0) AS change_percent,
       this.days < 7                                              AS partial
FROM weekly AS this
CROSS JOIN newest
LEFT JOIN weekly AS before
       ON before.starts_on = this.starts_on - 7 AND before.days = 7 AND this.days = 7
WHERE this.starts_on + 6 >= (newest_on - interval '2 months')::date
ORDER BY this.starts_on;
