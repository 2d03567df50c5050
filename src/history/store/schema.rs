//! The tables of the history, and how a connection uses them.

use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// Counts up with each change that an older program could not read.
const VERSION: u32 = 1;

/// Marks the file as ours: `arlh`.
const APPLICATION: u32 = 0x6172_6c68;

/// Between two tries where another process makes the same file.
const TRY_INTERVAL: Duration = Duration::from_millis(5);

/// Of one process: most of what is read is read once.
const CACHE_KIB: u32 = 512;

const TABLES: &str = "
    CREATE TABLE entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        began_unix_ms INTEGER NOT NULL,
        command TEXT NOT NULL,
        words TEXT NOT NULL
    );
    CREATE TABLE details (id INTEGER PRIMARY KEY, entry TEXT NOT NULL);
    CREATE TABLE curves (id INTEGER PRIMARY KEY, points BLOB NOT NULL);
    CREATE TRIGGER forget AFTER DELETE ON entries BEGIN
        DELETE FROM details WHERE id = old.id;
        DELETE FROM curves WHERE id = old.id;
    END;
";

/// Why a file is not used.
#[derive(Debug)]
pub(super) enum Refused {
    /// A newer program wrote it.
    Newer(u32),
    /// Another program wrote it.
    Foreign,
    /// It is no database, or cannot be used now.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Makes the tables where there are none, and sets up the connection. Others may do the same at the same time: they are
/// waited for.
pub(super) fn prepare(connection: &mut Connection, patience: Duration) -> Result<(), Refused> {
    connection.busy_timeout(patience)?;
    let until = Instant::now() + patience;
    loop {
        match try_prepare(connection) {
            // Of two that change the journal's kind one is refused at once, whatever its patience.
            Err(Refused::Database(error)) if is_busy(&error) && Instant::now() < until => {
                std::thread::sleep(TRY_INTERVAL);
            }
            result => return result,
        }
    }
}

fn try_prepare(connection: &mut Connection) -> Result<(), Refused> {
    // Read before the version: another process may make both meanwhile, which it does at once.
    let is_empty: bool = connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        if !is_empty {
            return Err(Refused::Foreign);
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        create(connection)?;
    } else {
        let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if application != APPLICATION {
            return Err(Refused::Foreign);
        }
        if version > VERSION {
            return Err(Refused::Newer(version));
        }
    }
    // A commit waits for no disk: what is lost with the power are the last entries, never those before.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // From the first entry on: what moved to another page while it was off stays where it was, whatever is deleted later.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -i64::from(CACHE_KIB))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Who closes last would wait for the disk, at the end of each short command. It is done once in about 1,000 pages.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // What lies in the file cannot make this program run anything.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // Another process may have made them meanwhile.
    if version == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}
