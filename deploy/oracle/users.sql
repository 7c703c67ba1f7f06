-- The owner of the tables, whom nobody can log on as, and the user of the bridge, who may log on and nothing more until grants.sql.
-- Run it as a DBA in the pluggable database. SQL*Plus, SQLcl and SQL Developer ask for its password; in another client put the
-- password in the place of the ampersand and its name. Then tables.sql as the owner (ALTER SESSION SET CURRENT_SCHEMA = bridge_owner;), then grants.sql.
-- Configuration: oracle.user bridge_app, oracle.table bridge_owner.TAG_DATA, oracle.ledgerTable bridge_owner.MQTT_BRIDGE_LEDGER.

-- Needs Oracle Database 18c or later; on 12c: IDENTIFIED BY a long password instead, with ACCOUNT LOCK.
CREATE USER bridge_owner NO AUTHENTICATION
  DEFAULT TABLESPACE users
  QUOTA UNLIMITED ON users;

-- UNLIMITED: an expired password would stop the bridge in the night. Renew it on purpose, in the database and in the credential.
CREATE PROFILE bridge_profile LIMIT
  PASSWORD_LIFE_TIME UNLIMITED;

-- It stores nothing of its own and so has no quota.
CREATE USER bridge_app IDENTIFIED BY "&bridge_password"
  PROFILE bridge_profile
  DEFAULT TABLESPACE users
  QUOTA 0 ON users;

GRANT CREATE SESSION TO bridge_app;
