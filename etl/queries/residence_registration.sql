-- Confirmed cases registered in another province than that of their residence.
--
-- Each pair of two different provinces with a case has a row; an unspecified residence differs from every province. The share is of all
-- confirmed cases with that residence.
WITH tally AS MATERIALIZED (
    SELECT residence_province_id,
           registration_province_id,
           sum(confirmed)::bigint AS confirmed
    FROM place_counts()
    GROUP BY residence_province_id, registration_province_id
),
resident AS (
    SELECT residence_province_id, sum(confirmed)::float8 AS confirmed
    FROM tally
    GROUP BY residence_province_id
)
SELECT tally.residence_province_id::bigint       AS residence_province_id,
       residence.name                            AS residence_province,
       tally.registration_province_id::bigint    AS registration_province_id,
       registration.name                         AS registration_province,
       tally.confirmed,
       100 * tally.confirmed / resident.confirmed AS share_of_residents_percent
FROM tally
JOIN resident ON resident.residence_province_id IS NOT DISTINCT FROM tally.residence_province_id
LEFT JOIN province AS residence ON residence.province_id = tally.residence_province_id
LEFT JOIN province AS registration ON registration.province_id = tally.registration_province_id
WHERE tally.residence_province_id IS DISTINCT FROM tally.registration_province_id
ORDER BY tally.confirmed DESC, tally.residence_province_id, tally.registration_province_id;
