-- Departments of residence by confirmed cases in the newest loaded year, with their last two fortnights.
--
-- Every department with a case has a row, and so has the unspecified residence. The fortnights are counted back from the newest
-- registration of any case.
WITH newest AS (
    SELECT max(registered_on) AS newest_on FROM case_counts()
),
tally AS (
    SELECT residence_department_id AS department_id,
           coalesce(sum(confirmed) FILTER (WHERE registered_on >= date_trunc('year', newest_on)::date), 0)::bigint AS confirmed,
           coalesce(sum(confirmed) FILTER (WHERE registered_on > newest_on - 14), 0)::bigint                       AS last_fortnight,
           coalesce(sum(confirmed) FILTER (WHERE registered_on BETWEEN newest_on - 27 AND newest_on - 14), 0)::bigint AS fortnight_before,
           coalesce(sum(died) FILTER (WHERE registered_on >= date_trunc('year', newest_on)::date), 0)::bigint      AS died
    FROM place_counts()
    CROSS JOIN newest
    WHERE registered_on >= least(date_trunc('year', newest_on)::date, newest_on - 27)
    GROUP BY residence_department_id
)
SELECT rank() OVER (ORDER BY tally.department_id IS NULL, tally.confirmed DESC)            AS place,
       tally.department_id::bigint                                                         AS department_id,
       department.name                                                                     AS department,
       province.name                                                                       AS province,
       tally.confirmed,
       tally.last_fortnight,
       100 * (tally.last_fortnight - tally.fortnight_before)::float8 / nullif(tally.fortnight_before, 0) AS change_percent,
       tally.died
FROM tally
LEFT JOIN department ON department.department_id = tally.department_id
LEFT JOIN province ON province.province_id = department.province_id
ORDER BY 1, tally.department_id;
