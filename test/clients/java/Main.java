import java.sql.BatchUpdateException;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Objects;
import java.util.Properties;

/** The steps of ../steps.ts by Oracle's JDBC driver, each told in a line of JSON. Arguments: host, port, service, user, password, wrong password. */
public final class Main {
  static final int ROWS = 500;
  static final int BAD_ROW = 250;
  static final int MOST_OF_A_TEXT = 200;
  static final int PATIENCE_SECONDS = 5;
  /**
   * While the driver's timer sends its break, every read of the connection has 30 ms (NSProtocolNIO.sendPendingBreak). The server's
   * marker can wake the caller within that time: its read of the answer then ends with ORA-18730, where the machine is busy.
   */
  static final int INTERRUPTED_IO = 18730;
  static final int BREAKS_TRIED = 5;
  static final LocalDateTime AT = LocalDateTime.of(2025, 10, 26, 1, 30, 0, 123_456_000);
  static final String INSERT = "INSERT INTO client_rows (id, name, value, at, at_zone, day, note) VALUES (?, ?, ?, ?, ?, ?, ?)";
  static final String COUNT = "SELECT COUNT(*) FROM client_rows";

  static String host;
  static String port;
  static String service;
  static String user;
  static String password;

  interface Action {
    void run() throws Exception;
  }

  static void tell(String step, boolean ok, String said) {
    String text = said.length() > MOST_OF_A_TEXT ? said.substring(0, MOST_OF_A_TEXT) : said;
    text = text.replace("\\", "/").replace("\"", "'").replaceAll("\\s+", " ").trim();
    System.out.println("{\"step\": \"" + step + "\", \"ok\": " + ok + ", \"said\": \"" + text + "\"}");
  }

  static boolean step(String name, Action action) {
    try {
      action.run();
      tell(name, true, "");
      return true;
    } catch (Exception | AssertionError error) {
      tell(name, false, error.toString());
      return false;
    }
  }

  /** The action has to fail with one of the codes. */
  static void refused(String name, Action action, String... codes) {
    try {
      action.run();
      tell(name, false, "no error");
    } catch (Exception error) {
      String text = error.toString();
      boolean expected = false;
      for (String code : codes) expected |= text.contains(code);
      tell(name, expected, text);
    }
  }

  static void same(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) throw new AssertionError(actual + " rather than " + expected);
  }

  static Connection logOn(String as, String secret, String where) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", as);
    properties.setProperty("password", secret);
    properties.setProperty("oracle.jdbc.ReadTimeout", String.valueOf(PATIENCE_SECONDS * 1000));
    return DriverManager.getConnection("jdbc:oracle:thin:@" + host + ":" + port + "/" + where, properties);
  }

  static int number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      ResultSet rows = statement.executeQuery(sql);
      rows.next();
      return rows.getInt(1);
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The code that an UPDATE of the locked row ends with after a second. */
  static int timeOut(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setQueryTimeout(1);
      statement.executeUpdate("UPDATE client_rows SET note = 'x' WHERE id = 1");
      throw new AssertionError("no time-out");
    } catch (SQLException error) {
      return error.getErrorCode();
    }
  }

  static String nameOf(int i) {
    return i % 7 == 0 ? null : "tag " + i;
  }

  static LocalDateTime timeOf(int i) {
    return AT.plusNanos(i * 1_001_000L);
  }

  static void insert(Connection connection, boolean withBadRow) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
      for (int i = 0; i < ROWS; i++) {
        if (i == BAD_ROW && !withBadRow) continue;
        statement.setInt(1, i == BAD_ROW ? BAD_ROW - 1 : i);
        statement.setString(2, nameOf(i));
        statement.setObject(3, i / 4.0, oracle.jdbc.OracleTypes.BINARY_DOUBLE);
        statement.setTimestamp(4, Timestamp.valueOf(timeOf(i)));
        statement.setObject(5, timeOf(i).atOffset(ZoneOffset.UTC));
        statement.setObject(6, Timestamp.valueOf(timeOf(i).withNano(0)), oracle.jdbc.OracleTypes.DATE);
        statement.setNull(7, Types.VARCHAR);
        statement.addBatch();
      }
      statement.executeBatch();
    }
  }

  static void readBack(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(100);
      ResultSet rows = statement.executeQuery("SELECT id, name, value, at, at_zone, day, note FROM client_rows ORDER BY id");
      int count = 0;
      for (; rows.next(); count++) {
        int i = count < BAD_ROW ? count : count + 1;
        same(rows.getInt(1), i);
        same(rows.getString(2), nameOf(i));
        same(rows.getDouble(3), i / 4.0);
        same(rows.getTimestamp(4), Timestamp.valueOf(timeOf(i)));
        same(rows.getObject(5, OffsetDateTime.class).toInstant(), timeOf(i).toInstant(ZoneOffset.UTC));
        same(rows.getTimestamp(6), Timestamp.valueOf(timeOf(i).withNano(0)));
        same(rows.getString(7), null);
      }
      same(count, ROWS - 1);
    }
  }

  /** What the server does not have: an ORA error in time, and the connection goes on. */
  static void atOnce(Connection connection, String name, Action action) {
    refused(name, action, "ORA-");
    try {
      same(number(connection, "SELECT 3 FROM dual"), 3);
    } catch (Exception error) {
      tell(name, false, "afterwards: " + error);
    }
  }

  static Connection connection;
  static Connection second;

  public static void main(String[] args) {
    host = args[0];
    port = args[1];
    service = args[2];
    user = args[3];
    password = args[4];
    if (!step("log on", () -> connection = logOn(user, password, service))) System.exit(1);
    refused("wrong password", () -> logOn(user, args[5], service), "ORA-01017");
    refused("unknown user", () -> logOn("nobody", password, service), "ORA-01017");
    refused("unknown service", () -> logOn(user, password, "elsewhere"), "ORA-12514");
    step("select", () -> same(number(connection, "SELECT 1 FROM dual"), 1));
    step("create table", () -> execute(connection, "CREATE TABLE client_rows (id NUMBER(9) PRIMARY KEY, name VARCHAR2(40), value BINARY_DOUBLE,"
        + " at TIMESTAMP(6), at_zone TIMESTAMP(6) WITH TIME ZONE, day DATE, note VARCHAR2(40))"));
    step("version text", () -> same(connection.getMetaData().getDatabaseProductVersion().startsWith("Oracle"), true));
    step("array with a bad row", () -> {
      connection.setAutoCommit(false);
      try {
        insert(connection, true);
        throw new AssertionError("no error");
      } catch (BatchUpdateException error) {
        same(error.getErrorCode(), 1);
      }
    });
    step("roll back", () -> {
      connection.rollback();
      same(number(connection, COUNT), 0);
    });
    step("commit", () -> {
      insert(connection, false);
      connection.commit();
      connection.rollback();
      same(number(connection, COUNT), ROWS - 1);
    });
    step("read back", () -> readBack(connection));
    refused("unique violation", () -> execute(connection, "INSERT INTO client_rows (id) VALUES (1)"), "ORA-00001");
    refused("missing table", () -> number(connection, "SELECT COUNT(*) FROM nowhere"), "ORA-00942");
    step("second log-on", () -> second = logOn(user, password, service));
    step("lock a row", () -> same(number(connection, "SELECT id FROM client_rows WHERE id = 1 FOR UPDATE"), 1));
    step("call time-out", () -> {
      int code = timeOut(second);
      for (int tries = 1; code == INTERRUPTED_IO && tries < BREAKS_TRIED; tries++) {
        second.close();
        second = logOn(user, password, service);
        code = timeOut(second);
      }
      same(code, 1013);
      same(number(second, "SELECT 2 FROM dual"), 2);
    });
    step("lock a row", () -> connection.rollback());
    atOnce(connection, "returning refused", () -> {
      try (var statement = connection.prepareStatement("UPDATE client_rows SET note = 'y' WHERE id = 1 RETURNING id INTO ?")
          .unwrap(oracle.jdbc.OraclePreparedStatement.class)) {
        statement.registerReturnParameter(1, Types.INTEGER);
        statement.executeUpdate();
      }
    });
    atOnce(connection, "out bind refused", () -> {
      try (CallableStatement statement = connection.prepareCall("BEGIN ? := 5; END;")) {
        statement.registerOutParameter(1, Types.INTEGER);
        statement.execute();
      }
    });
    atOnce(connection, "lob refused", () -> connection.createClob().setString(1, "text"));
    step("log off", () -> {
      connection.rollback();
      connection.close();
      second.close();
    });
    System.exit(0);
  }
}
