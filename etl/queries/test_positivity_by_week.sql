-- Positive tests as a share of all tests, by epidemiological week of the test, with Wilson's 95 % interval.
--
-- Tests, not people: a person who was tested twice counts twice. The date is the laboratory's. Weeks run from Sunday to Saturday and
-- belong to the year of their Wednesday; a week is partial if the tests do not cover its seven days. The newest 53 weeks of the loaded
-- years. No rows if the load had no file of tests.
WITH daily AS MATERIALIZED (
    SELECT tested_on,
           sum(tests)::bigint     AS tests,
           sum(positives)::bigint AS positives
    FROM test_counts()
    GROUP BY tested_on
),
newest AS (
    SELECT max(tested_on) AS newest_on FROM daily
),
calendar AS (
    SELECT make_date(year, 1, 1) + number AS day
    FROM (SELECT DISTINCT extract(year FROM tested_on)::int FROM daily) AS loaded (year)
    CROSS JOIN generate_series(0, 365) AS number
    CROSS JOIN newest
    WHERE make_date(year, 1, 1) + number <= least(make_date(year, 12, 31), newest_on)
      AND make_date(year, 1, 1) + number >= newest_on - extract(dow FROM newest_on)::int - 7 * 52
),
weekly AS (
    SELECT day - extract(dow FROM day)::int    AS starts_on,
           count(*)                            AS days,
           coalesce(sum(tests), 0)::bigint     AS tests,
           coalesce(sum(positives), 0)::bigint AS positives
    FROM calendar
    LEFT JOIN daily ON daily.tested_on = calendar.day
    GROUP BY 1
)
SELECT extract(year FROM starts_on + 3)::bigint              AS epidemiological_year,
       (extract(doy FROM starts_on + 3)::bigint - 1) / 7 + 1 AS epidemiological_week,
       starts_on                                             AS week_starts_on,
       tests,
       positives,
       100 * positives::float8 / nullif(tests, 0)            AS positivity_percent,
       100 * wilson_low(positives, tests)                    AS low_percent,
       100 * wilson_high(positives, tests)                   AS high_percent,
       days < 7                                              AS partial
FROM weekly
ORDER BY starts_on;
