//! Removes large files off the thread that is done with them: to free gigabytes takes the kernel up to a second.
//!
//! The name goes at once. What takes time is the last close, so that is what a thread of its own does.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::thread::Thread;

/// Less is freed in no time.
const BYTES_MIN: u64 = 16 << 20;
/// Files that may wait; beyond, each is freed where it is dropped.
const FILES_MAX: usize = 256;
/// The others who have the file let it go within this time.
const OTHERS_MAX: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(2);

/// Where files go to be closed. Its thread lives as long as the process, whose end closes what is left.
struct Remover {
    files: Sender<Arc<File>>,
    _thread: Thread,
}

/// Removes a file that is half received and nobody's any more.
pub(super) fn remove_path(path: &Path) {
    let file = File::open(path);
    // Gone already is as good. What cannot be removed has a name that says what it is, and the next service tells of it.
    let _ = std::fs::remove_file(path);
    if let Ok(file) = file {
        close(Arc::new(file));
    }
}

/// Closes a file that has no name any more. Its space is free soon.
pub(super) fn close(file: Arc<File>) {
    static REMOVER: OnceLock<Option<Remover>> = OnceLock::new();
    let is_large = file
        .metadata()
        .is_ok_and(|metadata| 512 * metadata.blocks() >= BYTES_MIN);
    if is_large && let Some(remover) = REMOVER.get_or_init(start) {
        // Without room it is closed here.
        let _ = remover.files.try_send(file);
    }
}

fn start() -> Option<Remover> {
    let (files, closed) = bounded(FILES_MAX);
    let thread = Thread::start("arraylift-remove", move || {
        close_all(&closed);
        Ok(())
    });
    // Without a thread files are closed where they are dropped.
    thread.ok().map(|thread| Remover { files, _thread: thread })
}

fn close_all(files: &Receiver<Arc<File>>) {
    for file in files {
        let until = Instant::now() + OTHERS_MAX;
        // Whoever lets it go last frees it: that is to be this thread.
        while Arc::strong_count(&file) > 1 && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        drop(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn the_name_goes_at_once_and_the_space_when_nobody_has_the_file_any_more() {
        let folder = tempfile::tempdir().expect("a folder");
        for len in [1000, 2 * BYTES_MIN] {
            let path = folder.path().join("a");
            let mut file = File::create_new(&path).expect("a file");
            let zeros = vec![0; usize::try_from(len).expect("a length")];
            file.write_all(&zeros).expect("written");
            let file = Arc::new(file);
            let weak = Arc::downgrade(&file);
            let other = Arc::clone(&file);
            std::fs::remove_file(&path).expect("there");
            close(file);
            assert!(weak.upgrade().is_some(), "the other one has it");
            drop(other);
            let until = Instant::now() + Duration::from_secs(10);
            while weak.upgrade().is_some() {
                assert!(Instant::now() < until, "it is never closed");
                std::thread::sleep(LOOK);
            }
        }
    }
}
