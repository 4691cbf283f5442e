SELECT
    TRY_CAST(run_id AS BIGINT) AS pipeline_id,
    project,
    name,
    duration_seconds AS duration
FROM builds
WHERE provider = 'save_metrics'
