#!/bin/bash
# Runs once in the oracle container, when its database is made: the owner of the tables, the tables, and the user that the bridge logs on as.
# Never fails the container: a database without the table is a state that the bridge tells of.
{
  echo 'WHENEVER SQLERROR EXIT FAILURE'
  echo 'SET VERIFY OFF' # or the password would stand in the container's log
  echo 'ALTER SESSION SET CONTAINER = FREEPDB1;'
  echo "DEFINE bridge_password = '${BRIDGE_DB_PASSWORD}'"
  echo '@/deploy/oracle/users.sql'
  echo 'ALTER SESSION SET CURRENT_SCHEMA = bridge_owner;'
  echo '@/deploy/oracle/tables.sql'
  echo '@/deploy/oracle/grants.sql'
} | sqlplus -s -L / as sysdba || echo 'init-oracle.sh: the tables could not be made; see above'
