-- What Grafana's PostgreSQL data source sends by itself: its check, the versions it asks for, and the lists of its
-- query builder. Statements are cut at lines of two dashes and a percent sign.
--%
SELECT 1
--%
SELECT current_setting('server_version_num')::int/100
--%
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'
--%
SELECT
  CASE WHEN
    quote_ident(table_schema) IN (
      SELECT
        CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM
        generate_series(
          array_lower(string_to_array(current_setting('search_path'),','),1),
          array_upper(string_to_array(current_setting('search_path'),','),1)
        ) as i,
        string_to_array(current_setting('search_path'),',') s
    )
    THEN quote_ident(table_name)
    ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
  END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema',
  'pg_catalog',
  '_timescaledb_cache',
  '_timescaledb_catalog',
  '_timescaledb_internal',
  '_timescaledb_config',
  'timescaledb_information',
  'timescaledb_experimental')
ORDER BY CASE WHEN
  quote_ident(table_schema) IN (
    SELECT
      CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
    FROM
      generate_series(
        array_lower(string_to_array(current_setting('search_path'),','),1),
        array_upper(string_to_array(current_setting('search_path'),','),1)
      ) as i,
      string_to_array(current_setting('search_path'),',') s
  ) THEN 0 ELSE 1 END, 1
--%
SELECT quote_ident(column_name) AS "column", data_type AS "type"
FROM information_schema.columns
WHERE
  CASE WHEN array_length(parse_ident('tests'),1) = 2
    THEN quote_ident(table_schema) = (parse_ident('tests'))[1]
      AND quote_ident(table_name) = (parse_ident('tests'))[2]
    ELSE quote_ident(table_name) = 'tests'
      AND
      quote_ident(table_schema) IN (
        SELECT
          CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
        FROM
          generate_series(
            array_lower(string_to_array(current_setting('search_path'),','),1),
            array_upper(string_to_array(current_setting('search_path'),','),1)
          ) as i,
          string_to_array(current_setting('search_path'),',') s
      )
  END
--%
SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1
--%
SELECT quote_ident(column_name) FROM information_schema.columns WHERE table_name = 'runs' AND data_type IN ('timestamp with time zone', 'timestamp without time zone', 'bigint', 'integer', 'double precision', 'real') ORDER BY ordinal_position
--%
SELECT DISTINCT project FROM runs ORDER BY 1
--%
SELECT service AS __text, service AS __value FROM runs GROUP BY service ORDER BY 1
