-- Notified cases by province of residence; an unknown one is a line, too.
SELECT coalesce(province.name, '—') AS province,
       count(*) AS cases
FROM covid_case
LEFT JOIN province ON province.province_id = covid_case.residence_province_id
WHERE true [[AND {{province}}]] [[AND {{period}}]] [[AND {{classification}}]]
GROUP BY 1
ORDER BY 2 DESC, 1
