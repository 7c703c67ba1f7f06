-- Deletes values older than the months named here, where the table has no partitions. For a job (DBMS_SCHEDULER) at a quiet hour, as the owner of
-- the table or as a DBA. In transactions of some thousand rows: none holds undo or locks for long, and what was deleted stays so where it is stopped.
--
-- Without an index on TIMESTAMP each transaction reads the table up to its rows; with one (CREATE INDEX … ON TAG_DATA (TIMESTAMP)) it
-- does not, and each row written costs an entry there. Room that is freed is taken by new rows of the table; ALTER TABLE … SHRINK SPACE gives it back.
DECLARE
  keep_months CONSTANT PLS_INTEGER := 24;
  rows_at_once CONSTANT PLS_INTEGER := 10000;
  oldest_kept CONSTANT TIMESTAMP := CAST(ADD_MONTHS(TRUNC(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'MM'), -keep_months) AS TIMESTAMP);
  deleted PLS_INTEGER;
BEGIN
  LOOP
    DELETE FROM "BRIDGE_OWNER"."TAG_DATA" WHERE "TIMESTAMP" < oldest_kept AND ROWNUM <= rows_at_once;
    deleted := SQL%ROWCOUNT;
    COMMIT;
    EXIT WHEN deleted < rows_at_once;
  END LOOP;
END;
/
