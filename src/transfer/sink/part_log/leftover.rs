//! Parts in a folder that were interrupted: told to people, and removed where nobody has gone on with them for days. Of a
//! file that was there before only the log is ever removed.

use std::fs::{File, read_dir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ignore::{DirEntry, WalkBuilder};

use crate::sys::is_locked;
use crate::transfer::sink::folder::Folder;
use crate::transfer::sink::part_name::{LOG_ENDING, is_log_name, is_log_within_name};
use crate::transfer::sink::removal;

use super::head::Head;
use super::stored::{Patience, is_of, open_own, read_head, remove_orphan, replay};
use super::{Unusable, log_name};

/// A part stays for so long after it was last written to.
pub(crate) const KEPT: Duration = Duration::from_hours(7 * 24);

/// A part that was interrupted, and from which its transfer can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterruptedPart {
    /// Its path, `NAME.arraylift-NUMBER.part`; that of the file, where it is some bytes of one that was there before.
    pub(crate) part: PathBuf,
    /// Which bytes of that file it is.
    pub(crate) within: Option<Within>,
    /// What it is to be called, or what that file is.
    pub(crate) wanted: String,
    /// Bytes of the item.
    pub(crate) bytes: u64,
    /// How many of them were recorded; some may have to come again.
    pub(crate) recorded_bytes: u64,
    /// When it was last written to.
    pub(crate) since: SystemTime,
    /// Somebody is receiving it.
    pub(crate) is_in_use: bool,
}

/// Of an interrupted part that is some bytes of a file which was there before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Within {
    /// The byte of the file with which it begins.
    pub(crate) at: u64,
    /// The path of its log.
    pub(crate) log: PathBuf,
}

impl InterruptedPart {
    /// Removes it, unless somebody is receiving it: a part with its log, and of a file that was there before the log alone.
    /// Returns whether it did.
    ///
    /// # Errors
    /// Its folder cannot be opened.
    pub(crate) fn discard(&self) -> io::Result<bool> {
        match &self.within {
            None => discard(&self.part),
            Some(within) => {
                let Some((folder, name, log)) = opened(&within.log)? else {
                    return Ok(false);
                };
                let lone = LogWithin { folder, name, log };
                Ok(lone.remove_if(|_| true).unwrap_or(false))
            }
        }
    }
}

/// Finds them in a folder and in all below it, in order of their paths; no link is followed, and no other file system entered.
/// What cannot be read is left out.
///
/// # Errors
/// The folder itself cannot be read.
pub(crate) fn interrupted_parts_below(folder: &Path) -> io::Result<Vec<InterruptedPart>> {
    let mut found = interrupted_parts(folder)?;
    for below in folders_below(folder).skip(1) {
        found.extend(interrupted_parts(&below).unwrap_or_default());
    }
    sort(&mut found);
    Ok(found)
}

/// A folder, and those below it on its file system. Links are not followed.
pub(crate) fn folders_below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let below = WalkBuilder::new(folder)
        .standard_filters(false)
        .same_file_system(true)
        .filter_entry(|entry| entry.file_type().is_some_and(|what| what.is_dir()))
        .build();
    below.flatten().map(DirEntry::into_path)
}

/// Finds them in a folder, in order of their names. What cannot be read is left out, and a log without a part is removed.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn interrupted_parts(folder: &Path) -> io::Result<Vec<InterruptedPart>> {
    let mut found: Vec<InterruptedPart> = logs_in(folder)?.filter_map(|log| log.describe().ok()?).collect();
    sort(&mut found);
    Ok(found)
}

fn sort(parts: &mut [InterruptedPart]) {
    let at = |part: &InterruptedPart| part.within.as_ref().map(|within| within.at);
    parts.sort_by(|a, b| (&a.part, at(a)).cmp(&(&b.part, at(b))));
}

/// Removes those that nobody has, and that were last written to seven days before `now`; of a file that was there before the
/// log, whatever has become of the file. Returns their paths. None goes of which a time lies in the future: a clock is
/// wrong. A log without a part goes at any time.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn expire(folder: &Path, now: SystemTime) -> io::Result<Vec<PathBuf>> {
    let rests = |time| now.duration_since(time).is_ok_and(|rest| rest >= KEPT);
    let removed = logs_in(folder)?.filter_map(|log| {
        let (removed, path) = match &log {
            Logged::Part(pair) => (
                remove_if(pair, |times| times.into_iter().all(rests)),
                pair.folder.path_of(&pair.part),
            ),
            Logged::Within(within) => (within.remove_if(rests), within.folder.path_of(&within.name)),
        };
        removed.unwrap_or(false).then_some(path)
    });
    Ok(removed.collect())
}

/// Removes a part with its log, unless somebody is receiving it. Returns whether it did.
///
/// # Errors
/// Its folder cannot be opened.
pub(crate) fn discard(part: &Path) -> io::Result<bool> {
    let Some((folder, name, log)) = opened(&log_name(part))? else {
        return Ok(false);
    };
    let part = PathBuf::from(part.file_name().unwrap_or_default());
    let pair = Pair {
        folder,
        part,
        name,
        log,
    };
    Ok(remove_if(&pair, |_| true).unwrap_or(false))
}

/// A log in its folder; `None` where there is none of this user's.
fn opened(path: &Path) -> io::Result<Option<(Arc<Folder>, PathBuf, File)>> {
    let folder = Folder::open(path.parent().unwrap_or(Path::new("")))?;
    let name = PathBuf::from(path.file_name().unwrap_or_default());
    let log = open_own(&folder, &name).ok().flatten();
    Ok(log.map(|log| (folder, name, log)))
}

/// A log that lies in a folder.
enum Logged {
    Part(Pair),
    Within(LogWithin),
}

/// The log of some bytes of a file that was there before.
struct LogWithin {
    folder: Arc<Folder>,
    name: PathBuf,
    log: File,
}

/// A log, and what its part is called.
struct Pair {
    folder: Arc<Folder>,
    part: PathBuf,
    name: PathBuf,
    log: File,
}

/// The logs in a folder, each opened as it is come to.
fn logs_in(path: &Path) -> io::Result<impl Iterator<Item = Logged> + use<>> {
    let folder = Folder::open(path)?;
    let entries = read_dir(path)?.flatten();
    Ok(entries.filter_map(move |entry| {
        let name = entry.file_name();
        let text = name.to_str()?;
        let part = is_log_name(text).then(|| PathBuf::from(&text[..text.len() - LOG_ENDING.len()]));
        if part.is_none() && !is_log_within_name(text) {
            return None;
        }
        let name = PathBuf::from(name);
        let log = open_own(&folder, &name).ok()??;
        let folder = Arc::clone(&folder);
        Some(match part {
            Some(part) => Logged::Part(Pair {
                folder,
                part,
                name,
                log,
            }),
            None => Logged::Within(LogWithin { folder, name, log }),
        })
    }))
}

impl Logged {
    /// `None` where the file is gone.
    fn describe(&self) -> Result<Option<InterruptedPart>, Unusable> {
        match self {
            Self::Part(pair) => describe(pair),
            Self::Within(within) => within.describe(),
        }
    }
}

impl LogWithin {
    /// `None` where the file is gone, and then the log goes, too.
    fn describe(&self) -> Result<Option<InterruptedPart>, Unusable> {
        let head = read_head(&self.log)?;
        let wanted = &head.item.wanted;
        let path = self.folder.path_of(wanted);
        let file = match path.symlink_metadata() {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                remove_orphan(&self.folder, wanted, &self.name, &self.log, &mut Patience::none());
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        if !(head.item.is_within && is_of(&head, &file)) {
            return Err(Unusable::OtherFile);
        }
        let within = Within {
            at: head.item.data_offset,
            log: self.folder.path_of(&self.name),
        };
        Ok(Some(InterruptedPart {
            part: path,
            within: Some(within),
            // Others may write to the file for whatever reason.
            since: self.log.metadata()?.modified()?,
            ..told(&self.log, &head, &self.log)?
        }))
    }

    /// Removes it where nobody has it, and the time of its last write says so. The file stays. Returns whether it did.
    fn remove_if(&self, is_due: impl Fn(SystemTime) -> bool) -> Result<bool, Unusable> {
        let is_over = || Ok::<bool, Unusable>(is_due(self.log.metadata()?.modified()?));
        // Whoever had it a moment ago wrote to it.
        let is_free = is_over()? && Patience::none().lock(&self.log)? && is_over()?;
        if !(is_free && self.folder.leads_to(&self.name, &self.log)) {
            return Ok(false);
        }
        self.folder.unlink(&self.name).map_err(io::Error::from)?;
        Ok(true)
    }
}

impl Pair {
    /// The part; `None` where it is gone, and then the log goes, too.
    fn open_part(&self) -> Result<Option<File>, Unusable> {
        let part = open_own(&self.folder, &self.part)?;
        if part.is_none() {
            remove_orphan(&self.folder, &self.part, &self.name, &self.log, &mut Patience::none());
        }
        Ok(part)
    }

    /// When either was last written to.
    fn written(&self, part: &File) -> io::Result<[SystemTime; 2]> {
        Ok([part.metadata()?.modified()?, self.log.metadata()?.modified()?])
    }

    /// Both, where nobody has them, and nobody will until this is dropped.
    fn lock(&self, part: &File) -> Result<bool, Unusable> {
        let mut patience = Patience::none();
        let is_locked = patience.lock(part)? && patience.lock(&self.log)?;
        let is_there = || self.folder.leads_to(&self.part, part) && self.folder.leads_to(&self.name, &self.log);
        Ok(is_locked && is_there())
    }
}

/// `None` where the part is gone.
fn describe(pair: &Pair) -> Result<Option<InterruptedPart>, Unusable> {
    let Some(part) = pair.open_part()? else {
        return Ok(None);
    };
    let head = read_head(&pair.log)?;
    if !is_of(&head, &part.metadata()?) {
        return Err(Unusable::OtherFile);
    }
    let [part_written, log_written] = pair.written(&part)?;
    Ok(Some(InterruptedPart {
        part: pair.folder.path_of(&pair.part),
        since: part_written.max(log_written),
        ..told(&pair.log, &head, &part)?
    }))
}

/// What a log says of its item. Whoever receives that has `locked` locked.
fn told(log: &File, head: &Head, locked: &File) -> Result<InterruptedPart, Unusable> {
    let read = replay(log, head)?;
    let recorded = read.on_disk.iter().chain(&read.pending);
    Ok(InterruptedPart {
        part: PathBuf::new(),
        within: None,
        wanted: head.item.wanted.to_string_lossy().into_owned(),
        bytes: head.item.bytes,
        recorded_bytes: head.item.bytes_of(recorded.map(|(index, _)| *index)),
        since: SystemTime::UNIX_EPOCH,
        // Without locks nobody knows.
        is_in_use: is_locked(locked).unwrap_or(true),
    })
}

/// Removes both where nobody has them, and the times of their last writes say so. Returns whether it did.
fn remove_if(pair: &Pair, is_due: impl Fn([SystemTime; 2]) -> bool) -> Result<bool, Unusable> {
    let Some(part) = pair.open_part()? else {
        return Ok(false);
    };
    let is_over = || Ok::<bool, Unusable>(is_due(pair.written(&part)?));
    // Whoever had it a moment ago wrote to it.
    if !(is_over()? && pair.lock(&part)? && is_over()?) {
        return Ok(false);
    }
    let head = read_head(&pair.log)?;
    // A file that was there before is not removed, whatever its log is called.
    if head.item.is_within || !is_of(&head, &part.metadata()?) {
        return Err(Unusable::OtherFile);
    }
    // A log without a part is removed when it is seen; a part without a log would stay.
    pair.folder.unlink(&pair.part).map_err(io::Error::from)?;
    let _ = pair.folder.unlink(&pair.name);
    removal::close(Arc::new(part));
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, Receiving, item};
    use super::super::{Found, ItemHead};
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    /// A second less than seven of them.
    const ALMOST: Duration = Duration::from_secs(7 * 24 * 3600 - 1);

    fn names_of(found: &[InterruptedPart]) -> Vec<&str> {
        found.iter().map(|part| part.wanted.as_str()).collect()
    }

    /// One that was received, and last written to so long before `now`.
    fn interrupted(place: &Place, wanted: &str, now: SystemTime, [part_age, log_age]: [Duration; 2]) -> PathBuf {
        let item = ItemHead {
            wanted: wanted.into(),
            ..item()
        };
        let receiving = place.begin(&item);
        receiving.receive(&[0, 9]);
        set_written(place, &receiving, [now - part_age, now - log_age]);
        place.at(&receiving.name)
    }

    fn set_written(place: &Place, receiving: &Receiving, [part, log]: [SystemTime; 2]) {
        receiving.file.set_modified(part).expect("set");
        let name = super::super::log_name(&receiving.name);
        let file = File::options().write(true).open(place.at(name)).expect("there");
        file.set_modified(log).expect("set");
    }

    #[test]
    fn interrupted_parts_are_told_with_what_they_have() {
        let place = Place::new();
        let now = SystemTime::now();
        let path = interrupted(&place, "b.npy", now, [DAY, 2 * DAY]);
        let receiving = place.begin(&item());
        // Neither a part without a log nor anything else is one.
        std::fs::write(place.at("c.npy.arraylift-00000001.part"), "half").expect("written");
        std::fs::write(place.at("d.npy.arraylift-00000001.part"), "half").expect("written");
        std::fs::write(place.at("d.npy.arraylift-00000001.part.log"), "log").expect("written");
        std::fs::write(place.at("e.log"), "log").expect("written");
        let found = interrupted_parts(&place.at("")).expect("a folder");
        assert_eq!(names_of(&found), ["a.npy", "b.npy"]);
        assert!(found[0].is_in_use && found[0].recorded_bytes == 0);
        let expected = InterruptedPart {
            part: path,
            within: None,
            wanted: "b.npy".into(),
            bytes: 9500,
            recorded_bytes: 1500,
            since: now - DAY,
            is_in_use: false,
        };
        assert_eq!(found[1], expected);
        drop(receiving);
        assert!(!interrupted_parts(&place.at("")).expect("a folder")[0].is_in_use);
        interrupted_parts(&place.at("no such folder")).expect_err("none");
    }

    #[test]
    fn a_part_goes_seven_days_after_either_was_last_written_to() {
        let place = Place::new();
        let now = SystemTime::now();
        let old = interrupted(&place, "old", now, [7 * DAY, 8 * DAY]);
        interrupted(&place, "part", now, [ALMOST, 8 * DAY]);
        interrupted(&place, "log", now, [8 * DAY, ALMOST]);
        let removed = expire(&place.at(""), now).expect("a folder");
        assert_eq!(removed, std::slice::from_ref(&old));
        assert!(!old.exists());
        let left = interrupted_parts(&place.at("")).expect("a folder");
        assert_eq!(names_of(&left), ["log", "part"]);
        assert_eq!(std::fs::read_dir(place.at("")).expect("a folder").count(), 4);
    }

    #[test]
    fn no_part_goes_by_a_clock_that_is_wrong() {
        let place = Place::new();
        let now = SystemTime::now();
        interrupted(&place, "old", now, [8 * DAY, 8 * DAY]);
        let before = now - 9 * DAY;
        assert_eq!(expire(&place.at(""), before).expect("a folder").len(), 0);
        assert_eq!(expire(&place.at(""), now).expect("a folder").len(), 1);
        let receiving = place.begin(&item());
        set_written(&place, &receiving, [now - 8 * DAY, now + DAY]);
        drop(receiving);
        assert_eq!(expire(&place.at(""), now).expect("a folder").len(), 0);
    }

    #[test]
    fn no_part_goes_that_somebody_has_or_whose_log_is_not_its_own() {
        let place = Place::new();
        let now = SystemTime::now();
        let receiving = place.begin(&item());
        set_written(&place, &receiving, [now - 8 * DAY; 2]);
        assert_eq!(expire(&place.at(""), now).expect("a folder").len(), 0);
        let path = place.at(&receiving.name);
        drop(receiving);
        std::fs::copy(&path, place.at("copy")).expect("copied");
        let copy = File::options().write(true).open(place.at("copy")).expect("there");
        copy.set_modified(now - 8 * DAY).expect("set");
        std::fs::rename(place.at("copy"), &path).expect("replaced");
        std::fs::write(place.at("b.arraylift-00000001.part"), "half").expect("written");
        assert_eq!(expire(&place.at(""), now).expect("a folder").len(), 0);
        assert!(path.exists());
    }

    #[test]
    fn a_log_without_a_part_goes_when_it_is_seen_unless_somebody_has_it() {
        for see in [
            (|folder| interrupted_parts(folder).map(|_| ())) as fn(&Path) -> io::Result<()>,
            |folder| expire(folder, SystemTime::now()).map(|_| ()),
        ] {
            let place = Place::new();
            let receiving = place.begin(&item());
            std::fs::remove_file(place.at(&receiving.name)).expect("there");
            see(&place.at("")).expect("a folder");
            assert_eq!(std::fs::read_dir(place.at("")).expect("a folder").count(), 1);
            drop(receiving);
            see(&place.at("")).expect("a folder");
            assert_eq!(std::fs::read_dir(place.at("")).expect("a folder").count(), 0);
        }
    }

    #[test]
    fn to_look_at_a_part_does_not_keep_it_from_going_on() {
        let place = Place::new();
        interrupted(&place, "a.npy", SystemTime::now(), [DAY, DAY]);
        let found = interrupted_parts(&place.at("")).expect("a folder");
        assert_eq!(found.len(), 1);
        assert!(matches!(
            super::super::find(&place.open, &item(), &mut Patience::none()),
            Found::Part(_)
        ));
    }
}
