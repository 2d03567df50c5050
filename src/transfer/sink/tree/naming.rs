//! How something new gets its name, whatever has got it meanwhile.

use std::io;

use rustix::io::Errno;

use super::TreeSink;
use super::compare::have_same_bytes;
use super::item::{Decision, Refusal, Seen, Stop, TreeItem};
use super::new_file::NewFile;
use super::places::{Place, as_path};
use super::volume::{Syncing, Volume};

/// Others may take or change a name while it is looked at, but not for ever.
const TRIES: usize = 8;

/// How something new got its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Nothing had it.
    New,
    /// In place of another one.
    Replaced,
    /// Not at all: an equal one has it.
    Had,
}

impl TreeSink {
    /// Gives a new file its name, in place of `replaces` if that is still as it was. If the name is taken by anything else,
    /// it is decided anew.
    pub(super) fn give_name(
        &mut self,
        place: &Place,
        item: &TreeItem,
        new: &mut NewFile,
        mut replaces: Option<Seen>,
    ) -> Result<Naming, Stop> {
        // Another tree that ended may have closed the folder since that was decided.
        self.let_in_beside(item)?;
        let name = as_path(item.path.name());
        for _ in 0..TRIES {
            match replaces.filter(|_| self.policy.allow_replace) {
                None => match new.give_name(name) {
                    Ok(()) => {
                        self.places.was_named(place, item.path.name());
                        return Ok(Naming::New);
                    }
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(error) => return Err(error.into()),
                },
                Some(seen) => {
                    // With a new name for unsynced bytes, a cut leaves neither the old nor the new ones.
                    if self.policy.sync && self.syncing(place) != Syncing::Never && !new.is_synced() {
                        new.sync()?;
                    }
                    match place.folder.stat(name) {
                        Ok(found) if Seen::of(&found) == seen => {
                            new.replace(name)?;
                            self.places.was_named(place, item.path.name());
                            return Ok(Naming::Replaced);
                        }
                        Ok(_) | Err(Errno::NOENT) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            let decision = match self.look(place, item)? {
                Decision::Compare(seen) => {
                    let is_equal = have_same_bytes(&new.file, &place.folder, name, seen)?;
                    self.decide_compared(item, seen, is_equal)
                }
                decision => decision,
            };
            match decision {
                Decision::Had => return Ok(Naming::Had),
                Decision::Make => replaces = None,
                Decision::Replace(seen) => replaces = Some(seen),
                // It was compared a moment ago, and has changed since.
                Decision::Compare(_) => {}
                Decision::Refused(refusal) => return Err(refusal.into()),
                Decision::Failed(reason) => return Err(io::Error::other(reason).into()),
            }
        }
        Err(Refusal::Unsteady.into())
    }

    /// How what lies in that folder gets onto its disk.
    pub(super) fn syncing(&self, place: &Place) -> Syncing {
        self.places.volume(place).map_or(Syncing::Each, Volume::syncing)
    }
}
