-- Why the published load rejected rows or repaired values, for each dataset.
SELECT dataset,
       kind,
       reason,
       rows
FROM run_issue
WHERE run_id = published_load()
ORDER BY kind = 'repaired', dataset, rows DESC, reason;
