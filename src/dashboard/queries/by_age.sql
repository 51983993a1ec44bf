-- Notified cases by age in bands of ten years; an unknown age comes last.
SELECT CASE WHEN covid_case.age < 90 THEN format('%s-%s', covid_case.age / 10 * 10, covid_case.age / 10 * 10 + 9)
            WHEN covid_case.age >= 90 THEN '90+'
            ELSE '—' END AS age_band,
       count(*) AS cases
FROM covid_case
LEFT JOIN province ON province.province_id = covid_case.residence_province_id
WHERE true [[AND {{province}}]] [[AND {{period}}]] [[AND {{classification}}]]
GROUP BY 1
ORDER BY min(covid_case.age) NULLS LAST
