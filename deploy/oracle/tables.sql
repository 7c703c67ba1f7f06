-- The tables as `mqtt-oracle-bridge schema` prints them for the default configuration; for another one, take what it prints.
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
