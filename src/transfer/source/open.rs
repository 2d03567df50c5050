//! Opens and checks a source: a range, a file, shared memory by its name, or what is read as it comes.

use std::fs::{File, Metadata};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::array::{ArrayMeta, Dtype, Number, Range, npy};
use crate::error::{Error, reason};
use crate::sys::{ReadError, SharedFile};
use crate::transfer::plan::{Origin, Slice, SourceSpec};
use crate::transfer::shm::ShmName;
use crate::transfer::source::made_up::{self, Opened};
use crate::transfer::source::stamp::FileStamp;
use crate::transfer::source::stream::{STANDARD_INPUT, Stream, standard_input};
use crate::transfer::source::view::{plain_of, sliced};
use crate::transfer::source::{Content, Source, unreadable};

impl Source {
    pub(crate) fn open(spec: &SourceSpec) -> Result<Self, Error> {
        match &spec.origin {
            Origin::Range(range) => Self::from_range(range.clone(), spec.slice),
            Origin::File { path, dtype } => Self::from_path(path, dtype.as_ref(), spec.slice),
            Origin::Tree(_) => Err(Error::Usage(
                "a tree of files is no array: send it, or take one file of it".into(),
            )),
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
            why_plain: None,
            header_viewed_as: None,
            identity: Vec::new(),
            content: Content::Range(range),
            base,
        })
    }

    fn from_path(path: &Path, dtype: Option<&Dtype>, slice: Option<Slice>) -> Result<Self, Error> {
        let unreadable = |error: &io::Error| unreadable(path, error);
        // A named pipe would block in open, and its writer would go on: looked at first.
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => missing(path),
            _ => unreadable(&error),
        })?;
        if metadata.is_dir() {
            return Err(Error::SourceIsFolder(path.into()));
        }
        if !metadata.is_file() {
            return Self::from_stream(path, &metadata, dtype, slice);
        }
        let open = || {
            let is_standard_input = path == Path::new(STANDARD_INPUT);
            let file = if is_standard_input {
                standard_input()
            } else {
                File::open(path)
            }?;
            Ok((file.metadata()?, file))
        };
        let (metadata, mut file) = open().map_err(|error| unreadable(&error))?;
        if file.stream_position().map_err(|error| unreadable(&error))? > 0 {
            let reason = "someone has read from it already: name the file itself, and an offset".into();
            let path = path.into();
            return Err(Error::SourceInvalid { path, reason });
        }
        let file = match made_up::map(file, metadata.len()).map_err(|error| unreadable(&error))? {
            Opened::Mapped(file) => (file, metadata),
            Opened::MadeUp if slice.is_some_and(|slice| slice.length_bytes.is_some()) => {
                return Self::from_stream(path, &metadata, dtype, slice);
            }
            Opened::MadeUp => {
                let whole = || made_up::read_whole(&open()?.1);
                match whole().map_err(|error| unreadable(&error))? {
                    Some(whole) => whole,
                    None => return Err(Error::LengthNeeded(path.into())),
                }
            }
        };
        let is_npy = path.extension().is_some_and(|extension| extension == "npy");
        let name = name_of(path);
        let mut source = Self::from_file(path, file, is_npy && dtype.is_none(), dtype, slice)?;
        // A part of a `.npy` file is not one: what it is viewed as is an array.
        source.plain &= !(is_npy && slice.is_some());
        let viewed_as = dtype.filter(|dtype| is_npy && **dtype != Dtype::u8());
        source.header_viewed_as = viewed_as.map(Dtype::name);
        (source.title, source.name) = (name.clone(), name);
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
        let mapped = SharedFile::map(file, metadata.len()).map_err(|error| unreadable(&shown, &error))?;
        let mut source = Self::from_file(&shown, (mapped, metadata), false, dtype, slice)?;
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
            why_plain: None,
            header_viewed_as: None,
            identity: Vec::new(),
            content: Content::Stream(stream),
            base: 0,
        })
    }

    /// `path` is what errors call it.
    fn from_file(
        path: &Path,
        (file, metadata): (SharedFile, Metadata),
        is_npy: bool,
        dtype: Option<&Dtype>,
        slice: Option<Slice>,
    ) -> Result<Self, Error> {
        let invalid = |reason: String| Error::SourceInvalid {
            path: path.into(),
            reason: reason.into(),
        };
        let file_bytes = metadata.len();
        let found = if is_npy {
            npy_of(&file, file_bytes).map_err(invalid)?
        } else {
            Npy::Plain(None)
        };
        let (whole, data_offset, why_plain) = match found {
            Npy::Array(meta, data_offset) => (meta, Some(data_offset), None),
            Npy::Plain(Some(why)) if slice.is_some() => return Err(invalid(format!("{why}{AS_PLAIN}"))),
            Npy::Plain(why_plain) => {
                let dtype = dtype.cloned().unwrap_or_else(Dtype::u8);
                let viewed = match slice {
                    // A slice is viewed as the dtype; what lies around it need not fit.
                    Some(_) => Dtype::u8(),
                    None => dtype,
                };
                (plain_of(viewed, file_bytes).map_err(invalid)?, None, why_plain)
            }
        };
        let (base, mut meta) = sliced(&whole, slice).map_err(invalid)?;
        if let (Some(_), Some(dtype)) = (slice, dtype) {
            meta = plain_of(dtype.clone(), meta.byte_len()).map_err(invalid)?;
        }
        let stamp = FileStamp::of(&metadata);
        Ok(Self {
            meta,
            title: String::new(),
            name: String::new(),
            plain: data_offset.is_none(),
            why_plain,
            header_viewed_as: None,
            identity: stamp.identity(),
            content: Content::File {
                path: path.into(),
                file: Arc::new(file),
                stamp,
            },
            base: data_offset.unwrap_or_default() + base,
        })
    }
}

fn missing(path: &Path) -> Error {
    match std::fs::read_link(path) {
        Ok(target) => Error::SourceInvalid {
            path: path.into(),
            reason: format!("it is a link to {}, where there is no file", target.display()).into(),
        },
        Err(_) => Error::SourceMissing(path.into()),
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

/// What a file is whose name says `.npy`.
enum Npy {
    /// An array, from that byte on.
    Array(ArrayMeta, u64),
    /// A plain file; of one with Python objects in it, why it is no array that can be moved.
    Plain(Option<String>),
}

/// What can be done with a file that is damaged.
pub(crate) const AS_PLAIN: &str = "; viewed as u8 the file can be sent as it is";

/// Reads a `.npy` file's header and checks that the data has the length that it says.
///
/// # Errors
/// It is damaged, or has another length: someone may still be writing it.
fn npy_of(file: &SharedFile, file_bytes: u64) -> Result<Npy, String> {
    let mut head = Vec::new();
    let mut need = npy::MAGIC.len() + 2;
    loop {
        if need as u64 > file_bytes {
            return Err(format!("it ends within its .npy header{AS_PLAIN}"));
        }
        let begun = head.len();
        head.resize(need, 0);
        file.copy_out(begun, &mut head[begun..]).map_err(|error| match error {
            ReadError::Shrunk => "it shrank while its .npy header was read".into(),
            ReadError::Io(error) => reason(&error).to_string(),
        })?;
        match npy::read_header(&head) {
            Ok(npy::HeaderProgress::Need(bytes)) => need = bytes.max(head.len() + 1),
            Ok(npy::HeaderProgress::Done { meta, data_offset }) => {
                let data_offset = data_offset as u64;
                let data_bytes = file_bytes.saturating_sub(data_offset);
                if data_bytes != meta.byte_len() {
                    return Err(format!(
                        "its header speaks of {meta}, {} bytes, but {data_bytes} bytes of data follow{AS_PLAIN}",
                        meta.byte_len()
                    ));
                }
                return Ok(Npy::Array(meta, data_offset));
            }
            Err(error @ npy::NpyError::Object) => return Ok(Npy::Plain(Some(error.to_string()))),
            Err(error) => return Err(format!("{error}{AS_PLAIN}")),
        }
    }
}
