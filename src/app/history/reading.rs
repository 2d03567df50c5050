//! Reads the history, off the window's thread: it may lie on a slow disk.

use std::path::Path;

use crate::app::model::history::{Found, Run, SHOWN};
use crate::history::{Chosen, Entry, Forgotten, Query, Store, StoreError};

/// The latest entries that have this text.
pub(in crate::app) fn find(path: &Path, search: String) -> Found {
    let query = Query {
        last: Some(SHOWN),
        since_unix_ms: None,
        search: (!search.trim().is_empty()).then(|| search.trim().to_owned()),
    };
    Found {
        entries: listed(path, &query).map_err(|error| error.to_string()),
        search,
    }
}

fn listed(path: &Path, query: &Query) -> Result<Vec<Entry>, StoreError> {
    Store::open_existing(path)?.map_or_else(|| Ok(Vec::new()), |store| store.list(query))
}

/// What is known of these entries; nothing of those that are gone.
pub(in crate::app) fn runs(path: &Path, ids: &[u64]) -> Vec<Run> {
    // Why it cannot be read is said where the list is read.
    let Ok(Some(store)) = Store::open_existing(path) else {
        return Vec::new();
    };
    let run = |id: &u64| {
        let (entry, curves) = store.entry(*id).ok()??;
        Some(Run { entry, curves })
    };
    ids.iter().filter_map(run).collect()
}

/// Forgets an entry; returns its number, and whether nothing of it is left.
pub(in crate::app) fn forget(path: &Path, id: u64) -> Result<(u64, bool), String> {
    let forgotten = Store::open_existing(path).and_then(|store| match store {
        Some(mut store) => store.forget(&Chosen::Ids(vec![id])).map(Some),
        None => Ok(None),
    });
    let is_wiped = |forgotten: Option<Forgotten>| forgotten.is_none_or(|forgotten| forgotten.is_wiped);
    forgotten
        .map(|forgotten| (id, is_wiped(forgotten)))
        .map_err(|error| error.to_string())
}
