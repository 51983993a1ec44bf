-- The load that is published now: the latest one that succeeded. An older release may be loaded again, so what counts is
-- when a load ended, not how new its dataset is.
SELECT dataset_updated_on,
       finished_at  AS loaded_at,
       years,
       rows_loaded,
       run_id::text AS run_id
FROM pipeline_run
WHERE kind = 'etl' AND status = 'succeeded'
ORDER BY finished_at DESC NULLS LAST, started_at DESC
LIMIT 1;
