//! The end of a sink: what has landed is put on disk, and gets its name.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::{Errno, retry_on_intr};

use crate::error::{Error, reason};
use crate::sys::begin_write_out;
use crate::thread::catch_panic;
use crate::transfer::sink::incoming_array::IncomingArray;

use super::folder::{Folder, FolderId, present_path};
use super::publication::{Job, Published};
use super::{PreparedSink, Storage, is_of};

/// What is told of a file that could not be synced.
const NO_SYNC: &str = "its file system syncs no files: whether it is on disk is not known";

impl PreparedSink {
    /// Whether it has to be put on disk before it is published.
    pub(crate) fn has_to_be_synced(&self) -> bool {
        self.publisher.is_some() && self.file_on_disk().is_some()
    }

    /// Gives a new file its final name, without a sync.
    pub(crate) fn publish(&self) -> Result<Published, Error> {
        self.settle()?;
        let published = Published {
            durable: self.file_on_disk().map(|_| false),
            ..self.name()?
        };
        self.remove_record();
        Ok(published)
    }

    /// Puts its file on disk.
    fn sync(&self, file: &File) -> io::Result<bool> {
        self.record()
            .map_or_else(|| sync(file), |record| record.around_sync(|| sync(file)))
    }

    /// It has its name, and needs no record to be gone on with.
    fn remove_record(&self) {
        if let Some(record) = self.record() {
            record.remove();
        }
    }

    /// The file that it lands in, where that is more than memory by a name.
    pub(super) fn file_on_disk(&self) -> Option<&Arc<File>> {
        self.storage.file().filter(|_| self.file_system.has_disk())
    }

    /// Looks a last time whether everything is there, and makes of it what it is to be, but for its name.
    fn settle(&self) -> Result<(), Error> {
        self.check()?;
        match &self.storage {
            // One that was renamed is still there.
            Storage::Existing(part) if is_lost(&part.path, &part.file) => Err(Error::SinkChanged(part.path.clone())),
            Storage::New(part) => part.settle(),
            _ => Ok(()),
        }
    }

    /// Gives a new file its final name.
    fn name(&self) -> Result<Published, Error> {
        let (path, note) = match &self.storage {
            Storage::Nowhere | Storage::Memory { .. } => (None, None),
            Storage::Existing(part) => (Some(existing_path(&part.path, &part.file)), part.note.clone()),
            Storage::New(part) => {
                let (path, note) = part.publish()?;
                (Some(path), note)
            }
        };
        Ok(Published {
            path,
            note,
            durable: None,
            sync: None,
        })
    }

    /// The error for a sync that failed: a new file stays under its temporary name.
    pub(super) fn not_on_disk(&self, error: &io::Error) -> Error {
        let path = match &self.storage {
            Storage::New(part) => {
                part.keep();
                part.path()
            }
            Storage::Existing(part) => existing_path(&part.path, &part.file),
            Storage::Nowhere | Storage::Memory { .. } => PathBuf::new(),
        };
        let reason = reason(error);
        Error::NotOnDisk { path, reason }
    }
}

/// Puts arrays on disk and gives them their names, in the order that loses nothing: first what is in the files, then
/// the names, then the folders of the names. Only then is any of them told of.
pub(super) fn put_on_disk(jobs: Vec<Job>) {
    let put = || {
        put_in_order(jobs);
        Ok(())
    };
    // A job that a panic leaves tells of it as it is dropped.
    let _ = catch_panic("a sync", put);
}

fn put_in_order(jobs: Vec<Job>) {
    let mut synced = Vec::new();
    let (waited_for, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::has_to_be_synced);
    others.into_iter().for_each(name_without_sync);
    for job in settled(waited_for) {
        let Some(array) = job.array() else { continue };
        let file = array.sink.file_on_disk().map(Arc::clone);
        let is_synced = file.map_or(Ok(true), |file| array.sink.sync(&file)).map_err(|error| {
            let error = array.sink.not_on_disk(&error);
            // All of it came: what can be saved is for people, and nobody removes it.
            array.sink.remove_record();
            error
        });
        match is_synced.and_then(|is_synced| read_again(&job, array).map(|()| is_synced)) {
            Ok(is_synced) => synced.push((job, is_synced)),
            Err(error) => job.finish(Err(error)),
        }
    }
    let mut named = Vec::new();
    for (job, is_synced) in synced {
        if !job.may_be_named() {
            continue;
        }
        let Some(array) = job.array() else { continue };
        match array.sink.name() {
            Ok(published) => named.push((job, is_synced, published)),
            Err(error) => job.finish(Err(error)),
        }
    }
    // Arrays of one service share their folder.
    let mut folders: Vec<(FolderId, io::Result<()>)> = Vec::new();
    for (job, is_synced, published) in named {
        let Some(array) = job.array() else { continue };
        let file = array.sink.file_on_disk().map(Arc::clone);
        let result = match (&array.sink.storage, file) {
            (Storage::New(part), Some(file)) if is_synced => sync_name(part.folder(), &file, &mut folders),
            _ => Ok(()),
        };
        array.sink.remove_record();
        job.finish(match (result, published.path) {
            (Err(error), Some(path)) => {
                let reason = reason(&error);
                Err(Error::NotOnDisk { path, reason })
            }
            (_, path) => Ok(Published {
                path,
                durable: Some(is_synced),
                note: published.note.or((!is_synced).then(|| NO_SYNC.into())),
                sync: None,
            }),
        });
    }
}

/// Gives an array its name that nobody waits for to be on disk.
fn name_without_sync(job: Job) {
    let Some(array) = job.array() else { return };
    if let Err(error) = read_again(&job, array) {
        job.finish(Err(error));
    } else if job.may_be_named()
        && let Some(array) = job.array()
    {
        let result = array.sink.publish();
        job.finish(result);
    }
}

/// Reads again what was here before, unless nobody waits for it any more.
fn read_again(job: &Job, array: &IncomingArray) -> Result<(), Error> {
    array.sink.read_again(|| job.array().is_some())
}

/// Those that are still wanted and as they should be. All of them begin their way to the disk before any is waited for.
fn settled(jobs: Vec<Job>) -> Vec<Job> {
    let mut settled = Vec::new();
    let is_alone = jobs.len() == 1;
    for job in jobs {
        let Some(array) = job.array() else { continue };
        match array.sink.settle() {
            Ok(()) => {
                if let Some(file) = array.sink.file_on_disk().filter(|_| !is_alone) {
                    // What goes wrong is told by the sync.
                    begin_write_out(file).unwrap_or_default();
                }
                settled.push(job);
            }
            Err(error) => job.finish(Err(error)),
        }
    }
    settled
}

/// Puts a file on disk. False where its file system syncs no files: nobody can say then when it is there.
fn sync(file: &File) -> io::Result<bool> {
    match retry_on_intr(|| rustix::fs::fsync(file)) {
        Ok(()) => Ok(true),
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether nobody finds the file that was opened by that path: it was removed, or another one stands in its place. One that
/// was only renamed is found.
fn is_lost(path: &Path, file: &File) -> bool {
    match std::fs::metadata(path) {
        Ok(there) => !is_of(file, Ok(there)),
        Err(_) => present_path(file).is_none(),
    }
}

/// Where an existing file is that was opened by this path: there, or where it was renamed to.
fn existing_path(path: &Path, file: &File) -> PathBuf {
    let moved = (!is_of(file, std::fs::metadata(path))).then(|| present_path(file));
    moved.flatten().unwrap_or_else(|| path.into())
}

/// Makes sure that a file's new name in its folder lasts.
fn sync_name(folder: &Folder, file: &File, folders: &mut Vec<(FolderId, io::Result<()>)>) -> io::Result<()> {
    let copy = |result: &io::Result<()>| match result {
        Ok(()) => Ok(()),
        Err(error) => Err(error
            .raw_os_error()
            .map_or(error.kind().into(), io::Error::from_raw_os_error)),
    };
    if let Some((_, result)) = folders.iter().find(|(synced, _)| *synced == folder.id()) {
        return copy(result);
    }
    let Ok(opened) = folder.to_sync() else {
        // It may be written and not read: ext4, XFS and btrfs keep the newest name of a file that is synced.
        return file.sync_all();
    };
    let result = match retry_on_intr(|| rustix::fs::fsync(&opened)) {
        // A file system that syncs no folders.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => return file.sync_all(),
        result => result.map_err(io::Error::from),
    };
    let returned = copy(&result);
    folders.push((folder.id(), result));
    returned
}
