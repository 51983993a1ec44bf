-- Row counts of the published load: read = filtered + loaded + rejected.
SELECT rows_read,
       rows_filtered,
       rows_loaded,
       rows_rejected,
       rows_repaired
FROM pipeline_run
WHERE run_id = published_load();
