-- How many notified cases the filters leave.
SELECT count(*) AS cases
FROM covid_case
LEFT JOIN province ON province.province_id = covid_case.residence_province_id
WHERE true [[AND {{province}}]] [[AND {{period}}]] [[AND {{classification}}]]
