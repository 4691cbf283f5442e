SELECT
    TRY_CAST(run_id AS BIGINT) AS pipeline_id,
    project,
    name,
    started_at,
    finished_at,
    duration_seconds AS duration,
    labels AS metrics
FROM jobs
WHERE provider = 'save_metrics'
