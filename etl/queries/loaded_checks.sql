-- What the publish gate found in the published load: each failed, accepted or skipped check, and how many passed for each dataset.
--
-- A failed check in a published load is one of an optional dataset, which was refused then. No row for a load by a release without
-- the gate.
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
         array_position(ARRAY['provinces', 'departments', 'cases', 'tests', 'vaccinations'], dataset),
         check_name COLLATE "C",
         subject COLLATE "C";
