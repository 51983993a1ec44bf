-- Doses by vaccine and kind of dose, in the whole country.
--
-- Vaccines have the ministry's names. No rows if the load had no file of vaccinations.
WITH tally AS (
    SELECT vaccine,
           sum(doses)::bigint                                                   AS doses,
           coalesce(sum(doses) FILTER (WHERE dose = 'first'), 0)::bigint      AS first,
           coalesce(sum(doses) FILTER (WHERE dose = 'second'), 0)::bigint     AS second,
           coalesce(sum(doses) FILTER (WHERE dose = 'single'), 0)::bigint     AS single,
           coalesce(sum(doses) FILTER (WHERE dose = 'additional'), 0)::bigint AS additional,
           coalesce(sum(doses) FILTER (WHERE dose = 'booster'), 0)::bigint    AS booster
    FROM vaccination_counts()
    GROUP BY vaccine
)
SELECT vaccine,
       doses,
       100 * doses::float8 / nullif(sum(doses) OVER (), 0)::float8 AS share_percent,
       first,
       second,
       single,
       additional,
       booster
FROM tally
ORDER BY doses DESC, vaccine;
