//! Removes what processes that have gone had half received.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::sys::awake_now;
use crate::transfer::tell::event_queue::Waker;

use super::file_system::Effort;
use super::part_name::{PartNumber, left_behind};
use super::publisher::PublishContext;
use super::removal;
use super::task::Pending;

/// A connection may be seen to close before its process has let go of its files: they are looked for so long.
const LOOK_TIME: Duration = Duration::from_secs(2);
/// Until they are looked for again; then twice as long each time, and a last time when the time is over.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// Files that nobody may receive into any more, known by the numbers that were given out for them. A thread of the
/// publisher looks for them, as their disk may take its time.
pub(crate) struct AbandonedParts {
    /// Where arrays land, if they land in files.
    folder: Option<PathBuf>,
    disk: PublishContext,
    waiting: Vec<Abandoned>,
    /// What comes of a look is those that are to be looked for again.
    looking: Option<Pending<Vec<Abandoned>>>,
}

/// The files of a process that has gone, or hangs.
struct Abandoned {
    numbers: Vec<PartNumber>,
    /// The process may still make them, or have them open.
    may_live: bool,
    look_at: Instant,
    interval: Duration,
    until: Instant,
}

impl AbandonedParts {
    /// Of arrays that land in `folder`; `waker` is called after each look.
    pub(crate) fn new(folder: Option<PathBuf>, waker: Waker) -> Self {
        Self {
            folder,
            disk: PublishContext::new(waker),
            waiting: Vec::new(),
            looking: None,
        }
    }

    /// Files of a process that has gone. It `may_live` on for a moment.
    pub(crate) fn add(&mut self, numbers: Vec<PartNumber>, may_live: bool) {
        if self.folder.is_none() || numbers.is_empty() {
            return;
        }
        let now = awake_now();
        self.waiting.push(Abandoned {
            numbers,
            may_live,
            look_at: now,
            interval: LOOK_INTERVAL,
            until: now + LOOK_TIME,
        });
    }

    /// Has those removed that nobody has locked. One that stays locked stays: the next service tells of it.
    pub(crate) fn remove(&mut self) {
        if let Some(looking) = self.looking.take() {
            match looking.take() {
                None => self.looking = Some(looking),
                // Only a panic loses them.
                Some(again) => self.waiting.extend(again.unwrap_or_default()),
            }
        }
        if self.looking.is_some() {
            return;
        }
        let now = awake_now();
        let due: Vec<Abandoned> = self.waiting.extract_if(.., |one| one.look_at <= now).collect();
        if let Some(folder) = self.folder.clone()
            && !due.is_empty()
        {
            let look = move || Ok(look_for(due, &folder));
            self.looking = Some(self.disk.begin(Effort::MayLast, look));
        }
    }

    /// When to call [`AbandonedParts::remove`] again, beside whenever the waker is called.
    pub(crate) fn due(&self) -> Option<Instant> {
        let waiting = self.waiting.iter().filter(|_| self.looking.is_none());
        waiting.map(|abandoned| abandoned.look_at).min()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.looking.is_none()
    }
}

/// Removes those of which nobody has the file any more. Returns those that are to be looked for again.
fn look_for(abandoned: Vec<Abandoned>, folder: &Path) -> Vec<Abandoned> {
    let still_there = remove_numbered(folder, |number| {
        abandoned.iter().any(|one| one.numbers.contains(&number))
    });
    let now = awake_now();
    let again = abandoned.into_iter().filter_map(|mut one| {
        if let (Ok(still_there), false) = (&still_there, one.may_live) {
            one.numbers.retain(|number| still_there.contains(number));
        }
        let is_over = one.numbers.is_empty() || now >= one.until;
        one.look_at = one.until.min(now + one.interval);
        one.interval *= 2;
        (!is_over).then_some(one)
    });
    again.collect()
}

/// Removes files with numbers that are `wanted`. Returns the numbers of those that somebody still has.
///
/// # Errors
/// The folder cannot be read to its end, for now or for ever: more may be there.
fn remove_numbered(folder: &Path, wanted: impl Fn(PartNumber) -> bool) -> io::Result<Vec<PartNumber>> {
    let mut still_there = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let number = entry.file_name().to_str().and_then(PartNumber::of_name);
        let Some(number) = number.filter(|number| wanted(*number)) else {
            continue;
        };
        let path = entry.path();
        if left_behind(&path).is_some() {
            removal::remove_path(&path);
        } else {
            still_there.push(number);
        }
    }
    Ok(still_there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::sync::Arc;

    use crossbeam_channel::{Receiver, bounded};

    fn in_folder(folder: &Path) -> (AbandonedParts, Receiver<()>) {
        let (wake, woken) = bounded(64);
        let waker: Waker = Arc::new(move || wake.send(()).expect("someone waits"));
        (AbandonedParts::new(Some(folder.into()), waker), woken)
    }

    /// Looks once more for all of them.
    fn look(abandoned: &mut AbandonedParts, woken: &Receiver<()>) {
        if let Some(due) = abandoned.due() {
            std::thread::sleep(due.saturating_duration_since(awake_now()));
        }
        abandoned.remove();
        woken.recv().expect("a wake");
        abandoned.remove();
    }

    fn number(name: &str) -> PartNumber {
        PartNumber::of_name(name).expect("a number")
    }

    #[test]
    fn a_part_goes_once_nobody_has_it_and_nothing_else_ever_goes() {
        let folder = tempfile::tempdir().expect("folder");
        let names = [
            "a.npy.arraylift-00000001.part",
            "a.npy.arraylift-00000002.part",
            "precious.npy",
        ];
        let [part, other, whole] = names.map(|name| folder.path().join(name));
        let held = File::create_new(&part).expect("a file");
        crate::sys::lock(&held).expect("free");
        for path in [&other, &whole] {
            std::fs::write(path, "precious").expect("written");
        }
        let (mut abandoned, woken) = in_folder(folder.path());
        abandoned.add(vec![number(names[0]), number("gone.arraylift-00000003.part")], false);
        look(&mut abandoned, &woken);
        assert!(part.exists() && abandoned.due().is_some(), "somebody has it");
        drop(held);
        look(&mut abandoned, &woken);
        assert!(!part.exists() && abandoned.is_empty());
        assert!(other.exists() && whole.exists());
    }

    #[test]
    fn a_process_that_may_live_is_given_the_time_to_make_its_file_and_one_that_holds_on_to_it_keeps_it() {
        let folder = tempfile::tempdir().expect("folder");
        let names = ["a.arraylift-0000000a.part", "b.arraylift-0000000b.part"];
        let [late, held] = names.map(|name| folder.path().join(name));
        let (mut abandoned, woken) = in_folder(folder.path());
        abandoned.add(names.map(number).into(), true);
        look(&mut abandoned, &woken);
        std::fs::write(&late, "half").expect("written");
        let file = File::create_new(&held).expect("a file");
        crate::sys::lock(&file).expect("free");
        while !abandoned.is_empty() {
            look(&mut abandoned, &woken);
        }
        assert!(!late.exists() && held.exists());
    }

    /// Looks for them until nobody is to look any more.
    fn look_to_the_end(abandoned: &mut AbandonedParts, woken: &Receiver<()>) {
        while !abandoned.is_empty() {
            look(abandoned, woken);
        }
    }

    #[test]
    fn files_are_looked_for_a_last_time_when_the_time_is_over() {
        let folder = tempfile::tempdir().expect("folder");
        let name = "a.arraylift-0000000a.part";
        let (mut abandoned, woken) = in_folder(folder.path());
        abandoned.add(vec![number(name)], true);
        while abandoned.waiting[0].until - abandoned.waiting[0].look_at > LOOK_INTERVAL {
            look(&mut abandoned, &woken);
        }
        std::fs::write(folder.path().join(name), "half").expect("written");
        look_to_the_end(&mut abandoned, &woken);
        assert!(!folder.path().join(name).exists());
    }

    #[test]
    fn a_process_that_goes_does_not_change_when_those_that_went_before_are_looked_for() {
        let folder = tempfile::tempdir().expect("folder");
        let (mut abandoned, woken) = in_folder(folder.path());
        abandoned.add(vec![number("a.arraylift-0000000a.part")], true);
        for _ in 0..4 {
            look(&mut abandoned, &woken);
        }
        let look_at = abandoned.waiting[0].look_at;
        abandoned.add(vec![number("b.arraylift-0000000b.part")], true);
        abandoned.remove();
        woken.recv().expect("a wake");
        abandoned.remove();
        assert!(abandoned.waiting.iter().any(|one| one.look_at == look_at));
    }

    #[test]
    fn a_folder_that_cannot_be_read_for_a_moment_is_looked_through_later() {
        let folder = tempfile::tempdir().expect("folder");
        let (inbox, away) = (folder.path().join("inbox"), folder.path().join("away"));
        std::fs::create_dir(&away).expect("a folder");
        let name = "a.arraylift-0000000a.part";
        std::fs::write(away.join(name), "half").expect("written");
        let (mut abandoned, woken) = in_folder(&inbox);
        abandoned.add(vec![number(name)], false);
        look(&mut abandoned, &woken);
        std::fs::rename(&away, &inbox).expect("renamed");
        look_to_the_end(&mut abandoned, &woken);
        assert!(!inbox.join(name).exists());
    }
}
