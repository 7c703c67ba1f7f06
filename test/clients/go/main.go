// The steps of ../steps.ts by go-ora, each told in a line of JSON. Arguments: host, port, service, user, password, wrong password.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	go_ora "github.com/sijms/go-ora/v2"
)

const (
	rows            = 500
	badRow          = 250
	callTimeout     = 700 * time.Millisecond
	patience        = 5 * time.Second
	insert          = "INSERT INTO client_rows (id, name, value, at, at_zone, day, note) VALUES (:1, :2, :3, :4, :5, :6, :7)"
	mostOfAText     = 200
	createTable     = "CREATE TABLE client_rows (id NUMBER(9) PRIMARY KEY, name VARCHAR2(40), value BINARY_DOUBLE, at TIMESTAMP(6), at_zone TIMESTAMP(6) WITH TIME ZONE, day DATE, note VARCHAR2(40))"
	selectEverthing = "SELECT id, name, value, at, at_zone, day, note FROM client_rows ORDER BY id"
)

var host, service, user, password, wrong string
var port int

func tell(step string, ok bool, said string) {
	if len(said) > mostOfAText {
		said = said[:mostOfAText]
	}
	line, _ := json.Marshal(map[string]any{"step": step, "ok": ok, "said": strings.TrimSpace(said)})
	fmt.Println(string(line))
}

func step(name string, run func() error) bool {
	err := run()
	if err != nil {
		tell(name, false, err.Error())
		return false
	}
	tell(name, true, "")
	return true
}

// refused: run has to fail with one of the codes.
func refused(name string, run func() error, codes ...string) {
	err := run()
	if err == nil {
		tell(name, false, "no error")
		return
	}
	for _, code := range codes {
		if strings.Contains(err.Error(), code) {
			tell(name, true, err.Error())
			return
		}
	}
	tell(name, false, err.Error())
}

// logOn opens one connection of its own.
func logOn(asUser, secret, where string) (*sql.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	db, err := sql.Open("oracle", go_ora.BuildUrl(host, port, where, asUser, secret, nil))
	if err != nil {
		return nil, err
	}
	return db.Conn(ctx)
}

func query(connection *sql.Conn, text string) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var number int64
	err := connection.QueryRowContext(ctx, text).Scan(&number)
	return number, err
}

func expect(connection *sql.Conn, text string, expected int64) error {
	actual, err := query(connection, text)
	if err == nil && actual != expected {
		err = fmt.Errorf("%d rather than %d", actual, expected)
	}
	return err
}

func execute(connection *sql.Conn, text string, binds ...any) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := connection.ExecContext(ctx, text, binds...)
	return err
}

func timeOf(i int) time.Time {
	return time.Date(2025, 10, 26, 1, 30, 0, 123456000, time.UTC).Add(time.Duration(i*1001) * time.Microsecond)
}

func nameOf(i int) sql.NullString {
	return sql.NullString{String: fmt.Sprintf("tag %d", i), Valid: i%7 != 0}
}

// columns are the binds of an array: a slice each.
func columns(withBadRow bool) []any {
	var ids []int64
	var names, notes []sql.NullString
	var values []float64
	var times, days []time.Time
	for i := 0; i < rows; i++ {
		id := int64(i)
		if i == badRow {
			if !withBadRow {
				continue
			}
			id = badRow - 1
		}
		ids = append(ids, id)
		names = append(names, nameOf(i))
		values = append(values, float64(i)/4)
		times = append(times, timeOf(i))
		days = append(days, timeOf(i).Truncate(time.Second))
		notes = append(notes, sql.NullString{})
	}
	return []any{ids, names, values, times, times, days, notes}
}

func readBack(connection *sql.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := connection.QueryContext(ctx, selectEverthing)
	if err != nil {
		return err
	}
	defer found.Close()
	count := 0
	for ; found.Next(); count++ {
		i := count
		if i >= badRow {
			i++
		}
		var id int64
		var name, note sql.NullString
		var value float64
		var at, zone, day time.Time
		if err := found.Scan(&id, &name, &value, &at, &zone, &day, &note); err != nil {
			return err
		}
		expected := timeOf(i)
		named := name.Valid == nameOf(i).Valid && (!name.Valid || name.String == nameOf(i).String)
		if id != int64(i) || !named || value != float64(i)/4 || note.Valid {
			return fmt.Errorf("row %d: %d %v %v %v", i, id, name, value, note)
		}
		if !at.Equal(expected) || !zone.Equal(expected) || !day.Equal(expected.Truncate(time.Second)) {
			return fmt.Errorf("row %d: %v %v %v rather than %v", i, at, zone, day, expected)
		}
	}
	if err := found.Err(); err != nil {
		return err
	}
	if count != rows-1 {
		return fmt.Errorf("%d rows", count)
	}
	return nil
}

func main() {
	host, service, user, password, wrong = os.Args[1], os.Args[3], os.Args[4], os.Args[5], os.Args[6]
	fmt.Sscan(os.Args[2], &port)
	var connection, second *sql.Conn
	if !step("log on", func() (err error) { connection, err = logOn(user, password, service); return }) {
		os.Exit(1)
	}
	refused("wrong password", func() error { _, err := logOn(user, wrong, service); return err }, "ORA-01017")
	refused("unknown user", func() error { _, err := logOn("nobody", password, service); return err }, "ORA-01017")
	refused("unknown service", func() error { _, err := logOn(user, password, "elsewhere"); return err }, "ORA-12514", "12514")
	step("select", func() error { return expect(connection, "SELECT 1 FROM dual", 1) })
	step("create table", func() error { return execute(connection, createTable) })

	const count = "SELECT COUNT(*) FROM client_rows"
	tx, err := connection.BeginTx(context.Background(), nil)
	step("array with a bad row", func() error {
		if err != nil {
			return err
		}
		_, failure := tx.Exec(insert, columns(true)...)
		if failure == nil || !strings.Contains(failure.Error(), "ORA-00001") {
			return fmt.Errorf("%v rather than ORA-00001", failure)
		}
		return nil
	})
	step("roll back", func() error {
		if err := tx.Rollback(); err != nil {
			return err
		}
		return expect(connection, count, 0)
	})
	step("commit", func() error {
		tx, err := connection.BeginTx(context.Background(), nil)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(insert, columns(false)...); err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		return expect(connection, count, rows-1)
	})
	step("read back", func() error { return readBack(connection) })
	refused("unique violation", func() error { return execute(connection, "INSERT INTO client_rows (id) VALUES (1)") }, "ORA-00001")
	refused("missing table", func() error { _, err := query(connection, "SELECT COUNT(*) FROM nowhere"); return err }, "ORA-00942")
	step("second log-on", func() (err error) { second, err = logOn(user, password, service); return })

	tx, err = connection.BeginTx(context.Background(), nil)
	step("lock a row", func() error {
		if err != nil {
			return err
		}
		var id int64
		return tx.QueryRow("SELECT id FROM client_rows WHERE id = 1 FOR UPDATE").Scan(&id)
	})
	step("call time-out", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
		defer cancel()
		if _, err := second.ExecContext(ctx, "UPDATE client_rows SET note = 'x' WHERE id = 1"); err == nil {
			return fmt.Errorf("no time-out")
		}
		return expect(second, "SELECT 2 FROM dual", 2)
	})
	step("lock a row", func() error { return tx.Rollback() })

	// What the server does not have: an ORA error in time, and the connection goes on.
	atOnce := func(name string, run func() error) {
		refused(name, run, "ORA-")
		if err := expect(connection, "SELECT 3 FROM dual", 3); err != nil {
			tell(name, false, "afterwards: "+err.Error())
		}
	}
	var number int64
	atOnce("returning refused", func() error {
		return execute(connection, "UPDATE client_rows SET note = 'y' WHERE id = 1 RETURNING id INTO :1", sql.Out{Dest: &number})
	})
	atOnce("out bind refused", func() error { return execute(connection, "BEGIN :1 := 5; END;", sql.Out{Dest: &number}) })
	atOnce("lob refused", func() error {
		return execute(connection, "UPDATE client_rows SET note = :1 WHERE id = 1", go_ora.Clob{String: strings.Repeat("x", 40_000), Valid: true})
	})
	step("log off", func() error {
		if err := connection.Close(); err != nil {
			return err
		}
		return second.Close()
	})
}
