-- What Metabase asks when a database is added and synchronised: through JDBC's metadata, and by itself.
--%
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
--%
SELECT 1
--%
SHOW timezone
--%
SELECT nspname AS TABLE_SCHEM, NULL AS TABLE_CATALOG FROM pg_catalog.pg_namespace WHERE nspname <> 'pg_toast' AND (nspname !~ '^pg_temp_' OR nspname = (pg_catalog.current_schemas(true))[1]) AND (nspname !~ '^pg_toast_temp_' OR nspname = replace((pg_catalog.current_schemas(true))[1], 'pg_temp_', 'pg_toast_temp_')) ORDER BY TABLE_SCHEM
--%
SELECT "n"."nspname" AS "schema", "c"."relname" AS "name", CASE "c"."relkind" WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS "type", "d"."description" AS "description" FROM "pg_catalog"."pg_class" AS "c" INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid" LEFT JOIN "pg_catalog"."pg_description" AS "d" ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = 0) WHERE ("c"."relnamespace" = "n"."oid") AND ("n"."nspname" !~ '^pg_') AND ("n"."nspname" <> 'information_schema') AND ("c"."relkind" IN ('r', 'p', 'v', 'f', 'm')) ORDER BY "type" ASC, "schema" ASC, "name" ASC
--%
SELECT c.column_name AS name, c.udt_name AS "database-type", c.ordinal_position - 1 AS "database-position", c.table_schema AS "table-schema", c.table_name AS "table-name", c.is_nullable AS nullable FROM information_schema.columns c WHERE c.table_schema !~ '^information_schema|catalog_history|pg_' AND c.table_schema = 'public' ORDER BY 4, 5, 3
--%
SELECT tc.constraint_name, kcu.column_name FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu ON tc.constraint_name = kcu.constraint_name WHERE tc.constraint_type = 'PRIMARY KEY'
--%
SELECT count(*) AS "count" FROM "public"."runs"
--%
SELECT "public"."runs"."project" AS "project", "public"."runs"."duration_seconds" AS "duration_seconds" FROM "public"."runs" LIMIT 2000
--%
SELECT DATE_TRUNC('day', "public"."runs"."started_at") AS "started_at", COUNT(*) AS "count" FROM "public"."runs" WHERE ("public"."runs"."started_at" >= DATE_TRUNC('month', (NOW() + INTERVAL '-12 month'))) GROUP BY DATE_TRUNC('day', "public"."runs"."started_at") ORDER BY DATE_TRUNC('day', "public"."runs"."started_at") ASC
--%
SELECT CAST("public"."runs"."started_at" AS date) AS "day", AVG("public"."runs"."duration_seconds") AS "avg" FROM "public"."runs" GROUP BY CAST("public"."runs"."started_at" AS date) ORDER BY CAST("public"."runs"."started_at" AS date) ASC
