//! The file of the history: an `SQLite` database, which many processes write at once and which outlives their deaths.
//!
//! What is searched is in a table of its own, so that a search reads little; what an entry says is one JSON object; its
//! curves are kept for the latest entries only. The database has a version: a newer one is left alone.

mod query;
mod schema;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension as _, Row, Statement, Transaction, TransactionBehavior, params,
};

use super::curve::Curves;
use super::entry::Entry;
use super::place;

pub(crate) use query::{Chosen, Forgotten, Query, SEARCH_CHARS_MAX};

/// At most so many entries are kept; the oldest ones go.
pub(crate) const ENTRIES_MAX: u64 = 100_000;

/// Of these, at most so many of services: a busy one pushes out no other command's.
pub(crate) const SERVICE_ENTRIES_MAX: u64 = 50_000;

/// So many of the latest entries have their curves.
pub(crate) const CURVES_MAX: u64 = 10_000;

/// How often the oldest ones are looked for: once in so many entries.
const TRIM_INTERVAL: u64 = 256;

/// Another process that writes is waited for so long.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// Why the history cannot be read or written: one line for people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// This user has no folder for it.
    #[error("there is no place for a history: neither XDG_DATA_HOME nor HOME names a folder")]
    NoPlace,
    /// A newer program has made it.
    #[error("the history {path} is of version {version}, which a newer Arraylift wrote: it is left as it is", path = path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It is no history, or damaged.
    #[error("the history {path} is damaged ({why}): move it away to begin a new one", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The system refuses for want of something, such as room on the disk or descriptors.
    #[error("cannot use the history {path}: {why}", path = path.display())]
    Want {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// No entry says so much.
    #[error("a text to search for has at most {SEARCH_CHARS_MAX} characters")]
    LongSearch,
    /// Others have been writing it all the time.
    #[error("the history {path} is in use by others", path = path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot use the history {path}: {why}", path = path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}

impl StoreError {
    /// Whether the same may go well a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Want { .. })
    }
}

/// The history, open.
#[derive(Debug)]
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
    file: FileId,
}

/// Tells files apart: device and inode.
pub(super) type FileId = (u64, u64);

/// What is to be written.
#[derive(Debug)]
pub(super) enum Change {
    /// A new entry, and its curves as they are kept.
    New(Box<Entry>, Option<Vec<u8>>),
    /// The entry of that number has become another one.
    Grown {
        /// Its number.
        id: u64,
        /// What it says now.
        entry: Box<Entry>,
        /// What is new of it: it is an entry of its own where that of the number is there no more.
        news: Box<Entry>,
    },
}

impl Store {
    /// Opens the history there, and makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let place = place::make(path).map_err(|error| system(path, &error))?;
        Self::connect(path, &place)
    }

    /// Opens the history there; `None` where there is none.
    pub(crate) fn open_existing(path: &Path) -> Result<Option<Self>, StoreError> {
        match place::existing(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(system(path, &error)),
            Ok(place) => Self::connect(path, &place).map(Some),
        }
    }

    /// Connects to the file at `place`, which is `path` without links.
    fn connect(path: &Path, place: &Path) -> Result<Self, StoreError> {
        // Each connection is used by one thread at a time.
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let file = file_at(place).map_err(|error| system(path, &error))?;
        let connection = Connection::open_with_flags(place, flags).map_err(|error| explained(path, &error))?;
        let mut store = Self {
            connection,
            path: path.to_owned(),
            file,
        };
        schema::prepare(&mut store.connection, BUSY_TIMEOUT).map_err(|error| match error {
            schema::Refused::Newer(version) => StoreError::Newer {
                path: path.to_owned(),
                version,
            },
            schema::Refused::Foreign => StoreError::Damaged {
                path: path.to_owned(),
                why: "it is another program's database".into(),
            },
            schema::Refused::Database(error) => explained(path, &error),
        })?;
        Ok(store)
    }

    /// The file that it is.
    pub(super) fn file(&self) -> FileId {
        self.file
    }

    /// Whether its file is still what others find there: someone may have moved it away.
    pub(super) fn is_in_place(&self) -> bool {
        file_at(&self.path).is_ok_and(|file| file == self.file)
    }

    /// Closes it, and takes in what its log says, for which it waits for the disk: where nobody else has it open, no log
    /// is left.
    pub(super) fn close_whole(self) {
        // What is not taken in stays in the log, and is read there.
        let _ = self
            .connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    }

    /// Writes all of them or none, and gives each its number. A kill after this takes none of them; a loss of power may
    /// take the last ones, and leaves those before as they are.
    pub(super) fn write(&mut self, changes: &[Change]) -> Result<Vec<u64>, StoreError> {
        self.written(changes).map_err(|error| explained(&self.path, &error))
    }

    fn written(&mut self, changes: &[Change]) -> rusqlite::Result<Vec<u64>> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut writing = Writing::prepare(&transaction)?;
        let ids = changes.iter().map(|change| writing.write(change));
        let ids = ids.collect::<rusqlite::Result<Vec<u64>>>()?;
        if let Some(newest) = writing.trims_to {
            trim(&transaction, newest)?;
        }
        drop(writing);
        transaction.commit()?;
        Ok(ids)
    }

    /// The entry of that number, with its curves.
    pub(crate) fn entry(&self, id: u64) -> Result<Option<(Entry, Curves)>, StoreError> {
        self.read_entry(id).map_err(|error| explained(&self.path, &error))
    }

    fn read_entry(&self, id: u64) -> rusqlite::Result<Option<(Entry, Curves)>> {
        let mut details = self.connection.prepare(
            "SELECT id, details.entry, began_unix_ms, command FROM entries JOIN details USING (id) WHERE id = ?1",
        )?;
        let Some(entry) = details.query_row([signed(id)], query::entry_of).optional()? else {
            return Ok(None);
        };
        let mut curves = self.connection.prepare("SELECT points FROM curves WHERE id = ?1")?;
        // What cannot be read is none.
        let points = |row: &Row<'_>| Ok(row.get_ref(0)?.as_bytes().ok().and_then(Curves::decode));
        let curves = curves.query_row([signed(id)], points).optional()?.flatten();
        Ok(Some((entry, curves.unwrap_or_default())))
    }

    /// The entries that are asked for, the latest first.
    pub(crate) fn list(&self, query: &Query) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        self.list_in_parts(query, &mut |part| entries.extend(part))?;
        Ok(entries)
    }

    /// The same in parts of some hundreds, so that they need not all be in memory. Nobody who writes waits for who takes
    /// them.
    pub(crate) fn list_in_parts(&self, query: &Query, take: &mut dyn FnMut(Vec<Entry>)) -> Result<(), StoreError> {
        if query.is_too_long() {
            return Err(StoreError::LongSearch);
        }
        query::list(&self.connection, query, take).map_err(|error| explained(&self.path, &error))
    }

    /// Forgets entries, writes over what they said, and tells how many they were.
    pub(crate) fn forget(&mut self, chosen: &Chosen) -> Result<Forgotten, StoreError> {
        query::forget(&mut self.connection, chosen).map_err(|error| explained(&self.path, &error))
    }
}

/// What a batch is written with.
struct Writing<'t> {
    transaction: &'t Transaction<'t>,
    insert: Statement<'t>,
    update: Statement<'t>,
    details: Statement<'t>,
    curves: Statement<'t>,
    /// The newest one with which it is time to take out the oldest ones.
    trims_to: Option<u64>,
}

impl<'t> Writing<'t> {
    fn prepare(transaction: &'t Transaction<'t>) -> rusqlite::Result<Self> {
        Ok(Self {
            transaction,
            insert: transaction.prepare("INSERT INTO entries (began_unix_ms, command, words) VALUES (?1, ?2, ?3)")?,
            update: transaction.prepare("UPDATE entries SET words = ?2 WHERE id = ?1")?,
            details: transaction.prepare("INSERT OR REPLACE INTO details (id, entry) VALUES (?1, ?2)")?,
            curves: transaction.prepare("INSERT OR REPLACE INTO curves (id, points) VALUES (?1, ?2)")?,
            trims_to: None,
        })
    }

    /// Returns the number that it has.
    fn write(&mut self, change: &Change) -> rusqlite::Result<u64> {
        match change {
            Change::New(entry, curves) => {
                let id = self.insert(entry)?;
                if let Some(curves) = curves {
                    self.curves.execute(params![signed(id), curves])?;
                }
                Ok(id)
            }
            Change::Grown { id, entry, news } => match self.update.execute(params![signed(*id), entry.words()])? {
                0 => self.insert(news),
                _ => self.put_details(*id, entry),
            },
        }
    }

    fn insert(&mut self, entry: &Entry) -> rusqlite::Result<u64> {
        self.insert
            .execute(params![entry.began_unix_ms, entry.command, entry.words()])?;
        let id = unsigned(self.transaction.last_insert_rowid());
        if id.is_multiple_of(TRIM_INTERVAL) {
            self.trims_to = Some(id);
        }
        self.put_details(id, entry)
    }

    fn put_details(&mut self, id: u64, entry: &Entry) -> rusqlite::Result<u64> {
        let json = serde_json::to_string(entry);
        let json = json.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        self.details.execute(params![signed(id), json])?;
        Ok(id)
    }
}

/// Takes the oldest ones out, up to the newest one of that number.
fn trim(connection: &Connection, newest: u64) -> rusqlite::Result<()> {
    let nth = "SELECT id FROM entries ORDER BY id DESC LIMIT 1 OFFSET ?1";
    let nth_of_services =
        "SELECT id FROM entries WHERE command IN ('serve', 'worker') ORDER BY id DESC LIMIT 1 OFFSET ?1";
    let oldest: Option<i64> = connection
        .query_row(nth, [signed(ENTRIES_MAX)], |row| row.get(0))
        .optional()?;
    if let Some(oldest) = oldest {
        connection.execute("DELETE FROM entries WHERE id <= ?1", [oldest])?;
    }
    let oldest: Option<i64> = connection
        .query_row(nth_of_services, [signed(SERVICE_ENTRIES_MAX)], |row| row.get(0))
        .optional()?;
    if let Some(oldest) = oldest {
        connection.execute(
            "DELETE FROM entries WHERE command IN ('serve', 'worker') AND id <= ?1",
            [oldest],
        )?;
    }
    connection.execute(
        "DELETE FROM curves WHERE id <= ?1",
        [signed(newest.saturating_sub(CURVES_MAX))],
    )?;
    Ok(())
}

fn file_at(path: &Path) -> std::io::Result<FileId> {
    let metadata = path.symlink_metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

fn system(path: &Path, error: &std::io::Error) -> StoreError {
    use rustix::io::Errno;
    let path = path.to_owned();
    let why = crate::error::reason(error).to_string();
    match Errno::from_io_error(error) {
        Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::NOSPC | Errno::DQUOT | Errno::IO) => {
            StoreError::Want { path, why }
        }
        _ => StoreError::System { path, why },
    }
}

/// What `SQLite` says in words that tell what to do.
fn explained(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    let path = path.to_owned();
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path },
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::OutOfMemory) => {
            StoreError::Want { path, why }
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, why },
        _ => StoreError::System { path, why },
    }
}

/// `SQLite` has only signed numbers; those of entries begin at 1.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests;
