-- Confirmed cases of the last four weeks as registered so far, and as expected once all are registered, with the 95 % prediction interval.
--
-- By day of first symptoms; cases without such a date count on the day of their registration and are not expected to change. The load estimates what is
-- missing from how long earlier cases took, by weekday, and the interval from how far nowcasts of the last two months were off.
SELECT day,
       (as_of - day)::bigint                        AS days_since,
       reported,
       undated,
       expected,
       low,
       median,
       high,
       greatest(expected - reported, 0)             AS missing,
       100 * reported / nullif(expected, 0)         AS complete_percent
FROM daily_estimates()
WHERE province_id IS NULL AND day > as_of - 28
ORDER BY day;
