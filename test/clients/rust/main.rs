//! The steps of ../steps.ts by Oracle's own driver for Rust, each told in a line of JSON.
//! Arguments: host, port, service, user, password, wrong password.

use oracledb::{BindParameters, Config, Connection, Error, OracleTimestamp, ToDbValue};
use std::time::Duration;

const ROWS: i32 = 500;
const BAD_ROW: i32 = 250;
const CALL_TIMEOUT: Duration = Duration::from_millis(700);
const PATIENCE: Duration = Duration::from_secs(5);
const INSERT: &str = "INSERT INTO client_rows (id, name, value, at, at_zone, day, note) VALUES (:1, :2, :3, :4, :5, :6, :7)";
const COUNT: &str = "SELECT COUNT(*) FROM client_rows";
const MOST_OF_A_TEXT: usize = 200;

type Outcome = Result<(), String>;

fn tell(step: &str, ok: bool, said: &str) {
    let text: String = said.chars().take(MOST_OF_A_TEXT).collect();
    let plain = text.replace('\\', "/").replace('"', "'").replace('\n', " ");
    println!("{{\"step\": \"{step}\", \"ok\": {ok}, \"said\": \"{}\"}}", plain.trim());
}

fn step(name: &str, outcome: Outcome) {
    match outcome {
        Ok(()) => tell(name, true, ""),
        Err(text) => tell(name, false, &text),
    }
}

/// The outcome has to be an error with one of the codes.
fn refused<T>(name: &str, outcome: Result<T, Error>, codes: &[&str]) {
    match outcome {
        Ok(_) => tell(name, false, "no error"),
        Err(error) => {
            let text = error.to_string();
            tell(name, codes.iter().any(|code| text.contains(code)), &text);
        }
    }
}

fn text<T>(result: Result<T, Error>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

fn same<T: PartialEq + std::fmt::Debug>(actual: T, expected: T) -> Outcome {
    if actual == expected { Ok(()) } else { Err(format!("{actual:?} rather than {expected:?}")) }
}

fn number(connection: &Connection, sql: &str) -> Result<i32, String> {
    text(connection.query_row(sql, &[]).and_then(|row| row.get::<i32>(0)))
}

struct Server {
    host: String,
    port: String,
}

impl Server {
    fn log_on(&self, user: &str, password: &str, service: &str) -> Result<Connection, Error> {
        let config = Config::default()
            .set_credentials(user, password)
            .set_connect_string(&format!("{}:{}/{service}", self.host, self.port))?;
        oracledb::connect(config)
    }
}

struct Row {
    id: i32,
    name: Option<String>,
    value: f64,
    at: OracleTimestamp,
    day: OracleTimestamp,
    note: Option<String>,
}

fn row(i: i32) -> Row {
    let nanoseconds = (123_456 + i as u32 * 1001) * 1000;
    Row {
        id: i,
        name: if i % 7 == 0 { None } else { Some(format!("tag {i}")) },
        value: f64::from(i) / 4.0,
        at: OracleTimestamp::new_timestamp(2025, 10, 26, 1, 30, 0, nanoseconds),
        day: OracleTimestamp::new_timestamp(2025, 10, 26, 1, 30, 0, 0),
        note: None,
    }
}

fn insert(connection: &Connection, rows: &[Row]) -> Result<(), Error> {
    let values: Vec<Vec<&dyn ToDbValue>> = rows
        .iter()
        .map(|r| vec![&r.id as &dyn ToDbValue, &r.name, &r.value, &r.at, &r.at, &r.day, &r.note])
        .collect();
    let slices: Vec<&[&dyn ToDbValue]> = values.iter().map(Vec::as_slice).collect();
    connection.execute_batch(INSERT, BindParameters::Slice(&slices)).map(|_| ())
}

fn array_with_bad_row(connection: &Connection) -> Outcome {
    let mut rows: Vec<Row> = (0..ROWS).map(row).collect();
    rows[BAD_ROW as usize].id = BAD_ROW - 1;
    match insert(connection, &rows) {
        Ok(()) => Err("no error".to_string()),
        Err(error) if error.to_string().contains("ORA-00001") => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn commits(connection: &Connection) -> Outcome {
    let rows: Vec<Row> = (0..ROWS).filter(|i| *i != BAD_ROW).map(row).collect();
    text(insert(connection, &rows))?;
    text(connection.commit())?;
    text(connection.rollback())?;
    same(number(connection, COUNT)?, ROWS - 1)
}

fn read_back(connection: &Connection) -> Outcome {
    let select = "SELECT id, name, value, at, at_zone, day, note FROM client_rows ORDER BY id";
    let mut expected = (0..ROWS).filter(|i| *i != BAD_ROW).map(row);
    for found in text(connection.query(select, &[]))? {
        let found = text(found)?;
        let wanted = expected.next().ok_or("too many rows")?;
        same(text(found.get::<i32>(0))?, wanted.id)?;
        same(text(found.get::<Option<String>>(1))?, wanted.name)?;
        same(text(found.get::<f64>(2))?, wanted.value)?;
        same(text(found.get::<OracleTimestamp>(3))?, wanted.at.clone())?;
        same(text(found.get::<OracleTimestamp>(4))?.nanoseconds(), wanted.at.nanoseconds())?;
        same(text(found.get::<OracleTimestamp>(5))?.second(), wanted.day.second())?;
        same(text(found.get::<Option<String>>(6))?, wanted.note)?;
    }
    same(expected.count(), 0)
}

fn times_out(second: &Connection) -> Outcome {
    text(second.set_call_timeout(Some(CALL_TIMEOUT)))?;
    if second.execute("UPDATE client_rows SET note = 'x' WHERE id = 1", &[]).is_ok() {
        return Err("no time-out".to_string());
    }
    text(second.set_call_timeout(Some(PATIENCE)))?;
    same(number(second, "SELECT 2 FROM dual")?, 2)
}

/// What the server does not have: an ORA error in time, and the connection goes on.
fn at_once<T>(connection: &Connection, name: &str, outcome: Result<T, Error>) {
    refused(name, outcome, &["ORA-"]);
    if let Err(error) = number(connection, "SELECT 3 FROM dual").and_then(|n| same(n, 3)) {
        tell(name, false, &format!("afterwards: {error}"));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let server = Server { host: arguments[1].clone(), port: arguments[2].clone() };
    let (service, user, password, wrong) = (&arguments[3], &arguments[4], &arguments[5], &arguments[6]);
    let mut connection = match server.log_on(user, password, service) {
        Ok(connection) => connection,
        Err(error) => return tell("log on", false, &error.to_string()),
    };
    tell("log on", true, "");
    let c = &connection;
    let _ = c.set_call_timeout(Some(PATIENCE));
    refused("wrong password", server.log_on(user, wrong, service), &["ORA-01017"]);
    refused("unknown user", server.log_on("nobody", password, service), &["ORA-01017"]);
    refused("unknown service", server.log_on(user, password, "elsewhere"), &["ORA-12514"]);
    step("select", number(c, "SELECT 1 FROM dual").and_then(|n| same(n, 1)));
    let create = "CREATE TABLE client_rows (id NUMBER(9) PRIMARY KEY, name VARCHAR2(40), value BINARY_DOUBLE, at TIMESTAMP(6), at_zone TIMESTAMP(6) WITH TIME ZONE, day DATE, note VARCHAR2(40))";
    step("create table", text(c.execute(create, &[]).map(|_| ())));
    step("array with a bad row", array_with_bad_row(c));
    step("roll back", text(c.rollback()).and_then(|()| same(number(c, COUNT)?, 0)));
    step("commit", commits(c));
    step("read back", read_back(c));
    refused("unique violation", c.execute("INSERT INTO client_rows (id) VALUES (1)", &[]), &["ORA-00001"]);
    refused("missing table", c.execute("DELETE FROM nowhere", &[]), &["ORA-00942"]);
    let mut second = match server.log_on(user, password, service) {
        Ok(second) => second,
        Err(error) => return tell("second log-on", false, &error.to_string()),
    };
    tell("second log-on", true, "");
    step("lock a row", number(c, "SELECT id FROM client_rows WHERE id = 1 FOR UPDATE").and_then(|n| same(n, 1)));
    step("call time-out", times_out(&second));
    let _ = c.rollback();
    at_once(c, "returning refused", c.execute("UPDATE client_rows SET note = 'y' WHERE id = 1 RETURNING id INTO :1", &[&0]));
    at_once(c, "out bind refused", c.execute("BEGIN :1 := 5; END;", &[&0]));
    at_once(c, "lob refused", c.create_lob(&oracledb::DB_TYPE_CLOB));
    at_once(c, "change of password refused", c.change_password(password, "another"));
    let _ = c.rollback();
    step("log off", text(connection.close()).and_then(|()| text(second.close())));
}
