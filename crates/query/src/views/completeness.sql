SELECT day, project, service,
    count(*) AS runs,
    count(has_all_jobs) AS runs_expecting_jobs,
    count(*) FILTER (WHERE has_all_jobs) AS runs_with_all_jobs,
    CAST(count(*) FILTER (WHERE has_all_jobs) AS DOUBLE) / nullif(count(has_all_jobs), 0) AS jobs_share,
    count(has_test_reports) AS runs_expecting_tests,
    count(*) FILTER (WHERE has_test_reports) AS runs_with_tests,
    CAST(count(*) FILTER (WHERE has_test_reports) AS DOUBLE) / nullif(count(has_test_reports), 0) AS tests_share,
    count(has_coverage) AS runs_expecting_coverage,
    count(*) FILTER (WHERE has_coverage) AS runs_with_coverage,
    CAST(count(*) FILTER (WHERE has_coverage) AS DOUBLE) / nullif(count(has_coverage), 0) AS coverage_share
FROM completeness_run
GROUP BY day, project, service
