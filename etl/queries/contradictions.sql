-- What the published cases say against themselves or against common sense. A case may be in several lines.
--
-- None of it is repaired: each field is a valid value, and which of two is wrong, nobody knows. What each line counts is
-- written in count_contradictions(), in migrations/0002_counts.sql.
SELECT contradiction,
       contradictory.cases                        AS rows,
       100 * contradictory.cases::float8 / whole.cases AS share_percent
FROM contradiction_counts() AS contradictory
CROSS JOIN (SELECT sum(cases)::float8 AS cases FROM case_counts() HAVING count(*) > 0) AS whole
ORDER BY contradictory.cases DESC, contradiction;
