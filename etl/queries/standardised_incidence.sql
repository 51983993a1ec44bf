-- Confirmed cases of the newest loaded year per 100,000 people, crude and standardised by age, by province of residence.
--
-- Provinces differ in age: the standardised incidence is that of the WHO standard population with the province's incidence at each age. The row
-- without a province is the country, with cases of unknown residence. Population: 2022 census, people in private dwellings. Cases of unknown age
-- are taken to have the ages of the others.
SELECT estimate.year::bigint          AS year,
       estimate.province_id::bigint   AS province_id,
       province.name                  AS province,
       estimate.confirmed,
       estimate.population,
       estimate.crude,
       estimate.standardised,
       estimate.low,
       estimate.high
FROM incidence_estimates() AS estimate
LEFT JOIN province ON province.province_id = estimate.province_id
WHERE estimate.year = (SELECT max(year) FROM incidence_estimates())
ORDER BY estimate.province_id IS NOT NULL, estimate.standardised DESC, estimate.province_id;
