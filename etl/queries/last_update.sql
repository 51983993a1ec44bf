-- The load that is published now.
SELECT dataset_updated_on,
       finished_at  AS loaded_at,
       years,
       rows_loaded,
       run_id::text AS run_id
FROM pipeline_run
WHERE run_id = published_load();
