WITH ended AS (
    SELECT provider, project, service, pipeline, run_id, attempt, branch, conclusion, url,
        coalesce(started_at, queued_at, finished_at, updated_at) AS begun_at
    FROM runs
    WHERE status = 'completed' AND conclusion IN ('success', 'failure', 'timed_out', 'error') /* which runs */
), told_tests AS (
    SELECT DISTINCT provider, project, run_id, run_attempt, job_id FROM tests /* which facts */
), told_coverage AS (
    SELECT DISTINCT provider, project, run_id, run_attempt, job_id FROM coverage /* which facts */
), job AS (
    SELECT ended.provider, ended.project, ended.service, ended.pipeline, ended.run_id, ended.attempt, jobs.name,
        coalesce(jobs.status = 'completed', false) AS is_over,
        coalesce(jobs.status = 'completed' AND jobs.started_at IS NOT NULL
            AND jobs.conclusion IN ('success', 'failure', 'timed_out', 'error'), false) AS worked,
        told_tests.job_id IS NOT NULL AS has_tests,
        told_coverage.job_id IS NOT NULL AS has_coverage
    FROM ended
    JOIN jobs ON jobs.provider = ended.provider AND jobs.project = ended.project
        AND jobs.run_id = ended.run_id AND jobs.run_attempt = ended.attempt
    LEFT JOIN told_tests ON told_tests.provider = jobs.provider AND told_tests.project = jobs.project
        AND told_tests.run_id = jobs.run_id AND told_tests.run_attempt = jobs.run_attempt
        AND told_tests.job_id = jobs.job_id
    LEFT JOIN told_coverage ON told_coverage.provider = jobs.provider AND told_coverage.project = jobs.project
        AND told_coverage.run_id = jobs.run_id AND told_coverage.run_attempt = jobs.run_attempt
        AND told_coverage.job_id = jobs.job_id
), habit AS (
    SELECT *,
        sum(CASE WHEN worked THEN 1 ELSE 0 END) OVER same_job AS worked_ever,
        sum(CASE WHEN worked AND has_tests THEN 1 ELSE 0 END) OVER same_job AS tests_ever,
        sum(CASE WHEN worked AND has_coverage THEN 1 ELSE 0 END) OVER same_job AS coverage_ever
    FROM job
    WINDOW same_job AS (PARTITION BY provider, project, service, pipeline, name)
), of_jobs AS (
    SELECT provider, project, run_id, attempt,
        count(*) AS jobs,
        count(*) FILTER (WHERE NOT is_over) AS unfinished_jobs,
        count(*) FILTER (WHERE worked AND tests_ever > 0 AND tests_ever * 2 >= worked_ever) AS test_jobs,
        count(*) FILTER (WHERE worked AND tests_ever > 0 AND tests_ever * 2 >= worked_ever AND has_tests)
            AS test_jobs_told,
        count(*) FILTER (WHERE worked AND coverage_ever > 0 AND coverage_ever * 2 >= worked_ever) AS coverage_jobs,
        count(*) FILTER (WHERE worked AND coverage_ever > 0 AND coverage_ever * 2 >= worked_ever AND has_coverage)
            AS coverage_jobs_told,
        string_agg(name, ', ' ORDER BY name)
            FILTER (WHERE worked AND tests_ever > 0 AND tests_ever * 2 >= worked_ever AND NOT has_tests)
            AS jobs_without_tests
    FROM habit GROUP BY provider, project, run_id, attempt
), of_tests AS (
    SELECT DISTINCT provider, project, run_id, run_attempt FROM told_tests
), of_coverage AS (
    SELECT DISTINCT provider, project, run_id, run_attempt FROM told_coverage
), run AS (
    SELECT ended.*,
        coalesce(of_jobs.jobs, 0) AS jobs,
        coalesce(of_jobs.unfinished_jobs, 0) AS unfinished_jobs,
        coalesce(of_jobs.test_jobs, 0) AS test_jobs,
        coalesce(of_jobs.test_jobs_told, 0) AS test_jobs_told,
        coalesce(of_jobs.coverage_jobs, 0) AS coverage_jobs,
        coalesce(of_jobs.coverage_jobs_told, 0) AS coverage_jobs_told,
        of_jobs.jobs_without_tests,
        of_tests.run_id IS NOT NULL AS has_tests,
        of_coverage.run_id IS NOT NULL AS has_coverage
    FROM ended
    LEFT JOIN of_jobs ON of_jobs.provider = ended.provider AND of_jobs.project = ended.project
        AND of_jobs.run_id = ended.run_id AND of_jobs.attempt = ended.attempt
    LEFT JOIN of_tests ON of_tests.provider = ended.provider AND of_tests.project = ended.project
        AND of_tests.run_id = ended.run_id AND of_tests.run_attempt = ended.attempt
    LEFT JOIN of_coverage ON of_coverage.provider = ended.provider AND of_coverage.project = ended.project
        AND of_coverage.run_id = ended.run_id AND of_coverage.run_attempt = ended.attempt
), pipeline_habit AS (
    SELECT *,
        count(*) OVER same_pipeline AS runs_ever,
        sum(CASE WHEN jobs > 0 THEN 1 ELSE 0 END) OVER same_pipeline AS runs_with_jobs,
        sum(CASE WHEN has_tests THEN 1 ELSE 0 END) OVER same_pipeline AS runs_with_tests,
        sum(CASE WHEN has_coverage THEN 1 ELSE 0 END) OVER same_pipeline AS runs_with_coverage,
        sum(test_jobs) OVER same_pipeline AS test_jobs_ever,
        sum(coverage_jobs) OVER same_pipeline AS coverage_jobs_ever
    FROM run
    WINDOW same_pipeline AS (PARTITION BY provider, project, service, pipeline)
)
SELECT date_trunc('day', begun_at) AS day,
    provider, project, service, pipeline, run_id, attempt, branch, conclusion, begun_at, url,
    jobs, unfinished_jobs,
    CASE WHEN runs_with_jobs > 0 AND runs_with_jobs * 2 >= runs_ever
        THEN jobs > 0 AND unfinished_jobs = 0 END AS has_all_jobs,
    CASE WHEN test_jobs_ever > 0 THEN CASE WHEN test_jobs > 0 THEN test_jobs_told = test_jobs END
        WHEN runs_with_tests > 0 AND runs_with_tests * 2 >= runs_ever THEN has_tests END AS has_test_reports,
    CASE WHEN coverage_jobs_ever > 0 THEN CASE WHEN coverage_jobs > 0 THEN coverage_jobs_told = coverage_jobs END
        WHEN runs_with_coverage > 0 AND runs_with_coverage * 2 >= runs_ever THEN has_coverage END AS has_coverage,
    jobs_without_tests
FROM pipeline_habit
