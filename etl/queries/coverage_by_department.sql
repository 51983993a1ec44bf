-- Doses that begin and complete a vaccination, by department of residence, beside its people; the least covered first.
--
-- As in coverage_by_age, doses are counted, not people. Departments without a dose have a row, and so have doses of unknown residence, which
-- come last. Population: 2022 census. No rows if the load had no register of doses.
WITH tally AS MATERIALIZED (
    SELECT residence_department_id                                                     AS department_id,
           coalesce(sum(doses) FILTER (WHERE dose IN ('first', 'single')), 0)::bigint  AS begun,
           coalesce(sum(doses) FILTER (WHERE dose IN ('second', 'single')), 0)::bigint AS completed
    FROM dose_count
    GROUP BY residence_department_id
),
line AS (
    SELECT department.department_id, department.name, province.name AS province, population
    FROM department
    JOIN province USING (province_id)
    LEFT JOIN department_population USING (department_id)
    UNION ALL
    SELECT NULL, NULL, NULL, NULL FROM tally WHERE department_id IS NULL
)
SELECT line.department_id::bigint                                 AS department_id,
       line.name                                                  AS department,
       line.province,
       line.population::bigint                                    AS population,
       coalesce(begun, 0)                                         AS begun,
       100 * coalesce(begun, 0)::float8 / line.population         AS begun_percent,
       coalesce(completed, 0)                                     AS completed,
       100 * coalesce(completed, 0)::float8 / line.population     AS completed_percent
FROM line
LEFT JOIN tally ON tally.department_id IS NOT DISTINCT FROM line.department_id
WHERE EXISTS (SELECT FROM tally)
ORDER BY 100 * coalesce(completed, 0)::float8 / line.population NULLS LAST, line.department_id;
