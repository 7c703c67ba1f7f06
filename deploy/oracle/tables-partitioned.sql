-- The tables with a partition for each month, so that old values go in a moment: instead of tables.sql. Oracle makes the partitions itself.
-- By day, from some ten million values a day on: INTERVAL (NUMTODSINTERVAL(1, 'DAY')).
--
-- Licence: Partitioning is an option of the Enterprise Edition that costs extra; it is included in Oracle Database Free, in XE from 18c on
-- and in the Autonomous Database. The Standard Edition does not have it.
--
-- Values are in UTC, and so are the months. A PLC whose clock is far ahead makes a partition of its own there; Oracle allows 1,048,575,
-- and refuses what would be beyond: such a row goes to the rejected CSV or the backup and harms no other.

CREATE TABLE "TAG_DATA" (
  "TAG_NAME"  VARCHAR2(255 CHAR) NOT NULL,
  "TAG_VALUE" BINARY_DOUBLE,
  "TAG_TEXT"  VARCHAR2(4000),
  "TIMESTAMP" TIMESTAMP(6) NOT NULL, -- UTC
  "QUALITY"   VARCHAR2(16) NOT NULL
)
PARTITION BY RANGE ("TIMESTAMP") INTERVAL (NUMTOYMINTERVAL(1, 'MONTH'))
(
  -- What is older than this, such as the values of a PLC whose clock stands at 1970, lies in this first one.
  PARTITION p_first VALUES LESS THAN (TIMESTAMP '2025-01-01 00:00:00')
);

CREATE TABLE "MQTT_BRIDGE_LEDGER" (
  "BRIDGE_ID"  VARCHAR2(128) NOT NULL,
  "STREAM"     VARCHAR2(200) NOT NULL,
  "MESSAGE_NO" NUMBER(19) NOT NULL,
  "VALUE_NO"   NUMBER(10) NOT NULL,
  "UPDATED_AT" TIMESTAMP(6) NOT NULL, -- UTC
  PRIMARY KEY ("BRIDGE_ID", "STREAM")
);

-- For queries by tag and time. Leave it out where nobody asks so: what it costs is in docs/for-the-dba.md.
CREATE INDEX TAG_DATA_BY_TAG ON "TAG_DATA" ("TAG_NAME", "TIMESTAMP") LOCAL COMPRESS 1;
