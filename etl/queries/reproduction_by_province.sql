-- The latest reproduction number of each province of residence, with its 95 % interval; see reproduction_number.
--
-- The last day differs between provinces, because they register at different speeds. A province with fewer than eleven cases in its latest window has no R.
WITH newest AS (
    SELECT DISTINCT ON (province_id) province_id, day, window_cases, r_mean, r_q025, r_q975
    FROM daily_estimates()
    WHERE r_mean IS NOT NULL
    ORDER BY province_id, day DESC
)
SELECT newest.province_id::bigint                      AS province_id,
       province.name                                   AS province,
       day,
       window_cases,
       CASE WHEN window_cases >= 11 THEN r_mean END    AS r,
       CASE WHEN window_cases >= 11 THEN r_q025 END    AS r_low,
       CASE WHEN window_cases >= 11 THEN r_q975 END    AS r_high
FROM newest
LEFT JOIN province USING (province_id)
ORDER BY newest.province_id IS NOT NULL, r DESC NULLS LAST, province.name;
