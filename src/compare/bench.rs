//! The bench that contestants run on (the array in memory, a folder for files, the name of a socket), and one run of
//! one contestant.

use std::cell::RefCell;
use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crate::error::Error;
use crate::transfer::{Origin, Slice, SourceSpec, describe, in_memory};

use super::child::{Child, Trouble, end_all, listen};
use super::command;
use super::contestant::{Over, Sink};
use super::folder::Folder;
use super::measured::{Lost, Measured};
use super::observe::{Line, Observed};
use super::plan::Plan;
use super::ways::Way;

/// The result of one run.
pub(super) enum Outcome {
    Measured(Measured),
    Lost(Lost),
    Cancelled,
}

/// What all runs use.
pub(super) struct Bench<'a> {
    plan: &'a Plan,
    cancelled: &'a AtomicBool,
    of_range: bool,
    /// Bytes of the whole source.
    bytes: u64,
    /// The range in memory: its file, and the path by which a child opens it.
    staged: Option<(File, SourceSpec)>,
    files: Option<Folder>,
    sockets: Folder,
}

impl<'a> Bench<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        bytes: u64,
        folder: Option<&Path>,
        ways: &[Way],
        cancelled: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let of_range = matches!(plan.source.origin, Origin::Range(_));
        let staged = if of_range && ways.iter().any(|way| way.from_memory) {
            stage(&plan.source)?
        } else {
            None
        };
        let writes = ways.iter().any(|way| way.sink == Sink::File);
        Ok(Self {
            plan,
            cancelled,
            of_range,
            bytes,
            staged,
            files: folder.filter(|_| writes).map(Folder::within).transpose()?,
            sockets: Folder::within(&std::env::temp_dir())?,
        })
    }

    /// Runs a contestant once, with the first `bytes` of the source.
    pub(super) fn run(&self, way: &Way, bytes: u64, round: u32) -> Outcome {
        let file = self
            .files
            .as_ref()
            .map(|folder| folder.join("array.bin"))
            .unwrap_or_default();
        let run = if way.apart {
            self.between_two(way, bytes, &file)
        } else {
            self.in_one_process(way, bytes, &file)
        };
        if way.sink == Sink::File {
            // A run that failed may have left no file.
            let _ = std::fs::remove_file(&file);
        }
        let held_bytes = way.arrays_held(self.of_range) * bytes;
        let measured = run.and_then(|observed| {
            observed
                .measured(round, bytes, held_bytes, way.verify)
                .map_err(Trouble::Failed)
        });
        match measured {
            Ok(measured) => Outcome::Measured(measured),
            Err(Trouble::Cancelled) => Outcome::Cancelled,
            Err(Trouble::Failed(reason)) => Outcome::Lost(Lost { round, reason }),
        }
    }

    fn in_one_process(&self, way: &Way, bytes: u64, file: &Path) -> Result<Observed, Trouble> {
        let line = command::loopback(way, &self.source(way, bytes), file);
        let mut children = vec![Child::start(&self.plan.program, &line)?];
        let mut observed = Observed::default();
        listen(
            &mut children,
            self.cancelled,
            |_, line| observed.take(line, "receiver"),
            || false,
        )?;
        end_all(children)?;
        Ok(observed)
    }

    fn between_two(&self, way: &Way, bytes: u64, file: &Path) -> Result<Observed, Trouble> {
        let at = match way.over {
            Over::Unix => format!("unix:{}", self.sockets.join("socket").display()),
            Over::Tcp => "127.0.0.1:0".into(),
        };
        let line = command::receive(way, &at, bytes, file);
        let mut children = vec![Child::start(&self.plan.program, &line)?];
        let mut observed = Observed::default();
        let address = RefCell::new(None);
        let told = |_, line: Line| {
            if line.address.is_some() {
                address.replace(line.address);
            }
        };
        listen(&mut children, self.cancelled, told, || address.borrow().is_some())?;
        // A receiver that does not listen has ended; the error below says why.
        if let Some(address) = address.into_inner() {
            let line = command::send(way, &self.source(way, bytes), &address);
            children.push(Child::start(&self.plan.program, &line)?);
            // The sender's clock begins when it connects.
            listen(
                &mut children,
                self.cancelled,
                |_, line| observed.take(line, "sender"),
                || false,
            )?;
        }
        end_all(children)?;
        Ok(observed)
    }

    /// The first `bytes` of the source, in the form that this contestant needs.
    fn source(&self, way: &Way, bytes: u64) -> SourceSpec {
        let source = match &self.staged {
            Some((_, staged)) if way.from_memory => staged,
            _ => &self.plan.source,
        };
        if bytes == self.bytes {
            return source.clone();
        }
        let offset_bytes = source.slice.map_or(0, |slice| slice.offset_bytes);
        SourceSpec {
            origin: source.origin.clone(),
            slice: Some(Slice {
                offset_bytes,
                length_bytes: Some(bytes),
            }),
        }
    }
}

/// The range in memory, and its path under `/proc`, by which children open it.
fn stage(source: &SourceSpec) -> Result<Option<(File, SourceSpec)>, Error> {
    let dtype = describe(source)?.meta.dtype().clone();
    Ok(in_memory(source)?.map(|file| {
        let path = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()));
        let origin = Origin::File {
            path,
            dtype: Some(dtype),
        };
        (file, SourceSpec { origin, slice: None })
    }))
}
