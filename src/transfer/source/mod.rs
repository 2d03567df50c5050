//! Opens what is sent: checks it, says what it is, and finds the route by which it leaves.

pub(crate) mod expand;
pub(crate) mod stream;

use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::array::{ArrayMeta, Dtype, Number, Order, Range, Shape, npy};
use crate::error::{Error, reason};
use crate::route::send::{
    COPYING_BYTES_MAX, Copying, Generated, Handoff, Mapped, SendRoute, Sendfile, Streamed, Zerocopy, takes_sendfile,
};
use crate::route::{NoHandoff, SendRouteChoice, Sending, SourceKind, send_route};
use crate::sys::{MemoryFile, ReadError, SharedFile};
use crate::transfer::limits::promise;
use crate::transfer::plan::{Origin, Slice, SourceSpec};
use crate::transfer::shm::ShmName;
use crate::transfer::source::stream::{STANDARD_INPUT, Stream, standard_input};
use crate::wire::WireChoice;

/// What is generated into memory, at a time.
const PIECE_BYTES: usize = 1 << 18;

/// What a source is, before anything is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceInfo {
    /// What it is called: a file's name, or the range in words.
    pub name: String,
    /// What will be sent.
    pub meta: ArrayMeta,
    /// It is read as it comes, and once only.
    pub is_stream: bool,
}

/// Opens and checks a source as sending it would. Quick: a file's contents are not read beyond a `.npy` header.
pub fn describe(spec: &SourceSpec) -> Result<SourceInfo, Error> {
    let source = Source::open(spec)?;
    Ok(SourceInfo {
        is_stream: matches!(source.content, Content::Stream(_)),
        name: source.title,
        meta: source.meta,
    })
}

/// The bytes of a range, or of the part of it that is sent, in a file that exists in memory only and goes with its last
/// descriptor; `None` where the source is a file already.
pub fn in_memory(spec: &SourceSpec) -> Result<Option<File>, Error> {
    let source = Source::open(spec)?;
    let Content::Range(range) = &source.content else {
        return Ok(None);
    };
    let Some(file) = range_in_memory(range, source.base, source.meta.byte_len(), &|| false)? else {
        return Ok(None);
    };
    let copy = file.as_fd().try_clone_to_owned();
    let copy = copy.map_err(|error| Error::system("cannot keep the range in memory", &error))?;
    Ok(Some(File::from(copy)))
}

/// An open source.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) meta: ArrayMeta,
    /// For people.
    pub(crate) title: String,
    /// For the peer: a file name.
    pub(crate) name: String,
    /// The file's bytes as they are, rather than an array.
    pub(crate) plain: bool,
    pub(crate) identity: Vec<u8>,
    content: Content,
    /// The first byte sent, counted from the content's first.
    base: u64,
}

#[derive(Debug)]
enum Content {
    Range(Range),
    File {
        path: PathBuf,
        file: Arc<SharedFile>,
        stamp: FileStamp,
    },
    Stream(Stream),
}

/// What changes when someone writes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

/// The route that a source leaves by, and why that one.
pub(crate) struct SendPath {
    /// How bytes leave.
    pub(crate) route: Box<dyn SendRoute>,
    pub(crate) reason: &'static str,
    /// What is tried first, so that no bytes need to.
    pub(crate) handoff: Option<HandoffPath>,
}

/// A handoff that the receiver has not asked for yet.
pub(crate) struct HandoffPath {
    pub(crate) handoff: Handoff,
    /// It was asked for by its name: nothing else will do.
    pub(crate) by_name: bool,
}

/// What a route is asked for.
pub(crate) struct Asked<'a> {
    pub(crate) route: SendRouteChoice,
    pub(crate) wire: WireChoice,
    pub(crate) chunk_bytes: usize,
    /// Whether the peer is reached over a Unix socket.
    pub(crate) unix: bool,
    /// Asked while something that takes its time is prepared.
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

impl Source {
    pub(crate) fn open(spec: &SourceSpec) -> Result<Self, Error> {
        match &spec.origin {
            Origin::Range(range) => Self::from_range(range.clone(), spec.slice),
            Origin::File { path, dtype } => Self::from_path(path, dtype.as_ref(), spec.slice),
            Origin::Shm { name, dtype } => Self::from_shm(name, dtype.as_ref(), spec.slice),
        }
    }

    fn from_range(range: Range, slice: Option<Slice>) -> Result<Self, Error> {
        let title = format!("range {} … {}", short(range.start()), short(range.stop()));
        let invalid = |reason: String| Error::Usage(format!("the range cannot be sliced so: {reason}"));
        let (base, meta) = sliced(range.meta(), slice).map_err(invalid)?;
        Ok(Self {
            meta,
            title,
            name: "range.npy".into(),
            plain: false,
            identity: Vec::new(),
            content: Content::Range(range),
            base,
        })
    }

    fn from_path(path: &Path, dtype: Option<&Dtype>, slice: Option<Slice>) -> Result<Self, Error> {
        let unreadable = |error: &io::Error| unreadable(path, error);
        // A named pipe would block in open, and its writer would go on: looked at first.
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Error::SourceMissing(path.into()),
            _ => unreadable(&error),
        })?;
        if metadata.is_dir() {
            return Err(Error::SourceIsFolder(path.into()));
        }
        if !metadata.is_file() {
            return Self::from_stream(path, &metadata, dtype, slice);
        }
        let opened = if path == Path::new(STANDARD_INPUT) {
            standard_input()
        } else {
            File::open(path)
        };
        let mut file = opened.map_err(|error| unreadable(&error))?;
        let metadata = file.metadata().map_err(|error| unreadable(&error))?;
        if file.stream_position().map_err(|error| unreadable(&error))? > 0 {
            let reason = "someone has read from it already: name the file itself, and an offset".into();
            let path = path.into();
            return Err(Error::SourceInvalid { path, reason });
        }
        if metadata.len() == 0 && file.read(&mut [0]).is_ok_and(|read| read > 0) {
            // The system makes it up as it is read.
            return Self::from_stream(path, &metadata, dtype, slice);
        }
        let is_npy = dtype.is_none() && path.extension().is_some_and(|extension| extension == "npy");
        let name = name_of(path);
        let mut source = Self::from_file(path, file, &metadata, is_npy, dtype, slice)?;
        (source.title, source.name, source.plain) = (name.clone(), name, !is_npy);
        Ok(source)
    }

    fn from_shm(name: &ShmName, dtype: Option<&Dtype>, slice: Option<Slice>) -> Result<Self, Error> {
        let shown = PathBuf::from(name.to_string());
        // As shm_open(3) does.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::open(name.path(), flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Err(Error::ShmMissing(name.to_string())),
            Err(error) => return Err(unreadable(&shown, &error.into())),
        };
        let metadata = file.metadata().map_err(|error| unreadable(&shown, &error))?;
        if !metadata.is_file() {
            let reason = "there is something else of that name in /dev/shm".into();
            return Err(Error::SourceInvalid { path: shown, reason });
        }
        let mut source = Self::from_file(&shown, file, &metadata, false, dtype, slice)?;
        source.title = name.to_string();
        source.name = name.as_str().into();
        // With a dtype it is an array, which a folder keeps with a header.
        source.plain = dtype.is_none();
        Ok(source)
    }

    fn from_stream(
        path: &Path,
        metadata: &Metadata,
        dtype: Option<&Dtype>,
        slice: Option<Slice>,
    ) -> Result<Self, Error> {
        let (stream, meta) = Stream::new(path, metadata, dtype, slice)?;
        let name = name_of(path);
        Ok(Self {
            meta,
            title: name.clone(),
            name,
            plain: dtype.is_none(),
            identity: Vec::new(),
            content: Content::Stream(stream),
            base: 0,
        })
    }

    /// `path` is what errors call it.
    fn from_file(
        path: &Path,
        mut file: File,
        metadata: &Metadata,
        is_npy: bool,
        dtype: Option<&Dtype>,
        slice: Option<Slice>,
    ) -> Result<Self, Error> {
        let invalid = |reason: String| Error::SourceInvalid {
            path: path.into(),
            reason: reason.into(),
        };
        let file_bytes = metadata.len();
        let (whole, data_offset) = if is_npy {
            npy_of(&mut file, file_bytes).map_err(invalid)?
        } else {
            let dtype = dtype.cloned().unwrap_or_else(Dtype::u8);
            let viewed = match slice {
                // A slice is viewed as the dtype; what lies around it need not fit.
                Some(_) => Dtype::u8(),
                None => dtype,
            };
            (plain_of(viewed, file_bytes).map_err(invalid)?, 0)
        };
        let (base, mut meta) = sliced(&whole, slice).map_err(invalid)?;
        if let (Some(_), Some(dtype)) = (slice, dtype) {
            meta = plain_of(dtype.clone(), meta.byte_len()).map_err(invalid)?;
        }
        let stamp = FileStamp::of(metadata);
        let file = SharedFile::map(file, file_bytes).map_err(|error| unreadable(path, &error))?;
        Ok(Self {
            meta,
            title: String::new(),
            name: String::new(),
            plain: true,
            identity: stamp.identity(),
            content: Content::File {
                path: path.into(),
                file: Arc::new(file),
                stamp,
            },
            base: data_offset + base,
        })
    }

    /// The route for what was asked. What has to be prepared, such as a range in memory, is prepared here; `None` where
    /// it was cancelled meanwhile.
    ///
    /// Pages that `sendfile` gave to a socket are still the file's: whoever writes to the file changes what a peer has
    /// not read yet. A receipt tells that it has; on a wire without one, `auto` takes a copy.
    pub(crate) fn send_path(&self, asked: &Asked<'_>) -> Result<Option<SendPath>, Error> {
        let empty = self.meta.byte_len() == 0;
        let chosen = send_route(
            asked.route,
            Sending {
                source: self.kind(asked.route),
                empty,
                wire: asked.wire,
                unix: asked.unix,
            },
        )
        .map_err(|reason| Error::Usage(self.why_not(asked.route, reason)))?;
        let (base, reason) = (self.base, chosen.reason);
        let route: Box<dyn SendRoute> = match (chosen.route, &self.content) {
            (SendRouteChoice::Handoff, content) => return self.handoff_path(content, asked, reason),
            (SendRouteChoice::Copying, _) => Box::new(Copying::new(self.bytes_for_copying()?)),
            (SendRouteChoice::Zerocopy, _) => Box::new(Zerocopy::new(self.bytes_in_memory(1)?)),
            (SendRouteChoice::Sendfile, Content::Range(range)) => {
                match range_in_memory(range, base, self.meta.byte_len(), asked.cancelled)? {
                    Some(file) => Box::new(Sendfile::new(file, 0)),
                    None => return Ok(None),
                }
            }
            (_, Content::Range(range)) => Box::new(Generated::new(range.clone(), base, asked.chunk_bytes)),
            (SendRouteChoice::Sendfile, Content::File { file, .. }) => Box::new(Sendfile::new(Arc::clone(file), base)),
            (_, Content::File { file, .. }) => Box::new(Mapped::new(Arc::clone(file), base)),
            (_, Content::Stream(stream)) => {
                Box::new(Streamed::new(stream.open()?, self.meta.byte_len(), asked.chunk_bytes))
            }
        };
        Ok(Some(SendPath {
            route,
            reason,
            handoff: None,
        }))
    }

    /// A handoff, and the route that bytes take where it does not come about.
    fn handoff_path(
        &self,
        content: &Content,
        asked: &Asked<'_>,
        reason: &'static str,
    ) -> Result<Option<SendPath>, Error> {
        let by_name = asked.route == SendRouteChoice::Handoff;
        let (file, position) = match content {
            Content::File { file, .. } => (Arc::clone(file), self.base),
            Content::Stream(_) => return Err(Error::Usage("only memory and files can be handed over".into())),
            Content::Range(range) => match range_in_memory(range, self.base, self.meta.byte_len(), asked.cancelled) {
                Ok(Some(file)) => (file, 0),
                Ok(None) => return Ok(None),
                Err(error) if by_name => return Err(error),
                Err(_) => {
                    return Ok(Some(SendPath {
                        route: Box::new(Generated::new(range.clone(), self.base, asked.chunk_bytes)),
                        reason: NoHandoff::NoMemoryFile.reason(),
                        handoff: None,
                    }));
                }
            },
        };
        Ok(Some(SendPath {
            route: Box::new(Sendfile::new(Arc::clone(&file), position)),
            reason,
            handoff: Some(HandoffPath {
                handoff: Handoff::new(file, position),
                by_name,
            }),
        }))
    }

    /// Why it cannot be sent so, with its name where it has one of its own.
    fn why_not(&self, route: SendRouteChoice, reason: &str) -> String {
        match &self.content {
            Content::Stream(stream) => format!("{} {reason}, and not {}", stream.path.display(), route.name()),
            Content::Range(_) | Content::File { .. } => reason.into(),
        }
    }

    fn kind(&self, asked: SendRouteChoice) -> SourceKind {
        let concerns = |route| asked == route || asked == SendRouteChoice::Auto;
        match &self.content {
            Content::Range(_) => SourceKind::Range {
                fits_memory: promise::check(self.meta.byte_len()).is_ok(),
            },
            Content::File { file, .. } if file.is_sealed() => SourceKind::Sealed,
            Content::File { file, .. } => SourceKind::File {
                takes_sendfile: !concerns(SendRouteChoice::Sendfile) || takes_sendfile(file, self.base),
            },
            Content::Stream(_) => SourceKind::Stream,
        }
    }

    /// The first bytes of what is sent, as many as `out` has room for.
    pub(crate) fn copy_prefix(&self, out: &mut [u8]) -> Result<(), Error> {
        match &self.content {
            Content::Range(range) => {
                let mut generated = Generated::new(range.clone(), self.base, out.len().min(PIECE_BYTES));
                let mut at = 0;
                for out in out.chunks_mut(PIECE_BYTES) {
                    out.copy_from_slice(generated.piece(at, out.len()));
                    at += out.len() as u64;
                }
                Ok(())
            }
            // Known when it has come.
            Content::Stream(_) => Ok(()),
            Content::File { path, file, .. } => {
                let at = usize::try_from(self.base).map_err(|_| Error::SourceChanged(path.clone()))?;
                file.copy_out(at, out).map_err(|error| self.read_error(&error))
            }
        }
    }

    /// Fails where someone has written to the source since it was opened.
    pub(crate) fn check_unchanged(&self) -> Result<(), Error> {
        let Content::File { path, file, stamp } = &self.content else {
            return Ok(());
        };
        // Of the open file: whether its name has moved on does not matter.
        match file.metadata() {
            Ok(metadata) if FileStamp::of(&metadata) == *stamp => Ok(()),
            _ => Err(Error::SourceChanged(path.clone())),
        }
    }

    /// Whether it is the file at `path`.
    pub(crate) fn is_file_at(&self, path: &Path) -> bool {
        match (&self.content, std::fs::metadata(path)) {
            (Content::File { stamp, .. }, Ok(metadata)) => {
                (stamp.device, stamp.inode) == (metadata.dev(), metadata.ino())
            }
            _ => false,
        }
    }

    /// The error for a source that is not what it was.
    pub(crate) fn changed(&self) -> Error {
        match &self.content {
            Content::File { path, .. } | Content::Stream(Stream { path, .. }) => Error::SourceChanged(path.clone()),
            Content::Range(_) => Error::Usage("the range ended early".into()),
        }
    }

    /// The error for a source that has no more than `received` bytes.
    pub(crate) fn ended(&self, received: u64) -> Error {
        match &self.content {
            Content::Stream(Stream { path, .. }) => Error::SourceEnded {
                path: path.clone(),
                received,
                total: self.meta.byte_len(),
            },
            Content::File { .. } | Content::Range(_) => self.changed(),
        }
    }

    /// The error for a source that the system cannot read.
    pub(crate) fn unreadable(&self, error: &io::Error) -> Error {
        match &self.content {
            Content::File { path, .. } | Content::Stream(Stream { path, .. }) => unreadable(path, error),
            Content::Range(_) => Error::system("cannot read the range", error),
        }
    }

    fn read_error(&self, error: &ReadError) -> Error {
        match error {
            ReadError::Shrunk => self.changed(),
            ReadError::Io(error) => self.unreadable(error),
        }
    }

    fn bytes_for_copying(&self) -> Result<Vec<u8>, Error> {
        let len = self.meta.byte_len();
        if len > COPYING_BYTES_MAX {
            let text =
                "the copying route takes time that grows with the square of the length: it is refused above 1 GB";
            return Err(Error::Usage(text.into()));
        }
        self.bytes_in_memory(2)
    }

    /// The whole of it in private memory, where there is room for it `times` over.
    fn bytes_in_memory(&self, times: u64) -> Result<Vec<u8>, Error> {
        let len = self.meta.byte_len();
        promise::check(len.saturating_mul(times))?;
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.copy_prefix(&mut bytes)?;
        Ok(bytes)
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::SourceUnreadable {
        path: path.into(),
        reason: reason(error),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| "file".into(), |name| name.to_string_lossy().into_owned())
}

/// A number without a fraction that is zero.
fn short(number: Number) -> String {
    number
        .to_whole()
        .map_or_else(|| number.to_string(), |whole| whole.to_string())
}

impl FileStamp {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }

    fn identity(self) -> Vec<u8> {
        let (seconds, nanos) = self.modified;
        [
            self.device.to_le_bytes(),
            self.inode.to_le_bytes(),
            self.len.to_le_bytes(),
            seconds.to_le_bytes(),
            nanos.to_le_bytes(),
        ]
        .concat()
    }
}

/// Generates a range into memory behind a descriptor, sealed; `None` where it was cancelled meanwhile.
fn range_in_memory(
    range: &Range,
    base: u64,
    len: u64,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Arc<SharedFile>>, Error> {
    promise::check(len)?;
    let failed = |error: io::Error| Error::system("cannot generate the range in memory", &error);
    let mut memory = MemoryFile::new("arraylift-range", len).map_err(failed)?;
    let mut generated = Generated::new(range.clone(), base, PIECE_BYTES);
    let mut at = 0;
    while at < len {
        if cancelled() {
            return Ok(None);
        }
        let piece = usize::try_from(len - at).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
        memory.write(at, generated.piece(at, piece)).map_err(failed)?;
        at += piece as u64;
    }
    let file = memory.seal().map_err(failed)?;
    SharedFile::map(file, len).map(Arc::new).map(Some).map_err(failed)
}

/// Reads a `.npy` file's header and checks that the data has the length that it says.
fn npy_of(file: &mut File, file_bytes: u64) -> Result<(ArrayMeta, u64), String> {
    let as_plain = "; viewed as u8 the file can be sent as it is";
    let mut head = Vec::new();
    let mut need = npy::MAGIC.len() + 2;
    loop {
        let missing = need.saturating_sub(head.len()) as u64;
        let read = file
            .by_ref()
            .take(missing)
            .read_to_end(&mut head)
            .map_err(|error| reason(&error).to_string())?;
        if (read as u64) < missing {
            return Err(format!("it ends within its .npy header{as_plain}"));
        }
        match npy::read_header(&head) {
            Ok(npy::HeaderProgress::Need(bytes)) => need = bytes.max(head.len() + 1),
            Ok(npy::HeaderProgress::Done { meta, data_offset }) => {
                let data_offset = data_offset as u64;
                let data_bytes = file_bytes.saturating_sub(data_offset);
                if data_bytes != meta.byte_len() {
                    return Err(format!(
                        "its header speaks of {meta}, {} bytes, but {data_bytes} bytes of data follow{as_plain}",
                        meta.byte_len()
                    ));
                }
                return Ok((meta, data_offset));
            }
            Err(error) => return Err(format!("{error}{as_plain}")),
        }
    }
}

fn plain_of(dtype: Dtype, bytes: u64) -> Result<ArrayMeta, String> {
    let item = dtype.item_size() as u64;
    if !bytes.is_multiple_of(item) {
        return Err(format!(
            "{bytes} bytes are not a whole number of {} elements of {item} bytes",
            dtype.name()
        ));
    }
    ArrayMeta::vector(dtype, bytes / item).map_err(|error| error.to_string())
}

/// The slice's first byte and what it is as an array; the whole, with its shape, where there is no slice.
fn sliced(whole: &ArrayMeta, slice: Option<Slice>) -> Result<(u64, ArrayMeta), String> {
    let Some(Slice {
        offset_bytes,
        length_bytes,
    }) = slice
    else {
        return Ok((0, whole.clone()));
    };
    let total = whole.byte_len();
    let Some(rest) = total.checked_sub(offset_bytes) else {
        return Err(format!("the offset {offset_bytes} lies beyond its {total} bytes"));
    };
    let length = length_bytes.unwrap_or(rest);
    if length > rest {
        return Err(format!(
            "{length} bytes from {offset_bytes} on reach beyond its {total} bytes"
        ));
    }
    let item = whole.dtype().item_size() as u64;
    if !offset_bytes.is_multiple_of(item) || !length.is_multiple_of(item) {
        let name = whole.dtype().name();
        return Err(format!(
            "offset and length of a slice are multiples of {item} bytes, the size of one {name}"
        ));
    }
    if offset_bytes == 0 && length == total {
        return Ok((0, whole.clone()));
    }
    let meta = ArrayMeta::new(whole.dtype().clone(), Shape::vector(length / item), Order::C);
    Ok((offset_bytes, meta.map_err(|error| error.to_string())?))
}
