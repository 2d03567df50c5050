//! Reads values of an array at both ends of a transfer, off the window's thread: they may lie on a slow disk.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::model::error_text;
use super::model::values::{Compared, Kept, VALUES, ValuesAsked, ValuesRead, place};
use crate::Error;
use crate::array::{ArrayMeta, values};
use crate::transfer::{Origin, Source, SourceSpec, describe};

/// So long both ends are compared; an answer is waited for.
const COMPARING_MAX: Duration = Duration::from_secs(2);
/// So many bytes of each at once.
const PIECE_BYTES: u64 = 1 << 20;

/// Reads what was asked for.
pub(super) fn read(asked: &ValuesAsked) -> ValuesRead {
    let ValuesAsked { meta, index, .. } = asked;
    let sender = match &asked.sender {
        Ok(source) => End::source(source, meta).map_err(|error| error_text::of(&error)),
        Err(why) => Err(why.say().to_owned()),
    };
    let receiver = match &asked.receiver {
        Ok(kept) => End::kept(kept, meta).map_err(|error| error_text::of(&error)),
        Err(why) => Err(why.say().to_owned()),
    };
    let compared = match (&sender, &receiver) {
        (Ok(sender), Ok(receiver)) => compare(meta, sender, receiver).ok(),
        _ => None,
    };
    let at = |end: Result<End, String>| {
        let count = VALUES.min(meta.element_count().saturating_sub(*index));
        let values = end?.values(meta, *index, count);
        values.map_err(|error| error_text::of(&error))
    };
    ValuesRead {
        place: place(meta, *index),
        index: *index,
        sender: at(sender),
        receiver: at(receiver),
        compared,
    }
}

/// An array that can be read.
enum End {
    Source(Box<Source>),
    /// A file, and where the array begins in it.
    File(File, u64, PathBuf),
}

impl End {
    fn source(spec: &SourceSpec, meta: &ArrayMeta) -> Result<Self, Error> {
        let source = Source::open(spec)?;
        if source.is_stream() {
            return Err(Error::Usage("it was read as it came, and cannot be read again".into()));
        }
        if source.meta.byte_len() != meta.byte_len() {
            return Err(source.changed());
        }
        Ok(Self::Source(Box::new(source)))
    }

    fn kept(kept: &Kept, meta: &ArrayMeta) -> Result<Self, Error> {
        match kept {
            Kept::File(path) => Self::file(path, |len| len.saturating_sub(meta.byte_len())),
            Kept::Within(path, at_bytes) => {
                let origin = Origin::File {
                    path: path.clone(),
                    dtype: None,
                };
                // Of a `.npy` file its array is what is counted from.
                let whole = describe(&SourceSpec { origin, slice: None })?;
                Self::file(path, |len| len.saturating_sub(whole.meta.byte_len()) + at_bytes)
            }
        }
    }

    fn file(path: &Path, begins: impl Fn(u64) -> u64) -> Result<Self, Error> {
        let unreadable = |error: &std::io::Error| Error::SourceInvalid {
            path: path.into(),
            reason: crate::error::reason(error),
        };
        let file = File::open(path).map_err(|error| unreadable(&error))?;
        let len = file.metadata().map_err(|error| unreadable(&error))?.len();
        Ok(Self::File(file, begins(len), path.into()))
    }

    fn read(&self, at: u64, out: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::Source(source) => source.copy_out(at, out),
            Self::File(file, begins, path) => {
                let read = file.read_exact_at(out, begins + at);
                read.map_err(|_| Error::SourceChanged(path.clone()))
            }
        }
    }

    fn values(&self, meta: &ArrayMeta, index: u64, count: u64) -> Result<Vec<String>, Error> {
        let size = meta.dtype().item_size();
        let mut bytes = vec![0; usize::try_from(count).unwrap_or(0) * size];
        self.read(index * size as u64, &mut bytes)?;
        Ok(values(meta.dtype(), &bytes).iter().map(ToString::to_string).collect())
    }
}

/// Compares both ends from the first value on, for as long as somebody waits.
fn compare(meta: &ArrayMeta, sender: &End, receiver: &End) -> Result<Compared, Error> {
    let began = Instant::now();
    let size = meta.dtype().item_size() as u64;
    let (mut one, mut other) = (Vec::new(), Vec::new());
    let (mut at, end) = (0, meta.byte_len());
    while at < end {
        if began.elapsed() > COMPARING_MAX {
            return Ok(Compared::SameSoFar(at / size));
        }
        let len = usize::try_from(PIECE_BYTES.min(end - at)).unwrap_or(0);
        one.resize(len, 0);
        other.resize(len, 0);
        sender.read(at, &mut one)?;
        receiver.read(at, &mut other)?;
        if one != other {
            let differ = one.iter().zip(&other).position(|(one, other)| one != other);
            let index = (at + differ.unwrap_or(0) as u64) / size;
            let value = |end: &End| end.values(meta, index, 1).map(|values| values.concat());
            return Ok(Compared::Differ {
                place: place(meta, index),
                sender: value(sender)?,
                receiver: value(receiver)?,
            });
        }
        at += len as u64;
    }
    Ok(Compared::Same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::{Dtype, Range};

    fn read_of(sender: SourceSpec, receiver: Kept, count: u64, index: u64) -> ValuesRead {
        read(&ValuesAsked {
            meta: ArrayMeta::vector(Dtype::f64(), count).expect("an array"),
            index,
            sender: Ok(sender),
            receiver: Ok(receiver),
        })
    }

    fn range(count: u64) -> SourceSpec {
        let range = Range::parse(&format!("0:{count}"), None).expect("a range");
        SourceSpec {
            origin: Origin::Range(range),
            slice: None,
        }
    }

    fn floats(values: std::ops::Range<u64>) -> Vec<u8> {
        values.flat_map(|value| (value as f64).to_le_bytes()).collect()
    }

    #[test]
    fn values_are_read_at_both_ends_and_the_first_that_differs_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("received.bin");
        let mut bytes = [vec![7; 128], floats(0..500_000)].concat();
        std::fs::write(&path, &bytes).expect("written");
        let kept = || Kept::File(path.clone());
        let same = read_of(range(500_000), kept(), 500_000, 499_990);
        assert_eq!(same.compared, Some(Compared::Same));
        assert_eq!(same.sender, same.receiver);
        assert_eq!(same.sender.expect("values").len(), 10, "no more than there are");
        assert_eq!(same.place, "499,990");
        bytes[128 + 8 * 400_000 + 7] ^= 0x80;
        std::fs::write(&path, &bytes).expect("written");
        let differ = Compared::Differ {
            place: "400,000".into(),
            sender: "400000.0".into(),
            receiver: "-400000.0".into(),
        };
        assert_eq!(read_of(range(500_000), kept(), 500_000, 0).compared, Some(differ));
        // A file that is gone, or shorter: why, and the other end all the same.
        std::fs::write(&path, b"short").expect("written");
        let read = read_of(range(500_000), kept(), 500_000, 3);
        assert_eq!(read.sender.expect("values")[0], "3.0");
        assert!(read.receiver.is_err() && read.compared.is_none());
    }

    #[test]
    fn a_part_of_a_file_is_read_from_its_first_byte() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("whole.bin");
        std::fs::write(&path, [vec![9; 800], floats(0..100), vec![9; 80]].concat()).expect("written");
        let read = read_of(range(100), Kept::Within(path, 800), 100, 5);
        assert_eq!(read.compared, Some(Compared::Same));
        assert_eq!(read.receiver.expect("values")[0], "5.0");
    }
}
