-- How good earlier estimates were: the nowcast and R of every earlier release, compared with the published one.
--
-- Compared are the days of which less than 99 % of the cases were registered then, and at least 98 % are by now. Covered: the published value is within
-- the 95 % interval of then; of good intervals of cases, about 95 % are. The interval of R also has the chance of transmission, which the later value
-- shares, so that nearly all are. Error: the mean of the absolute differences, in percent of the published value. One release gives many rows that err
-- together, so that few releases say little.
WITH band AS (
    SELECT * FROM (VALUES (1, 0, 1), (2, 2, 3), (3, 4, 6), (4, 7, 13), (5, 14, 27), (6, 28, 60)) AS band (number, from_days, to_days)
),
pair AS (
    SELECT as_of, province_id, (as_of - day) AS age, expected AS estimated, low::float8 AS low, high::float8 AS high,
           reported_since::float8 AS since, 'nowcast' AS estimate
    FROM past_estimates()
    UNION ALL
    SELECT as_of, province_id, (as_of - day), r_mean, r_q025, r_q975, r_since, 'reproduction_number'
    FROM past_estimates()
    WHERE r_mean IS NOT NULL AND r_since IS NOT NULL AND reported_since >= 2
),
tally AS (
    SELECT estimate, number,
           count(DISTINCT as_of)                                                              AS releases,
           count(*) FILTER (WHERE province_id IS NULL)                                        AS compared,
           100 * avg((since BETWEEN low AND high)::int) FILTER (WHERE province_id IS NULL)    AS covered_percent,
           100 * avg(abs(estimated - since) / nullif(since, 0)) FILTER (WHERE province_id IS NULL) AS error_percent,
           count(*) FILTER (WHERE province_id IS NOT NULL)                                    AS compared_in_provinces,
           100 * avg((since BETWEEN low AND high)::int) FILTER (WHERE province_id IS NOT NULL) AS covered_in_provinces_percent
    FROM pair
    JOIN band ON age BETWEEN from_days AND to_days
    GROUP BY GROUPING SETS ((estimate, number), (estimate))
)
SELECT estimate,
       CASE WHEN number IS NULL THEN NULL ELSE format('%s-%s', from_days, to_days) END AS days_ago,
       releases,
       compared,
       covered_percent::float8              AS covered_percent,
       error_percent::float8                AS error_percent,
       compared_in_provinces,
       covered_in_provinces_percent::float8 AS covered_in_provinces_percent
FROM tally
LEFT JOIN band USING (number)
ORDER BY estimate, number NULLS LAST;
