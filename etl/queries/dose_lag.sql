-- The lag between the cumulative curves of first and second doses: when each reached the same number of doses.
--
-- The numbers are one to nine tenths of all second doses. Counts link no people: the lag is not the interval between the doses of a person. The dates are
-- the Sundays of epidemiological weeks. No rows if the load had no register of doses, or no second dose with a date.
WITH weekly AS MATERIALIZED (
    SELECT week_starts_on,
           coalesce(sum(doses) FILTER (WHERE dose = 'first'), 0)  AS first,
           coalesce(sum(doses) FILTER (WHERE dose = 'second'), 0) AS second
    FROM dose_count
    WHERE week_starts_on IS NOT NULL
    GROUP BY week_starts_on
),
cumulative AS MATERIALIZED (
    SELECT week_starts_on,
           sum(first) OVER (ORDER BY week_starts_on)  AS first,
           sum(second) OVER (ORDER BY week_starts_on) AS second
    FROM weekly
),
level AS (
    SELECT 10 * tenth AS percent, ceil(max(second) * tenth / 10) AS doses
    FROM cumulative
    CROSS JOIN generate_series(1, 9) AS tenth
    GROUP BY tenth
    HAVING max(second) > 0
)
SELECT level.percent::bigint  AS second_percent,
       level.doses::bigint    AS doses,
       reached.first_on,
       reached.second_on,
       (reached.second_on - reached.first_on)::bigint AS lag_days
FROM level
CROSS JOIN LATERAL (
    SELECT min(week_starts_on) FILTER (WHERE first >= level.doses)  AS first_on,
           min(week_starts_on) FILTER (WHERE second >= level.doses) AS second_on
    FROM cumulative
) AS reached
ORDER BY level.percent;
