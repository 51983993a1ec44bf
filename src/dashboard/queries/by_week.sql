-- Notified cases by epidemiological week, Sunday to Saturday.
SELECT covid_case.registered_on - extract(dow FROM covid_case.registered_on)::int AS week_starts_on,
       count(*) AS cases
FROM covid_case
LEFT JOIN province ON province.province_id = covid_case.residence_province_id
WHERE true [[AND {{province}}]] [[AND {{period}}]] [[AND {{classification}}]]
GROUP BY 1
ORDER BY 1
