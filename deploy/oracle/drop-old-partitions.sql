-- Drops the partitions of tables-partitioned.sql that hold only values older than the months named here, at once and for good. For a job
-- (DBMS_SCHEDULER) once a month, as the owner of the table or as a DBA. The first partition, p_first, stays: Oracle wants to keep one.
<<drop_old>>
DECLARE
  keep_months CONSTANT PLS_INTEGER := 24;
  table_owner CONSTANT VARCHAR2(128) := 'BRIDGE_OWNER';
  oldest_kept CONSTANT TIMESTAMP := CAST(ADD_MONTHS(TRUNC(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'MM'), -keep_months) AS TIMESTAMP);
  ends_at TIMESTAMP;
BEGIN
  FOR part IN (
    SELECT partition_name, high_value
      FROM all_tab_partitions
     WHERE table_owner = drop_old.table_owner AND table_name = 'TAG_DATA' AND interval = 'YES'
     ORDER BY partition_position
  ) LOOP
    EXECUTE IMMEDIATE 'SELECT ' || part.high_value || ' FROM dual' INTO ends_at;
    IF ends_at <= oldest_kept THEN
      EXECUTE IMMEDIATE 'ALTER TABLE "' || table_owner || '"."TAG_DATA" DROP PARTITION "' || part.partition_name || '" UPDATE INDEXES';
    END IF;
  END LOOP;
END;
/
