-- Contradictions and implausible values in the published cases. A case can be in several rows.
--
-- Nothing is repaired: each field is a valid value, and it is unknown which of the two is wrong. count_contradictions() in
-- migrations/0002_counts.sql defines each row.
SELECT contradiction,
       contradictory.cases                        AS rows,
       100 * contradictory.cases::float8 / whole.cases AS share_percent
FROM contradiction_counts() AS contradictory
CROSS JOIN (SELECT sum(cases)::float8 AS cases FROM case_counts() HAVING count(*) > 0) AS whole
ORDER BY contradictory.cases DESC, contradiction;
