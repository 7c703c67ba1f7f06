"""What a plant's engineer would write instead of the bridge: payloads of the format `polling` into the table, at least
once.

Rows are written in batches, and what they came with is acknowledged behind the commit; a value that comes again is there
twice. Prints "ready", and in the end what it took, as JSON.
"""

import argparse
import json
import resource
import time
from datetime import datetime

import oracledb
import paho.mqtt.client as mqtt

SQL = "INSERT INTO tag_data (tag_name, tag_value, tag_text, timestamp, quality) VALUES (:1, :2, :3, :4, :5)"
TEXT = oracledb.DB_TYPE_VARCHAR
TYPES = (TEXT, oracledb.DB_TYPE_BINARY_DOUBLE, TEXT, oracledb.DB_TYPE_TIMESTAMP_TZ, TEXT)


class Peer:
    def __init__(self, options):
        self.options = options
        self.rows, self.messages = [], []
        self.written = 0
        self.first_at = self.flush_at = None
        self.cpu_before = 0.0
        self.connection = oracledb.connect(user="bridge", password="secret", dsn=options.dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="peer", clean_session=False, manual_ack=True
        )
        self.client.on_message = self.on_message
        self.client.connect(options.host, options.port)
        self.client.subscribe("plc/+/tags", qos=1)

    def on_message(self, client, userdata, message):
        if self.first_at is None:
            self.first_at, self.cpu_before = time.perf_counter(), time.process_time()
        if self.flush_at is None:
            self.flush_at = time.monotonic() + self.options.linger
        payload = json.loads(message.payload)
        at = datetime.fromisoformat(payload["timestamp"])
        plc = payload["plc_code"]
        for address, value in payload["tag_values"].items():
            self.rows.append((f"{plc}.{address}", value, None, at, "GOOD"))
        self.messages.append((message.mid, message.qos))
        if len(self.rows) >= self.options.batch:
            self.flush()

    def flush(self):
        self.cursor.setinputsizes(*TYPES)
        self.cursor.executemany(SQL, self.rows, batcherrors=True)
        for mid, qos in self.messages:
            self.client.ack(mid, qos)
        self.written += len(self.rows)
        self.rows, self.messages, self.flush_at = [], [], None

    def run(self):
        print("ready", flush=True)
        while self.written < self.options.rows:
            self.client.loop(timeout=0.01)
            if self.flush_at is not None and time.monotonic() >= self.flush_at:
                self.flush()
        seconds = time.perf_counter() - self.first_at
        figures = {
            "rowsPerSecond": self.written / seconds,
            "cpuMicrosPerRow": (time.process_time() - self.cpu_before) * 1e6 / self.written,
            "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
        print(json.dumps(figures))


parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int)
parser.add_argument("--dsn")
parser.add_argument("--rows", type=int)
parser.add_argument("--batch", type=int, default=500)
parser.add_argument("--linger", type=float, default=0.2)
Peer(parser.parse_args()).run()
