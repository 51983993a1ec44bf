-- Differences of the published release from the previous one, by month of registration.
--
-- The previous release is the latest load before it whose dataset has another date. If the years of the two loads differ, only months of
-- common years have rows: a year that was not requested has not lost its cases.
WITH compared AS (
    SELECT before.run_id AS before_id, before.dataset_updated_on AS before_on,
           this.run_id AS this_id, this.dataset_updated_on AS this_on
    FROM pipeline_run AS this
    JOIN pipeline_run AS before ON before.run_id = previous_load()
    WHERE this.run_id = published_load()
      AND EXISTS (SELECT FROM case_count WHERE case_count.run_id = before.run_id)
      AND EXISTS (SELECT FROM case_count WHERE case_count.run_id = this.run_id)
),
monthly AS (
    SELECT date_trunc('month', registered_on::timestamp)::date                             AS month,
           sum(cases) FILTER (WHERE run_id = before_id)                                    AS notified_before,
           sum(cases) FILTER (WHERE run_id = this_id)                                      AS notified,
           sum(cases) FILTER (WHERE run_id = before_id AND classification = 'Confirmado')  AS confirmed_before,
           sum(cases) FILTER (WHERE run_id = this_id AND classification = 'Confirmado')    AS confirmed,
           sum(died) FILTER (WHERE run_id = before_id AND classification = 'Confirmado')   AS died_before,
           sum(died) FILTER (WHERE run_id = this_id AND classification = 'Confirmado')     AS died
    FROM case_count
    CROSS JOIN compared
    WHERE run_id IN (before_id, this_id)
    GROUP BY 1
),
both_years AS (
    SELECT extract(year FROM month) AS year
    FROM monthly
    GROUP BY 1
    HAVING count(notified_before) > 0 AND count(notified) > 0
)
SELECT before_on,
       this_on,
       month,
       coalesce(notified, 0)::bigint                                       AS notified,
       (coalesce(notified, 0) - coalesce(notified_before, 0))::bigint      AS notified_difference,
       coalesce(confirmed, 0)::bigint                                      AS confirmed,
       (coalesce(confirmed, 0) - coalesce(confirmed_before, 0))::bigint    AS confirmed_difference,
       (coalesce(died, 0) - coalesce(died_before, 0))::bigint              AS died_difference
FROM monthly
CROSS JOIN compared
WHERE extract(year FROM month) IN (SELECT year FROM both_years)
ORDER BY month;
