//! What is asked of the history, and what is forgotten.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, TransactionBehavior, params_from_iter};

use crate::history::entry::{Ending, Entry};

use super::{signed, unsigned};

/// Which entries are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// Only the latest so many.
    pub last: Option<u64>,
    /// Only those that began no earlier, in milliseconds since 1970.
    pub since_unix_ms: Option<i64>,
    /// Only those whose command, names, places, message or checksum have this text in them, in either case of ASCII
    /// letters.
    pub search: Option<String>,
}

/// The longest text that is searched for. `SQLite` takes no pattern of more than 50,000 bytes, and no entry says more.
pub(crate) const SEARCH_CHARS_MAX: usize = 4096;

/// So many entries are read at a time.
const PART: u64 = 256;

impl Query {
    /// Whether it looks for what nothing says.
    pub(super) fn is_too_long(&self) -> bool {
        let search = self.search.as_deref().unwrap_or_default();
        search.chars().nth(SEARCH_CHARS_MAX).is_some()
    }
}

/// Which entries are forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// Those of these numbers.
    Ids(Vec<u64>),
    /// Those that began earlier, in milliseconds since 1970.
    Before(i64),
    /// All of them.
    All,
}

/// How that went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forgotten {
    /// How many they were.
    pub entries: u64,
    /// Nothing of what they said is in any file of the history; else a reader holds the log, where some of it may be.
    pub is_wiped: bool,
}

impl Forgotten {
    /// What to say where it is not wiped.
    pub(crate) const LEFT: &str =
        "as others read the history, its log may have what was kept until the next time that something is forgotten";
}

pub(super) fn list(connection: &Connection, query: &Query, take: &mut dyn FnMut(Vec<Entry>)) -> rusqlite::Result<()> {
    let mut left = query.last.unwrap_or(u64::MAX);
    let mut before = i64::MAX;
    while left > 0 {
        let part = part(connection, query, before, left.min(PART))?;
        let Some(last) = part.last() else { break };
        before = signed(last.id);
        left = left.saturating_sub(part.len() as u64);
        take(part);
    }
    Ok(())
}

/// The latest entries with smaller numbers.
fn part(connection: &Connection, query: &Query, before: i64, count: u64) -> rusqlite::Result<Vec<Entry>> {
    let mut sql =
        "SELECT id, details.entry, began_unix_ms, command FROM entries JOIN details USING (id) WHERE id > 0 AND id < ?"
            .to_owned();
    let mut values: Vec<Value> = vec![before.into()];
    if let Some(since) = query.since_unix_ms {
        sql += " AND began_unix_ms >= ?";
        values.push(since.into());
    }
    if let Some(search) = &query.search {
        sql += " AND words LIKE ? ESCAPE '\\'";
        values.push(pattern(search).into());
    }
    sql += " ORDER BY id DESC LIMIT ?";
    values.push(signed(count).into());
    let mut statement = connection.prepare(&sql)?;
    statement.query_map(params_from_iter(values), entry_of)?.collect()
}

/// The entry of a row: its number, what it says, when it began, the command that did it.
pub(super) fn entry_of(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let id: i64 = row.get(0)?;
    let said = row.get_ref(1)?.as_bytes().ok();
    // One that cannot be read, whatever wrote it, hides none of the others.
    let read = said.and_then(|said| serde_json::from_slice(said).ok());
    let mut entry: Entry = read.unwrap_or_else(|| Entry {
        began_unix_ms: row.get(2).unwrap_or_default(),
        command: row.get(3).unwrap_or_default(),
        outcome: Ending::Damaged,
        message: Some("what was kept of it cannot be read".into()),
        ..Entry::default()
    });
    entry.id = unsigned(id);
    Ok(entry)
}

pub(super) fn forget(connection: &mut Connection, chosen: &Chosen) -> rusqlite::Result<Forgotten> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let entries = match chosen {
        Chosen::All => transaction.execute("DELETE FROM entries", [])?,
        Chosen::Before(unix_ms) => transaction.execute("DELETE FROM entries WHERE began_unix_ms < ?1", [unix_ms])?,
        Chosen::Ids(ids) => {
            let mut delete = transaction.prepare("DELETE FROM entries WHERE id = ?1")?;
            let mut forgotten = 0;
            for id in ids {
                forgotten += delete.execute([signed(*id)])?;
            }
            forgotten
        }
    };
    transaction.commit()?;
    // The log still says what was forgotten until it begins anew, for which it waits for who reads.
    let is_held: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(Forgotten {
        entries: entries as u64,
        is_wiped: !is_held,
    })
}

/// A pattern for `LIKE` that finds this text and nothing else.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
