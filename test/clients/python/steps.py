"""The steps of ../steps.ts by python-oracledb (thin), each told in a line of JSON. Arguments: host, port, service, user, password, bad password."""

import datetime
import json
import sys

import oracledb

host, port, service, user, password, wrong = sys.argv[1:7]
dsn = f"{host}:{port}/{service}"
ROWS = 500
BAD_ROW = 250
CALL_TIMEOUT_MS = 700
AT = datetime.datetime(2025, 10, 26, 1, 30, 0, 123456)
INSERT = "INSERT INTO client_rows (id, name, value, at, at_zone, day, note) VALUES (:1, :2, :3, :4, :5, :6, :7)"


def tell(step, ok, said=""):
    print(json.dumps({"step": step, "ok": bool(ok), "said": str(said)[:200]}), flush=True)


def step(name, run):
    try:
        said = run()
        tell(name, True, "" if said is None else said)
    except Exception as error:  # whatever the driver raises is what is to be told
        tell(name, False, f"{type(error).__name__}: {error}")


def refused(name, run, *codes):
    """`run` has to fail with one of the codes."""
    try:
        run()
        tell(name, False, "no error")
    except oracledb.Error as error:
        text = str(error)
        tell(name, any(code in text for code in codes), text)


def same(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r} rather than {expected!r}")


def log_on(secret=password, name=user, where=dsn):
    return oracledb.connect(user=name, password=secret, dsn=where)


def row(i):
    name = None if i % 7 == 0 else f"tag {i}"
    at = AT + datetime.timedelta(microseconds=i * 1001)
    return (i, name, i / 4, at, at, at.replace(microsecond=0), None)


def row_with_one_bad(i):
    return row(BAD_ROW - 1)[:1] + row(i)[1:] if i == BAD_ROW else row(i)


def set_types(cursor):
    cursor.setinputsizes(
        oracledb.DB_TYPE_NUMBER, 40, oracledb.DB_TYPE_BINARY_DOUBLE, oracledb.DB_TYPE_TIMESTAMP,
        oracledb.DB_TYPE_TIMESTAMP_TZ, oracledb.DB_TYPE_DATE, 40,
    )


first = []
step("log on", lambda: first.append(log_on()))
if not first:
    sys.exit(1)
connection = first[0]
cursor = connection.cursor()
refused("wrong password", lambda: log_on(wrong), "ORA-01017")
refused("unknown user", lambda: log_on(name="nobody"), "ORA-01017")
refused("unknown service", lambda: log_on(where=f"{host}:{port}/elsewhere"), "ORA-12514", "DPY-6001")
step("select", lambda: same(cursor.execute("SELECT 1 FROM dual").fetchall(), [(1,)]))
step(
    "create table",
    lambda: cursor.execute(
        "CREATE TABLE client_rows (id NUMBER(9) PRIMARY KEY, name VARCHAR2(40), value BINARY_DOUBLE, at TIMESTAMP(6),"
        " at_zone TIMESTAMP(6) WITH TIME ZONE, day DATE, note VARCHAR2(40))"
    ) and None,
)


def array_with_bad_row():
    set_types(cursor)
    cursor.executemany(INSERT, [row_with_one_bad(i) for i in range(ROWS)], batcherrors=True)
    same([(error.offset, error.full_code) for error in cursor.getbatcherrors()], [(BAD_ROW, "ORA-00001")])
    same(cursor.rowcount, ROWS - 1)


def count():
    return cursor.execute("SELECT COUNT(*) FROM client_rows").fetchone()[0]


def rolls_back():
    connection.rollback()
    same(count(), 0)


def commits():
    set_types(cursor)
    cursor.executemany(INSERT, [row(i) for i in range(ROWS) if i != BAD_ROW])
    connection.commit()
    connection.rollback()
    same(count(), ROWS - 1)


def reads_back():
    cursor.arraysize = 100
    rows = cursor.execute("SELECT id, name, value, at, at_zone, day, note FROM client_rows ORDER BY id").fetchall()
    same(rows, [row(i) for i in range(ROWS) if i != BAD_ROW])


step("array with a bad row", array_with_bad_row)
step("roll back", rolls_back)
step("commit", commits)
step("read back", reads_back)
refused("unique violation", lambda: cursor.execute("INSERT INTO client_rows (id) VALUES (1)"), "ORA-00001")
refused("missing table", lambda: cursor.execute("SELECT * FROM nowhere"), "ORA-00942")
step("second log-on", lambda: first.append(log_on()))
second = first[-1]


def locks():
    cursor.execute("SELECT id FROM client_rows WHERE id = 1 FOR UPDATE")
    same(cursor.fetchall(), [(1,)])


def times_out():
    second.call_timeout = CALL_TIMEOUT_MS
    try:
        second.cursor().execute("UPDATE client_rows SET note = 'x' WHERE id = 1")
    except oracledb.Error as error:
        assert "DPY-4024" in str(error) or "DPI-1067" in str(error), error
        second.call_timeout = 5000
        same(second.cursor().execute("SELECT 2 FROM dual").fetchall(), [(2,)])
        return str(error)[:60]
    raise AssertionError("no time-out")


step("lock a row", locks)
step("call time-out", times_out)
connection.rollback()


def parses():
    cursor.parse("INSERT INTO client_rows (id) VALUES (:1)")
    try:
        cursor.parse("INSERT INTO nowhere (id) VALUES (:1)")
    except oracledb.Error as error:
        assert "ORA-00942" in str(error), error
        return
    raise AssertionError("a missing table parses")


def at_once(name, run):
    """What the server does not have: an ORA error in time, and the connection goes on."""
    connection.call_timeout = 5000
    refused(name, run, "ORA-")
    try:
        same(connection.cursor().execute("SELECT 3 FROM dual").fetchall(), [(3,)])
    except Exception as error:
        tell(name, False, f"afterwards: {error}")


step("parse only", parses)
number = cursor.var(oracledb.DB_TYPE_NUMBER)
at_once("returning refused", lambda: cursor.execute("UPDATE client_rows SET note = 'y' WHERE id = 1 RETURNING id INTO :1", [number]))
at_once("out bind refused", lambda: cursor.execute("BEGIN :1 := 5; END;", [number]))
at_once("lob refused", lambda: connection.createlob(oracledb.DB_TYPE_CLOB))
at_once("change of password refused", lambda: connection.changepassword(password, "another"))
at_once("two-phase refused", lambda: connection.tpc_begin(connection.xid(1, b"bridge", b"branch")))
connection.rollback()


def logs_off():
    connection.close()
    second.close()


step("log off", logs_off)
