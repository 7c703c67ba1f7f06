-- What the bridge needs, and no more: it adds rows to the table, and keeps its place in the ledger. It reads, changes and deletes no
-- value. (DELETE: the place of a backup file goes from the ledger when the file is replayed.) Run it as a DBA or as the owner, once the tables are there.
GRANT INSERT ON bridge_owner.TAG_DATA TO bridge_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON bridge_owner.MQTT_BRIDGE_LEDGER TO bridge_app;
