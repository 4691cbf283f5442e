-- A document of /save_metrics is a run of provider `save_metrics`; what has no column of its own is in its labels.
SELECT
    TRY_CAST(run_id AS BIGINT) AS pipeline_id,
    project,
    started_at AS created_at,
    branch AS "ref",
    is_default_branch AS is_master,
    duration_seconds AS duration,
    TRY_CAST(label(labels, 'duration_e2e') AS DOUBLE) AS duration_e2e,
    TRY_CAST(label(labels, 'build') AS DOUBLE) AS build,
    label(labels, 'jobs_failed') AS jobs_failed,
    TRY_CAST(label(labels, 'has_restarts') AS BOOLEAN) AS has_restarts
FROM runs
WHERE provider = 'save_metrics'
