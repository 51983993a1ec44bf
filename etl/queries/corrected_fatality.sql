-- Case fatality by age, as counted and corrected for the delay to death, with 95 % intervals (Nishiura et al. 2009).
--
-- Some of the newest cases will still die. The correction divides the deaths by the cases whose outcome is known by now, which follows from the delay from the
-- reference day to death. Without new cases both are equal. It is a share of confirmed cases, not of infections.
SELECT delay_mean                                                                    AS delay_days,
       delay_deaths,
       CASE WHEN age_decade < 9 THEN format('%s-%s', age_decade * 10, age_decade * 10 + 9)
            WHEN age_decade = 9 THEN '90+'
            WHEN age_group = 'all' THEN 'all' END                                    AS age_band,
       confirmed,
       died,
       100 * naive                                                                   AS naive_percent,
       100 * naive_low                                                               AS naive_low_percent,
       100 * naive_high                                                              AS naive_high_percent,
       100 * outcomes / confirmed                                                    AS known_percent,
       100 * corrected                                                               AS corrected_percent,
       100 * corrected_low                                                           AS corrected_low_percent,
       100 * corrected_high                                                          AS corrected_high_percent
FROM fatality_estimates()
ORDER BY age_group = 'all', age_decade NULLS LAST;
