//! Opens the file that is received into: a new one, or the one that an earlier transfer of the same has left half received.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::array::npy;
use crate::checksum::ChecksumKind;
use crate::error::Error;
use crate::ledger::Ledger;
use crate::transfer::plan::SinkSpec;
use crate::wire::Grain;

use super::expiry::expire_in;
use super::file_system::FileSystem;
use super::folder::Folder;
use super::on_record::OnRecord;
use super::part_log::{Found, ItemHead, Known, PartLog, Patience, find};
use super::part_name::numbers_for;
use super::{Content, SinkRequest, part_name};

/// A file under its temporary name, locked.
pub(super) struct OpenedPart {
    pub(super) file: File,
    pub(super) name: PathBuf,
    /// What is written down of it, where it can be gone on with.
    pub(super) record: Option<OnRecord>,
    /// It was there.
    pub(super) resumed: Option<Resumed>,
    /// What is to be known of another one that was there, and is not gone on with.
    pub(super) note: Option<String>,
}

/// What was there already of a file that is gone on with.
#[derive(Debug)]
pub(crate) struct Resumed {
    /// The length of its blocks.
    pub(crate) grain: Grain,
    /// The number of each block that is there, in order, and its checksum.
    pub(crate) blocks: Vec<(u32, u64)>,
}

impl OpenedPart {
    /// The file for what is offered, which shall be called `wanted` in its folder. `head` tells it from others that could be
    /// gone on with.
    ///
    /// # Errors
    /// The folder takes no file.
    pub(super) fn open(
        folder: &Arc<Folder>,
        wanted: &Path,
        head: Option<&ItemHead>,
        request: &SinkRequest,
    ) -> Result<Self, Error> {
        let Some(head) = head else {
            return Self::without_record(folder, wanted, request, None);
        };
        let is_marked = |file: &File| is_marked(file, request);
        expire_in(folder);
        let found = find(folder, head, &mut Patience::short());
        let mut note = None;
        if let Found::NotUsable { part, reason } = found {
            let part = folder.path_of(&part);
            note = Some(format!("{} was not gone on with: {reason}", part.display()));
        } else if let Found::Part(part) = found
            && let Some((record, resumed, note)) = gone_on_with(part.known, head, is_marked(&part.file))
        {
            return Ok(Self {
                file: part.file,
                name: part.name,
                record: Some(record),
                resumed: Some(resumed),
                note,
            });
        }
        let (file, name) = part_name::create(folder, wanted, numbers_for(wanted, head.bytes))?;
        let Ok(log) = PartLog::create(folder, &name, &file, head) else {
            // It cannot be gone on with, and no worse: a file of a number that its service knows.
            let _ = folder.unlink(&name);
            return Self::without_record(folder, wanted, request, note);
        };
        Ok(Self {
            record: Some(OnRecord::new(log, is_marked(&file))),
            file,
            name,
            resumed: None,
            note,
        })
    }

    /// A new file that cannot be gone on with.
    fn without_record(
        folder: &Folder,
        wanted: &Path,
        request: &SinkRequest,
        note: Option<String>,
    ) -> Result<Self, Error> {
        let (file, name) = part_name::create(folder, wanted, request.part_number)?;
        Ok(Self {
            file,
            name,
            record: None,
            resumed: None,
            note,
        })
    }
}

/// Whether what has come into a file is put on disk from time to time.
pub(super) fn is_marked(file: &File, request: &SinkRequest) -> bool {
    request.publisher.is_some() && FileSystem::of(file).has_disk()
}

/// The record of what is gone on with, what was there of it, and what is to be known of that.
pub(super) fn gone_on_with(
    known: Known,
    head: &ItemHead,
    is_marked: bool,
) -> Option<(OnRecord, Resumed, Option<String>)> {
    let grain = Grain::new(known.grain_bytes)?;
    let has_changed = known.was_identity != head.identity;
    let note = has_changed.then(|| "its source is another one than before the break".into());
    let blocks = known.recorded;
    Some((OnRecord::new(known.log, is_marked), Resumed { grain, blocks }, note))
}

impl Resumed {
    /// The ledger for what is offered: what was there of it is in it already, and what comes is kept for the record, where
    /// that is recorded.
    ///
    /// # Errors
    /// What was there is none of what is offered.
    pub(super) fn ledger(
        resumed: Option<Self>,
        is_recorded: bool,
        request: &SinkRequest,
    ) -> Result<Arc<Ledger>, Error> {
        let given = &request.ledger;
        let (total, checksum) = (given.total_bytes(), given.checksum_kind());
        match (total, resumed, request.offer.grain) {
            (Some(total), Some(Self { grain, blocks }), _) => {
                Ledger::resumed(total, checksum, grain, request.offer.streams, blocks)
            }
            (Some(total), None, Some(grain)) if is_recorded => {
                Ok(Ledger::recording(total, checksum, grain, request.offer.streams))
            }
            _ => Ok(Arc::clone(given)),
        }
    }
}

/// What tells an array that could be gone on with from every other; `None` of one that cannot: it is a single block, or
/// its blocks have no place of their own or nothing to know them by.
pub(super) fn head_of(request: &SinkRequest, wanted: &Path, data_offset: u64) -> Option<ItemHead> {
    let SinkRequest { offer, content, .. } = request;
    let (bytes, grain) = (offer.meta.byte_len(), offer.grain?);
    if bytes <= grain.bytes() || offer.checksum == ChecksumKind::None {
        return None;
    }
    let content = match content {
        Content::Array => {
            let mut what = Sha256::new();
            what.update([u8::from(offer.plain)]);
            // As NumPy writes it: dtype, order and shape.
            what.update(npy::write_header(&offer.meta));
            what.finalize().into()
        }
        Content::Bytes => request.identity?,
        Content::Growing => return None,
    };
    Some(ItemHead {
        // Whoever connects: nobody has shown who it is.
        peer: None,
        wanted: wanted.into(),
        identity: offer.identity.clone(),
        bytes,
        data_offset,
        content,
        grain_bytes: grain.get(),
        checksum: offer.checksum,
        is_within: matches!(request.spec, SinkSpec::Within { .. }),
    })
}
