-- What became of the rows that the published load read: read = filtered + loaded + rejected.
SELECT rows_read,
       rows_filtered,
       rows_loaded,
       rows_rejected,
       rows_repaired
FROM pipeline_run
WHERE kind = 'etl' AND status = 'succeeded'
ORDER BY finished_at DESC NULLS LAST, started_at DESC
LIMIT 1;
