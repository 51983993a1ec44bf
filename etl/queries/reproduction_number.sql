-- The reproduction number R of the country by day, with its 95 % interval, estimated by the load (Cori et al. 2013).
--
-- Each R belongs to the seven days that end on its day. Cases are those by day of first symptoms, or of registration if they have no such date;
-- those of the last days are a nowcast, whose error is in the interval. R needs eleven cases in its window: with fewer, the interval would mostly show
-- the prior. It ends on the last day of which at least half of the cases are usually registered by now.
SELECT day,
       CASE WHEN window_cases >= 11 THEN window_cases END AS window_cases,
       CASE WHEN window_cases >= 11 THEN r_mean END       AS r,
       CASE WHEN window_cases >= 11 THEN r_q025 END       AS r_low,
       CASE WHEN window_cases >= 11 THEN r_median END     AS r_median,
       CASE WHEN window_cases >= 11 THEN r_q975 END       AS r_high,
       r_seven_day                                        AS seven_day_r
FROM daily_estimates()
WHERE province_id IS NULL AND r_mean IS NOT NULL
ORDER BY day;
