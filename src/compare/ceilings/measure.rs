//! Measures what the machine can do at most. It takes a few seconds, and can be cancelled.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::array::Range;
use crate::error::{Error, reason};
use crate::route::SendRouteChoice;
use crate::telemetry::available_memory_bytes;
use crate::transfer::{Job, Options, Origin, Outcome, SinkSpec, SourceSpec, Transfer, in_memory};
use crate::wire::{ChecksumKind, WireChoice};

use super::rates::{Ceilings, Disk};
use crate::compare::folder::Folder;
use crate::compare::machine::{Machine, unix_now_s};
use crate::compare::spread::Spread;

/// Far more than a cache holds.
const COPY_BYTES: usize = 128 << 20;
const SENDFILE_FLOATS: &str = "0:16_777_216";
/// Each measurement ends after so many repetitions or so much time, whichever comes first.
const REPEATS: usize = 9;
const REPEAT_TIME: Duration = Duration::from_secs(1);
/// Writing to the disk ends after so much time or so many bytes, whichever comes first. Then the bytes are read.
const DISK_TIME: Duration = Duration::from_secs(2);
const DISK_BYTES: u64 = 512 << 20;
const DISK_BLOCK_BYTES: usize = 4 << 20;
/// `O_DIRECT` needs buffers and lengths that are multiples of this, on every common disk.
const DISK_ALIGNMENT: usize = 4096;

/// Measures everything, and the disk if a folder is given. `Ok(None)` if `cancelled` was set.
pub(super) fn measure(folder: Option<&Path>, cancelled: &AtomicBool) -> Result<Option<Ceilings>, Error> {
    let Some(memcpy_bytes_per_s) = memcpy(cancelled)? else {
        return Ok(None);
    };
    let Some(sendfile_bytes_per_s) = sendfile(cancelled)? else {
        return Ok(None);
    };
    let mut ceilings = Ceilings {
        version: Ceilings::VERSION,
        machine: Machine::this(),
        measured_unix_s: unix_now_s(),
        memcpy_bytes_per_s,
        sendfile_bytes_per_s,
        disks: [].into(),
    };
    if let Some(folder) = folder {
        let Some(disk) = measure_disk(folder, cancelled)? else {
            return Ok(None);
        };
        ceilings.disks.insert(folder.display().to_string(), disk);
    }
    Ok(Some(ceilings))
}

/// Writes and reads a file in `folder`, and removes it. `Ok(None)` if `cancelled` was set.
pub(super) fn measure_disk(folder: &Path, cancelled: &AtomicBool) -> Result<Option<Disk>, Error> {
    let own = Folder::within(folder)?;
    disk(&own.join("ceiling"), cancelled).map_err(|error| Error::SinkUnwritable {
        path: folder.into(),
        reason: reason(&error),
    })
}

fn memcpy(cancelled: &AtomicBool) -> Result<Option<f64>, Error> {
    let needed = 2 * COPY_BYTES as u64;
    if let Some(available) = available_memory_bytes().filter(|available| *available < needed) {
        return Err(Error::NotEnoughMemory {
            needed,
            available,
            promised: 0,
        });
    }
    let from = vec![1_u8; COPY_BYTES];
    let mut to = vec![2_u8; COPY_BYTES];
    repeated(cancelled, || {
        let began = Instant::now();
        to.copy_from_slice(&from);
        std::hint::black_box(&to);
        Ok(Some(COPY_BYTES as f64 / began.elapsed().as_secs_f64()))
    })
}

/// A transfer on the raw wire that keeps nothing: it has no checksums, no blocks and no memory to fill.
fn sendfile(cancelled: &AtomicBool) -> Result<Option<f64>, Error> {
    let range = Range::parse(SENDFILE_FLOATS, None).map_err(|error| Error::Usage(error.to_string()))?;
    let origin = Origin::Range(range);
    let Some(file) = in_memory(&SourceSpec { origin, slice: None })? else {
        return Ok(None);
    };
    let source = SourceSpec {
        origin: Origin::File {
            path: format!("/proc/self/fd/{}", file.as_raw_fd()).into(),
            dtype: None,
        },
        slice: None,
    };
    let options = Options {
        wire: WireChoice::Raw,
        send_route: SendRouteChoice::Sendfile,
        checksum: ChecksumKind::None,
        ..Options::default()
    };
    repeated(cancelled, || {
        let job = Job::Loopback {
            source: source.clone(),
            sink: SinkSpec::Discard,
        };
        // Nobody needs the events.
        let (events, _) = crossbeam_channel::bounded(1);
        match Transfer::start(job, options.clone(), events, Arc::new(|| {}))?.join() {
            Outcome::Done(finished) => Ok(Some(finished.rate_bytes_per_s)),
            Outcome::Failed(failure) => Err(failure.error),
            Outcome::Cancelled | Outcome::Joined => Ok(None),
        }
    })
}

/// The median of several rates. The first one warms up and does not count. `Ok(None)` if it was cancelled.
fn repeated(
    cancelled: &AtomicBool,
    mut rate: impl FnMut() -> Result<Option<f64>, Error>,
) -> Result<Option<f64>, Error> {
    let began = Instant::now();
    let mut rates = Vec::new();
    while rates.len() < 2 || (rates.len() <= REPEATS && began.elapsed() < REPEAT_TIME) {
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(rate) = rate()? else { return Ok(None) };
        rates.push(rate);
    }
    Ok(Spread::of(rates.into_iter().skip(1)).map(|spread| spread.median))
}

fn disk(path: &Path, cancelled: &AtomicBool) -> io::Result<Option<Disk>> {
    let mut padded = vec![3_u8; DISK_BLOCK_BYTES + DISK_ALIGNMENT];
    let start = padded.as_ptr().align_offset(DISK_ALIGNMENT);
    let block = &mut padded[start..start + DISK_BLOCK_BYTES];
    let (_scratch, mut file, direct) = create(path, block)?;
    // The first block only showed whether O_DIRECT works, and is not timed.
    let began = Instant::now();
    let mut written = 0;
    while written < DISK_BYTES && began.elapsed() < DISK_TIME {
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        file.write_all(block)?;
        written += block.len() as u64;
    }
    file.sync_all()?;
    let write_bytes_per_s = written as f64 / began.elapsed().as_secs_f64();
    // Without O_DIRECT the page cache would serve the read; the kernel is asked to drop it.
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    let mut file = open(OpenOptions::new().read(true), direct, path)?;
    let began = Instant::now();
    let mut read = 0;
    while read < written && began.elapsed() < DISK_TIME {
        if cancelled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        file.read_exact(block)?;
        read += block.len() as u64;
    }
    Ok(Some(Disk {
        write_bytes_per_s,
        read_bytes_per_s: read as f64 / began.elapsed().as_secs_f64(),
        direct,
    }))
}

/// A file that is removed when this value is dropped.
struct Scratch<'a>(&'a Path);

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(self.0);
    }
}

/// Makes a new file with a first block in it, past the page cache if the file system can. It opens no existing file.
fn create<'a>(path: &'a Path, block: &[u8]) -> io::Result<(Scratch<'a>, File, bool)> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let scratch = Scratch(path);
    let direct =
        open(OpenOptions::new().write(true), true, path).and_then(|mut file| file.write_all(block).map(|()| file));
    if let Ok(file) = direct {
        return Ok((scratch, file, true));
    }
    file.write_all(block)?;
    Ok((scratch, file, false))
}

fn open(options: &mut OpenOptions, direct: bool, path: &Path) -> io::Result<File> {
    let flags = if direct {
        rustix::fs::OFlags::DIRECT
    } else {
        rustix::fs::OFlags::empty()
    };
    // Its few flags lie far below the sign bit.
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_measured_and_nothing_is_left_in_its_folder() {
        let folder = tempfile::tempdir().expect("folder");
        let cancelled = AtomicBool::new(false);
        let disk = measure_disk(folder.path(), &cancelled)
            .expect("a disk")
            .expect("not cancelled");
        assert!(disk.write_bytes_per_s > 0.0 && disk.read_bytes_per_s > 0.0, "{disk:?}");
        cancelled.store(true, Ordering::Relaxed);
        assert_eq!(measure_disk(folder.path(), &cancelled), Ok(None));
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
        let there = folder.path().join("ceiling");
        let precious = folder.path().join("precious");
        std::fs::write(&precious, "precious").expect("write");
        std::os::unix::fs::symlink(&precious, &there).expect("link");
        cancelled.store(false, Ordering::Relaxed);
        assert!(super::disk(&there, &cancelled).is_err(), "something has that name");
        assert_eq!(std::fs::read_to_string(&precious).expect("still there"), "precious");
        assert!(there.is_symlink(), "and keeps it");
        assert!(matches!(
            measure_disk(Path::new("/no/such/folder"), &cancelled),
            Err(Error::SinkUnwritable { .. })
        ));
    }

    #[test]
    fn giving_up_ends_the_measurement() {
        assert_eq!(measure(None, &AtomicBool::new(true)), Ok(None));
    }
}
