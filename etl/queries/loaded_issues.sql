-- Why the published load rejected rows or repaired values, for each dataset.
WITH published AS (
    SELECT run_id
    FROM pipeline_run
    WHERE kind = 'etl' AND status = 'succeeded'
    ORDER BY finished_at DESC NULLS LAST, started_at DESC
    LIMIT 1
)
SELECT issue.dataset,
       issue.kind,
       issue.reason,
       issue.rows
FROM run_issue AS issue
JOIN published ON published.run_id = issue.run_id
ORDER BY issue.kind = 'repaired', issue.dataset, issue.rows DESC, issue.reason;
