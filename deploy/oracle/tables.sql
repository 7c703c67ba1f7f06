-- The tables as `mqtt-oracle-bridge schema` prints them for the default configuration, and an index for those who read; for another
-- configuration, take what it prints.
-- Run it as the owner of the tables, with SQL*Plus or any other client. tables-partitioned.sql is the variant for years of data.

CREATE TABLE "TAG_DATA" (
  "TAG_NAME"  VARCHAR2(255 CHAR) NOT NULL,
  "TAG_VALUE" BINARY_DOUBLE,
  "TAG_TEXT"  VARCHAR2(4000),
  "TIMESTAMP" TIMESTAMP(6) NOT NULL, -- UTC
  "QUALITY"   VARCHAR2(16) NOT NULL
);

CREATE TABLE "MQTT_BRIDGE_LEDGER" (
  "BRIDGE_ID"  VARCHAR2(128) NOT NULL,
  "STREAM"     VARCHAR2(200) NOT NULL,
  "MESSAGE_NO" NUMBER(19) NOT NULL,
  "VALUE_NO"   NUMBER(10) NOT NULL,
  "UPDATED_AT" TIMESTAMP(6) NOT NULL, -- UTC
  PRIMARY KEY ("BRIDGE_ID", "STREAM")
);

-- For queries by tag and time: without it each of them reads the whole table. Leave it out where nobody asks so: what it costs is in docs/for-the-dba.md.
CREATE INDEX TAG_DATA_BY_TAG ON "TAG_DATA" ("TAG_NAME", "TIMESTAMP") COMPRESS 1;
