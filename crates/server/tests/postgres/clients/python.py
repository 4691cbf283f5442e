"""Reads with psycopg 3, psycopg 2, SQLAlchemy and pandas, as people do; ends with an error at the first surprise.
Where the server is stands in the environment, as libpq reads it."""

import datetime
import decimal
import os

import pandas
import psycopg
import psycopg2
import sqlalchemy

SHOP = "github.com/acme/shop"
LATER = datetime.datetime(2026, 12, 1, tzinfo=datetime.timezone.utc)


def one(connection, sql, parameters=(), **options):
    return connection.cursor(**options).execute(sql, parameters).fetchone()


with psycopg.connect() as connection:
    for binary in (False, True):
        def count(condition, value):
            sql = f"SELECT count(*) FROM runs WHERE {condition}"
            return one(connection, sql, (value,), binary=binary)[0]

        assert count("project = %s", SHOP) == 20
        assert count("number <= %s", 5) == 10
        assert count("number < %s", 10**12) == 40
        assert count("started_at < %s", LATER) == 40
        assert count("started_at < %s", LATER.replace(tzinfo=None)) == 40
        assert count("started_at < %s", LATER.date()) == 40
        assert count("started_at > now() - %s", datetime.timedelta(days=36500)) == 40
        assert count("duration_seconds > %s", 10.5) == 20
        assert count("duration_seconds > %s", decimal.Decimal("10.5")) == 20
        assert count("is_default_branch = %s", True) == 40
        assert count("project = %s", None) == 0
        assert count("project = ANY(%s)", [SHOP, "other"]) == 20
        assert count("number = ANY(%s)", [1, 2]) == 4
        assert len(connection.execute("SELECT project FROM runs LIMIT %s", (3,)).fetchall()) == 3
        row = one(
            connection,
            "SELECT 1::smallint, 2, 3::bigint, 1.5::real, 2.5::float8, 1.25::numeric(10,2), true, 'x', "
            "'2026-11-20T10:00:00Z'::timestamptz, '2026-11-20'::date, ARRAY['a', NULL], NULL",
            binary=binary,
        )
        at = datetime.datetime(2026, 11, 20, 10, tzinfo=datetime.timezone.utc)
        wanted = (1, 2, 3, 1.5, 2.5, decimal.Decimal("1.25"), True, "x", at, at.date(), ["a", None], None)
        assert row == wanted, row
    with connection.cursor(name="in_pieces") as cursor:
        cursor.itersize = 7
        assert sum(1 for _ in cursor.execute("SELECT name FROM tests")) == 40
    assert sum(1 for _ in connection.cursor().stream("SELECT name FROM tests")) == 40

# On a connection of its own: after `stream`, psycopg reads the results of a pipeline as pieces, PostgreSQL's too.
with psycopg.connect() as connection:
    with connection.pipeline():
        first, second = connection.execute("SELECT 1"), connection.execute("SELECT 2")
        assert (first.fetchone(), second.fetchone()) == ((1,), (2,))

with psycopg.connect(autocommit=True, prepare_threshold=1) as connection:
    assert [one(connection, "SELECT count(*) FROM runs WHERE number = %s", (n,))[0] for n in range(1, 5)] == [2] * 4
    for sql, error in (
        ("SELECT * FROM nowhere", psycopg.errors.UndefinedTable),
        ("INSERT INTO runs VALUES (1)", psycopg.errors.ReadOnlySqlTransaction),
        ("SELECT 1/0", psycopg.errors.DivisionByZero),
    ):
        try:
            connection.execute(sql)
            raise AssertionError(sql)
        except error:
            assert one(connection, "SELECT 1") == (1,)

connection = psycopg2.connect("")
cursor = connection.cursor()
cursor.execute(
    "SELECT count(*) FROM runs WHERE project = %s AND started_at < %s AND duration_seconds > %s AND number = ANY(%s)",
    (SHOP, LATER, decimal.Decimal("1.5"), [1, 2, 3]),
)
assert cursor.fetchone() == (2,)
connection.commit()
named = connection.cursor("named")
named.execute("SELECT name FROM tests")
assert len(named.fetchmany(10)) == 10
named.close()
connection.close()

for driver in ("psycopg", "psycopg2"):
    engine = sqlalchemy.create_engine(f"postgresql+{driver}://")
    inspector = sqlalchemy.inspect(engine)
    assert "public" in inspector.get_schema_names()
    assert {"runs", "tests", "jobs"} <= set(inspector.get_table_names())
    assert "metrics_pipeline" in inspector.get_view_names()
    columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("runs")}
    assert columns["project"] == "TEXT" and columns["started_at"] == "TIMESTAMP", columns
    assert columns["number"] == "BIGINT" and columns["is_default_branch"] == "BOOLEAN", columns
    assert inspector.get_pk_constraint("runs")["constrained_columns"] == []
    assert inspector.get_foreign_keys("runs") == [] and inspector.get_indexes("runs") == []
    runs = sqlalchemy.Table("runs", sqlalchemy.MetaData(), autoload_with=engine)
    with engine.connect() as opened:
        query = sqlalchemy.select(sqlalchemy.func.count()).select_from(runs).where(runs.c.project == SHOP)
        assert opened.execute(query).scalar() == 20
    frame = pandas.read_sql(
        "SELECT project, count(*) AS runs, avg(duration_seconds) AS mean, max(started_at) AS last FROM runs GROUP BY 1",
        engine,
    )
    assert len(frame) == 2 and frame["runs"].sum() == 40 and str(frame["last"].dt.tz) == "UTC", frame
    assert len(pandas.read_sql_table("runs", engine)) == 40
    with engine.connect().execution_options(stream_results=True) as opened:
        chunks = pandas.read_sql(sqlalchemy.text("SELECT name FROM tests"), opened, chunksize=9)
        assert sum(len(chunk) for chunk in chunks) == 40

print("all done as", os.environ["PGUSER"])
