-- Days from the first symptoms of a confirmed case to its registration, by month of registration.
--
-- Only cases with a date of symptoms on or before the registration are used; their number is beside the delay. Half of the cases are
-- registered within the median, nine of ten within the 90th percentile. The newest twelve months.
WITH newest AS (
    SELECT max(registered_on) AS newest_on FROM case_counts()
),
histogram AS (
    SELECT date_trunc('month', registered_on::timestamp)::date                         AS month,
           CASE WHEN symptoms_on <= registered_on THEN registered_on - symptoms_on END AS days,
           sum(confirmed)::bigint                                                      AS confirmed
    FROM delay_counts()
    CROSS JOIN newest
    WHERE registered_on >= (date_trunc('month', newest_on::timestamp) - interval '11 months')::date
    GROUP BY 1, 2
),
running AS (
    SELECT month,
           days,
           confirmed,
           sum(confirmed) OVER (PARTITION BY month ORDER BY days) AS so_far,
           sum(confirmed) OVER (PARTITION BY month)               AS total
    FROM histogram
    WHERE days IS NOT NULL
)
SELECT whole.month,
       whole.confirmed,
       coalesce(known.total, 0)                                    AS with_symptoms,
       100 * coalesce(known.total, 0)::float8 / whole.confirmed    AS with_symptoms_percent,
       known.median_days,
       known.p90_days,
       100 * known.within_week::float8 / known.total               AS within_week_percent
FROM (SELECT month, sum(confirmed)::bigint AS confirmed FROM histogram GROUP BY month) AS whole
LEFT JOIN (
    SELECT month,
           max(total)::bigint                                          AS total,
           min(days) FILTER (WHERE so_far >= 0.5 * total)::bigint      AS median_days,
           min(days) FILTER (WHERE so_far >= 0.9 * total)::bigint      AS p90_days,
           coalesce(sum(confirmed) FILTER (WHERE days <= 7), 0)::bigint AS within_week
    FROM running
    GROUP BY month
) AS known ON known.month = whole.month
ORDER BY whole.month;
