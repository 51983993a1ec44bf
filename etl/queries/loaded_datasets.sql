-- What became of each file of the published load; an optional one may be missing, or left out because it could not be read.
--
-- Of each file: read = filtered + loaded + rejected. No row for a load by a release that did not write this down.
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
ORDER BY array_position(ARRAY['provinces', 'departments', 'cases', 'tests', 'vaccinations'], dataset), dataset;
