//! The sending side of a tree: walks folders and gives what is in them, one step after another, and opens the files of
//! the tree again when it is their turn.
//!
//! [`Walk`] goes depth-first, the names of a folder sorted by their bytes. Beneath a root it follows no link and goes by
//! no absolute path, so that a tree may lie deeper than `PATH_MAX`. It streams: of a tree of any size it keeps the names
//! that are left in the folders on the way to where it is, so its memory is bounded by the depth times the largest
//! folder's names (16 bytes and the name's own each). At most [`OPEN_FOLDERS_MAX`] folders are open.
//!
//! What cannot be sent is a step, too, with its path and a reason, and the rest goes on.

mod below;
mod entry;
mod failure;
mod ignore_files;
mod names;
mod reader;
mod roots;
mod selection;
#[cfg(test)]
mod tests;
mod walker;

pub(crate) use entry::{Entry, Identity, Time};
pub(crate) use failure::Failure;
pub(crate) use reader::{OpenedFile, ReadFault, SMALL_FILE_BYTES_MAX, TreeReader};
pub(crate) use roots::Roots;
pub(crate) use selection::Selection;
pub(crate) use walker::{OPEN_FOLDERS_MAX, Step, Walk};
