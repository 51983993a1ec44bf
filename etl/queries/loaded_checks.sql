-- Results of the publish gate for the published load: each failed, accepted or skipped check, and the number of passed checks of each dataset.
--
-- A failed check in a published load is one of an optional dataset, which was rejected. No rows if the load is by a version without the
-- gate.
SELECT dataset,
       outcome,
       check_name,
       subject,
       measured,
       threshold,
       count(*) AS checks
FROM (
    SELECT dataset,
           outcome,
           CASE WHEN outcome <> 'passed' THEN check_name END AS check_name,
           CASE WHEN outcome <> 'passed' THEN nullif(subject, '') END AS subject,
           CASE WHEN outcome <> 'passed' THEN measured END AS measured,
           CASE WHEN outcome <> 'passed' THEN threshold END AS threshold
    FROM run_check
    WHERE run_id = published_load()
) AS shown
GROUP BY dataset, outcome, check_name, subject, measured, threshold
ORDER BY array_position(ARRAY['failed', 'accepted', 'skipped', 'passed'], outcome),
         array_position(ARRAY['provinces', 'departments', 'cases', 'tests', 'vaccinations', 'doses'], dataset),
         check_name COLLATE "C",
         subject COLLATE "C";
