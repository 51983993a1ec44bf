-- Reasons why the published load rejected rows or repaired values, by dataset.
SELECT dataset,
       kind,
       reason,
       rows
FROM run_issue
WHERE run_id = published_load()
ORDER BY kind = 'repaired', dataset, rows DESC, reason;
