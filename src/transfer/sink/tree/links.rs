//! The symbolic links of a tree. They come after all else, so that nothing of the tree has to pass them.

use rustix::fs::{AtFlags, symlinkat, utimensat};
use rustix::io::Errno;

use crate::transfer::sink::part_name::PartNumber;

use super::TreeSink;
use super::item::{Decision, ItemKind, Outcome, Refusal, Seen, Stop, TreeItem};
use super::places::{Place, as_path};

/// Others may take or change a name while it is looked at, but not for ever.
const TRIES: usize = 8;

impl TreeSink {
    /// Makes a link. One that leads out of the tree is refused. It is on disk by [`sync`](Self::sync).
    pub(crate) fn make_link(&mut self, item: &TreeItem) -> Outcome {
        self.made_link(item).unwrap_or_else(Outcome::from)
    }

    fn made_link(&mut self, item: &TreeItem) -> Result<Outcome, Stop> {
        let ItemKind::Link { target } = &item.kind else {
            return Err(Errno::INVAL.into());
        };
        let name = as_path(item.path.name());
        let mut decision = self.decide(item);
        for _ in 0..TRIES {
            let place = self.place_of(item)?;
            let is_made = match decision {
                Decision::Make => match symlinkat(as_path(target), &place.folder, name) {
                    Ok(()) => true,
                    Err(Errno::EXIST) => false,
                    Err(error) => return Err(error.into()),
                },
                Decision::Replace(seen) => replace(&place, item, target, seen)?,
                Decision::Refused(refusal) => return Err(refusal.into()),
                Decision::Failed(reason) => return Ok(Outcome::Failed(reason)),
                Decision::Had | Decision::Compare(_) => return Ok(Outcome::Had),
            };
            if is_made {
                // The time of a link is a courtesy: not every file system has one.
                let _ = utimensat(
                    &place.folder,
                    name,
                    &item.mtime.as_modified(),
                    AtFlags::SYMLINK_NOFOLLOW,
                );
                self.places.was_named(&place, item.path.name());
                self.touch(&place);
                return Ok(self.stored(place.volume, false));
            }
            decision = self.look(&place, item)?;
        }
        Err(Refusal::Unsteady.into())
    }
}

/// Puts a link in the place of another one. False where that is not as it was seen.
fn replace(place: &Place, item: &TreeItem, target: &[u8], seen: Seen) -> Result<bool, Stop> {
    let name = as_path(item.path.name());
    let own = PartNumber::draw().name_for(name);
    symlinkat(as_path(target), &place.folder, &own)?;
    let result = match place.folder.stat(name) {
        Ok(found) if Seen::of(&found) == seen => place.folder.rename(&own, name).map(|()| true),
        Ok(_) | Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    };
    if !matches!(result, Ok(true)) {
        // It was made above, and leads where nobody looks.
        let _ = place.folder.unlink(&own);
    }
    Ok(result?)
}
