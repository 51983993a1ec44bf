-- Completeness of the last fourteen days by day of first symptoms: a provisional estimate.
--
-- Many cases with recent symptoms are not yet registered. Their number is estimated from cases whose symptoms began 45 to 104 days before
-- the newest registration and that were registered within 45 days: the share of those registered within n days is the completeness of
-- a day after n days. Holidays, new testing rules and changing delays distort the estimate.
WITH newest AS (
    SELECT max(registered_on) AS newest_on FROM case_counts()
),
histogram AS MATERIALIZED (
    SELECT newest_on - symptoms_on     AS age,
           registered_on - symptoms_on AS days,
           confirmed
    FROM delay_counts()
    CROSS JOIN newest
    WHERE symptoms_on >= newest_on - 104 AND registered_on - symptoms_on BETWEEN 0 AND 45
),
reference AS (
    SELECT sum(confirmed)::float8 AS confirmed FROM histogram WHERE age BETWEEN 45 AND 104
)
SELECT newest_on - age                                                    AS symptoms_on,
       age::bigint                                                        AS days_since,
       coalesce(registered.confirmed, 0)                                  AS registered,
       100 * share.complete                                               AS complete_percent,
       round(coalesce(registered.confirmed, 0) / nullif(share.complete, 0))::bigint AS expected,
       round(coalesce(registered.confirmed, 0) / nullif(share.complete, 0))::bigint
           - coalesce(registered.confirmed, 0)                            AS still_missing
FROM newest
CROSS JOIN generate_series(0, 13) AS age
CROSS JOIN LATERAL (
    SELECT coalesce(sum(histogram.confirmed) FILTER (WHERE days <= newest_age.age), 0)::float8
               / nullif(max(reference.confirmed), 0) AS complete
    FROM (SELECT age) AS newest_age, histogram, reference
    WHERE histogram.age BETWEEN 45 AND 104
) AS share
LEFT JOIN (SELECT histogram.age, sum(histogram.confirmed)::bigint AS confirmed FROM histogram GROUP BY 1) AS registered
       USING (age)
WHERE EXISTS (SELECT FROM reference WHERE confirmed > 0)
ORDER BY symptoms_on;
