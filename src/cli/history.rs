//! `arraylift history`: what was transferred, whatever did it.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use crate::history::{self, Chosen, Curves, Entry, Forgotten, Object, Query, Recording, Store, StoreError};
use crate::{Error, own_file};

use super::arguments::{
    ComparisonArguments, ForgetArguments, HistoryAction, HistoryArguments, KeepArguments, ShowArguments,
};
use super::{Failure, history_tables, output, printable};

/// Entries that are listed unless it is said how many.
const LISTED: u64 = 20;

pub(crate) fn run(typed: &HistoryArguments) -> Result<(), Failure> {
    match &typed.action {
        None => list(typed),
        Some(HistoryAction::Show(typed)) => show(typed),
        Some(HistoryAction::Compare(typed)) => compare(typed),
        Some(HistoryAction::Forget(typed)) => forget(typed),
    }
}

/// Keeps the transfers of `command`, unless they are not to be kept.
pub(super) fn recording(command: &str, typed: KeepArguments) -> Option<Recording> {
    if typed.no_history || history::is_switched_off() {
        return None;
    }
    let tell = |note: &str| output::complain(&note);
    let again = Some(history::command_line());
    Some(Recording::new(command, again, history::path(), Arc::new(tell)))
}

fn list(typed: &HistoryArguments) -> Result<(), Failure> {
    let now = SystemTime::now();
    let query = Query {
        last: typed.last.or(typed.since.is_none().then_some(LISTED)),
        since_unix_ms: typed.since.map(|since| since.unix_ms(now)),
        search: typed.search.clone(),
    };
    // Of the first one, which has the largest number.
    let mut id_columns = None;
    let mut print = |part: Vec<Entry>| {
        let columns = *id_columns.get_or_insert(part.first().map_or(1, |first| first.id.to_string().len()));
        if typed.json {
            output::hold(true);
            for entry in &part {
                output::line(&Object::of(entry, None));
            }
            output::hold(false);
        } else {
            say(&history_tables::list(&part, columns));
        }
        output::flush();
    };
    if let Some(store) = open()? {
        store.list_in_parts(&query, &mut print).map_err(told)?;
    }
    if id_columns.is_none() && !typed.json {
        say("nothing was transferred, or it was forgotten");
    }
    Ok(())
}

fn show(typed: &ShowArguments) -> Result<(), Failure> {
    let (entry, curves) = find(typed.id)?;
    if let Some(path) = &typed.html {
        write(path, &history::html(&entry, &curves))?;
    }
    if let Some(path) = &typed.csv {
        write(path, &history::csv(&curves))?;
    }
    if typed.json {
        output::line(&Object::of(&entry, Some(&curves)));
    } else if typed.md {
        say(&history::markdown(&entry));
    } else if typed.html.is_none() && typed.csv.is_none() {
        say(&history_tables::one(&entry));
    }
    Ok(())
}

/// Makes a file of what was asked for.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    own_file::create(path, 0o644, text.as_bytes()).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::SinkExists(path.to_owned()).into(),
        _ => Failure::from(Error::SinkUnwritable {
            path: path.to_owned(),
            reason: crate::error::reason(&error),
        }),
    })
}

fn compare(typed: &ComparisonArguments) -> Result<(), Failure> {
    let ((first, _), (second, _)) = (find(typed.first)?, find(typed.second)?);
    if typed.json {
        output::line(&Pair {
            first: Object::of(&first, None),
            second: Object::of(&second, None),
            difference_percent: history::differences(&first, &second)
                .into_iter()
                .map(|number| (number.name, number.more_percent()))
                .collect(),
        });
    } else {
        say(&history_tables::two(&first, &second));
    }
    Ok(())
}

fn forget(typed: &ForgetArguments) -> Result<(), Failure> {
    let chosen = match typed.before {
        Some(before) => Chosen::Before(before.unix_ms(SystemTime::now())),
        None if typed.all => Chosen::All,
        None => Chosen::Ids(typed.ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()),
    };
    let forgotten = match open()? {
        Some(mut store) => store.forget(&chosen).map_err(told)?,
        None => Forgotten {
            entries: 0,
            is_wiped: true,
        },
    };
    let mut words = forgotten_in_words(forgotten.entries);
    let mut is_incomplete = false;
    if let Chosen::Ids(ids) = &chosen
        && forgotten.entries < ids.len() as u64
    {
        words = missing_in_words(ids.len() as u64 - forgotten.entries, forgotten.entries);
        is_incomplete = true;
    }
    if !forgotten.is_wiped {
        words = format!("{words}; {}", Forgotten::LEFT);
        is_incomplete = true;
    }
    if is_incomplete {
        return Err(Failure::Incomplete(words));
    }
    say(&words);
    Ok(())
}

fn forgotten_in_words(forgotten: u64) -> String {
    match forgotten {
        1 => "1 entry is forgotten".into(),
        several => format!("{} entries are forgotten", crate::units::count(several)),
    }
}

/// What to say where some of the numbers that were given are those of no entries.
fn missing_in_words(missing: u64, forgotten: u64) -> String {
    let are_missing = match missing {
        1 => "1 number is not in the history".into(),
        several => format!("{} numbers are not in the history", crate::units::count(several)),
    };
    match forgotten {
        0 => are_missing,
        forgotten => format!("{are_missing}; {}", forgotten_in_words(forgotten)),
    }
}

pub(super) fn open() -> Result<Option<Store>, Failure> {
    let path = history::path().ok_or(StoreError::NoPlace).map_err(told)?;
    Store::open_existing(&path).map_err(told)
}

pub(super) fn find(id: u64) -> Result<(Entry, Curves), Failure> {
    let found = match open()? {
        Some(store) => store.entry(id).map_err(told)?,
        None => None,
    };
    found.ok_or_else(|| Failure::Incomplete(format!("{id} is not in the history: see arraylift history")))
}

pub(super) fn told(error: StoreError) -> Failure {
    match error {
        StoreError::LongSearch => Failure::Usage(error.to_string()),
        error => Failure::Incomplete(error.to_string()),
    }
}

/// Lines, of which none has anything that would move the cursor.
pub(super) fn say(text: &str) {
    let lines = text.lines().map(|line| printable(line) + "\n");
    output::text(lines.collect());
}

#[derive(Serialize)]
struct Pair<'a> {
    first: Object<'a>,
    second: Object<'a>,
    difference_percent: std::collections::BTreeMap<&'static str, Option<f64>>,
}
