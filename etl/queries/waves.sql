-- The waves of the country: peaks of the seven-day mean and the troughs between them.
--
-- By day of first symptoms, or of registration without such a date. A peak counts if it reaches 5 % of the highest one; two peaks are two waves if the cases fall
-- between them to half of the lower one. The last wave goes on until the cases have fallen to half of its peak. Cases and deaths are those of a
-- wave's days; recent cases can still die.
SELECT wave::bigint                                   AS wave,
       starts_on,
       peak_on,
       ends_on,
       peak_level                                     AS peak_per_day,
       confirmed,
       died,
       100 * died::float8 / nullif(confirmed, 0)      AS fatality_percent,
       NOT is_confirmed                               AS ongoing
FROM wave_estimates()
ORDER BY wave;
