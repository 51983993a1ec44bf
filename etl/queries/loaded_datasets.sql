-- Status and row counts of each file of the published load. An optional file can be missing, or left out because it was unreadable.
--
-- For each file: read = filtered + loaded + rejected. No rows if the load is by a version that did not record this.
SELECT dataset,
       status,
       source_name,
       rows_read,
       rows_filtered,
       rows_loaded,
       rows_rejected,
       rows_repaired,
       error
FROM run_dataset
WHERE run_id = published_load()
ORDER BY array_position(ARRAY['provinces', 'departments', 'cases', 'tests', 'vaccinations', 'doses'], dataset), dataset;
