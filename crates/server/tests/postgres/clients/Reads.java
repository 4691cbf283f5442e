// Reads with PostgreSQL's JDBC driver, as Metabase, DBeaver and every Java program do; ends with an error at the first
// surprise. Where the server is stands in the environment, as libpq reads it.

import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.Arrays;
import java.util.Properties;

public class Reads {
    static void same(Object found, Object wanted) {
        if (!wanted.equals(found)) {
            throw new AssertionError("found " + found + ", wanted " + wanted);
        }
    }

    static int count(ResultSet rows) throws SQLException {
        int count = 0;
        while (rows.next()) {
            count++;
        }
        return count;
    }

    /** Arguments: how many tables and views there are. */
    public static void main(String[] arguments) throws Exception {
        String address = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/manometer";
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("PGUSER"));
        properties.setProperty("password", System.getenv("PGPASSWORD"));
        try (Connection connection = DriverManager.getConnection(address, properties)) {
            DatabaseMetaData about = connection.getMetaData();
            same(count(about.getTables(null, "public", "%", new String[] {"TABLE"})), Integer.parseInt(arguments[0]));
            same(count(about.getTables(null, "public", "%", new String[] {"VIEW"})), Integer.parseInt(arguments[1]));
            same(count(about.getColumns(null, "public", "builds", "%")) > 10, true);
            same(count(about.getPrimaryKeys(null, "public", "runs")), 0);
            same(count(about.getImportedKeys(null, "public", "runs")), 0);
            same(count(about.getIndexInfo(null, "public", "runs", false, false)), 0);

            // Past five executions the driver keeps the statement on the server and takes binary rows.
            String sql = "SELECT count(*), max(started_at), avg(duration_seconds), bool_or(is_default_branch) FROM runs "
                + "WHERE number <= ? AND started_at < ? AND project LIKE ? AND duration_seconds > ?";
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int round = 0; round < 8; round++) {
                    statement.setInt(1, 10);
                    statement.setTimestamp(2, Timestamp.valueOf("2026-12-01 00:00:00"));
                    statement.setString(3, "github.com/%");
                    statement.setBigDecimal(4, new BigDecimal("1.5"));
                    ResultSet rows = statement.executeQuery();
                    same(rows.next(), true);
                    same(rows.getMetaData().getColumnName(1), "count");
                    same(rows.getLong(1), 18L);
                    same(rows.getTimestamp(2).toInstant().toString(), "2026-11-20T10:10:00Z");
                    same(rows.getDouble(3), 6.5);
                    same(rows.getBoolean(4), true);
                }
            }
            try (PreparedStatement statement = connection.prepareStatement("SELECT count(*) FROM runs WHERE project = ANY(?)")) {
                statement.setArray(1, connection.createArrayOf("text", new String[] {"github.com/acme/shop"}));
                ResultSet rows = statement.executeQuery();
                rows.next();
                same(rows.getLong(1), 20L);
            }
            try (Statement statement = connection.createStatement()) {
                ResultSet rows = statement.executeQuery("SELECT ARRAY['a','b'], 1.25::numeric(10,2)");
                rows.next();
                same(Arrays.toString((Object[]) rows.getArray(1).getArray()), "[a, b]");
                same(rows.getBigDecimal(2), new BigDecimal("1.25"));
            }
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(7);
                same(count(statement.executeQuery("SELECT name FROM tests")), 40);
            }
            connection.commit();
            connection.setAutoCommit(true);
            try (Statement statement = connection.createStatement()) {
                statement.executeUpdate("DELETE FROM runs");
                throw new AssertionError("a DELETE was taken");
            } catch (SQLException refused) {
                same(refused.getSQLState(), "25006");
            }
        }
        System.out.println("all done");
    }
}
