//! What is asked of the history, and what is forgotten.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, TransactionBehavior, params_from_iter};

use crate::history::entry::Entry;

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

pub(super) fn list(connection: &Connection, query: &Query) -> rusqlite::Result<Vec<Entry>> {
    let mut sql = "SELECT details.id, details.entry FROM entries JOIN details USING (id) WHERE true".to_owned();
    let mut values: Vec<Value> = Vec::new();
    if let Some(since) = query.since_unix_ms {
        sql += " AND began_unix_ms >= ?";
        values.push(since.into());
    }
    if let Some(search) = &query.search {
        sql += " AND words LIKE ? ESCAPE '\\'";
        values.push(pattern(search).into());
    }
    sql += " ORDER BY id DESC LIMIT ?";
    values.push(query.last.map_or(-1, signed).into());
    let mut statement = connection.prepare(&sql)?;
    statement.query_map(params_from_iter(values), entry_of)?.collect()
}

/// The entry of a row with its number and what it says.
pub(super) fn entry_of(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let id: i64 = row.get(0)?;
    // One that cannot be read, whatever wrote it, hides none of the others.
    let mut entry: Entry = serde_json::from_str(row.get_ref(1)?.as_str()?).unwrap_or_default();
    entry.id = unsigned(id);
    Ok(entry)
}

pub(super) fn forget(connection: &mut Connection, chosen: &Chosen) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let forgotten = match chosen {
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
    // The log still says what was forgotten until it begins anew.
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE")?;
    Ok(forgotten as u64)
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
