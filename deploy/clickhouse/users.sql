-- Users of a ClickHouse server for one district: who writes, who reads, who audits. Run once, as an administrator:
--   clickhouse-client --multiquery < users.sql
-- Nobody can log in yet: each user is given its password and from where it comes by hand, as in
--   ALTER USER lianqin_writer IDENTIFIED WITH sha256_password BY '...' HOST IP '10.0.0.0/8';
-- A password is changed in the same way; what is connected stays so until it connects again.
-- Nobody is granted a source (file, url, remote, s3): table functions read and write nothing.
-- Grants name the database `lianqin`; one with another name in its DSN needs it here as well.

CREATE DATABASE IF NOT EXISTS lianqin ENGINE = Atomic;

-- The ledger worker: it makes its tables and views (migrations, forward only) and appends. It deletes nothing.
CREATE ROLE IF NOT EXISTS lianqin_writes;
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP VIEW, ALTER ADD COLUMN, SELECT, INSERT ON lianqin.* TO lianqin_writes;

-- Reports, Grafana, `lianqin feed` and `simulate`, which wait until all is settled.
CREATE ROLE IF NOT EXISTS lianqin_reads;
GRANT SELECT ON lianqin.* TO lianqin_reads;

CREATE SETTINGS PROFILE IF NOT EXISTS lianqin_reader SETTINGS
    readonly = 2, max_execution_time = 60, max_memory_usage = 2147483648, max_result_bytes = 268435456
    TO lianqin_reads;

-- The proof of account reads the same, all of it, and takes its time.
CREATE ROLE IF NOT EXISTS lianqin_audits;
GRANT SELECT ON lianqin.* TO lianqin_audits;

CREATE SETTINGS PROFILE IF NOT EXISTS lianqin_auditor SETTINGS
    readonly = 2, max_execution_time = 600, max_memory_usage = 8589934592
    TO lianqin_audits;

CREATE USER IF NOT EXISTS lianqin_writer HOST NONE DEFAULT ROLE lianqin_writes;
GRANT lianqin_writes TO lianqin_writer;

CREATE USER IF NOT EXISTS lianqin_reader HOST NONE DEFAULT ROLE lianqin_reads;
GRANT lianqin_reads TO lianqin_reader;

CREATE USER IF NOT EXISTS lianqin_auditor HOST NONE DEFAULT ROLE lianqin_audits;
GRANT lianqin_audits TO lianqin_auditor;
