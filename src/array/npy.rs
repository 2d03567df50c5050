//! The header of a `.npy` file: reads versions 1.0, 2.0 and 3.0, and writes the oldest one that can describe the array.
//!
//! Source: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Reading needs no stream: the
//! caller passes the bytes that it has, and learns how many a header needs.

use super::dtype::MAX_DESCR_BYTES;
use super::literal::{self, Entry, Literal, LiteralError};
use super::{ArrayMeta, Dtype, DtypeError, MetaError, Order, Shape, ShapeError};

/// The first bytes of every `.npy` file.
pub const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// Whether the bytes at the beginning of a file or a stream are a whole header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderProgress {
    /// The header is longer: call again with this many bytes from the beginning. They are more than were given, and
    /// never more than the header has.
    Need(usize),
    /// The whole header was there.
    Done {
        /// The array that follows.
        meta: ArrayMeta,
        /// How many bytes the header took: the offset of the first element.
        data_offset: usize,
    },
}

/// Why the bytes are not the header of an array that can be moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NpyError {
    /// The first bytes are not [`MAGIC`].
    #[error("not a .npy file: it does not begin with \\x93NUMPY")]
    BadMagic,
    /// A version of the format that this program does not know.
    #[error("unknown .npy format version {major}.{minor}: 1.0, 2.0 and 3.0 are known")]
    UnknownVersion {
        /// The first byte of the version.
        major: u8,
        /// The second byte of the version.
        minor: u8,
    },
    /// A header of more than 320 KiB.
    #[error("the .npy header of {0} bytes is longer than {MAX_HEADER_BYTES} bytes")]
    HeaderTooLarge(u64),
    /// A header of version 3.0 that is not UTF-8.
    #[error("the .npy header is not UTF-8")]
    NotUtf8,
    /// A header that is not a Python dict of the literals that NumPy writes.
    #[error("the .npy header is garbled: {0}")]
    Garbled(#[from] LiteralError),
    /// A dict with other keys than NumPy's three, each once.
    #[error("the .npy header does not have just the keys descr, fortran_order and shape")]
    WrongKeys,
    /// `fortran_order` is neither True nor False.
    #[error("fortran_order in the .npy header is neither True nor False")]
    BadOrder,
    /// `shape` is not a tuple of integers that fit 64 bits.
    #[error("the shape in the .npy header is not a tuple of integers")]
    BadShape,
    /// A dimension below zero.
    #[error("the shape in the .npy header has the negative dimension {0}")]
    NegativeDimension(i128),
    /// More dimensions than NumPy has.
    #[error("the shape in the .npy header is impossible: {0}")]
    ImpossibleShape(#[from] ShapeError),
    /// More than `i64::MAX` bytes.
    #[error("the array in the .npy header is impossible: {0}")]
    TooLarge(#[from] MetaError),
    /// An array of Python objects, which is pickled.
    #[error("the .npy file holds Python objects, which cannot be moved")]
    Object,
    /// Any other dtype that is refused.
    #[error("the dtype in the .npy header is refused: {0}")]
    Dtype(DtypeError),
}

/// Room for the longest description, and for what is beside it: NumPy reads 10,000 characters unless it is told to
/// read more, and writes as many as a description has.
const MAX_HEADER_BYTES: usize = MAX_DESCR_BYTES + (64 << 10);

/// The data begins at a multiple of it, so that a mapped file is aligned for every dtype.
const ALIGNMENT: usize = 64;

/// NumPy leaves room for the growing dimension to reach so many digits in place.
const GROWTH_DIGITS: usize = 21;

/// Reads the header from the first bytes of a file or a stream, of which there may be too few or too many.
///
/// ```
/// # use arraylift::npy::{HeaderProgress, read_header, write_header};
/// # use arraylift::{ArrayMeta, Dtype};
/// let meta = ArrayMeta::vector(Dtype::f64(), 3)?;
/// let header = write_header(&meta);
/// assert_eq!(read_header(b"\x93NUM")?, HeaderProgress::Need(10));
/// assert_eq!(read_header(&header[..10])?, HeaderProgress::Need(128));
/// assert_eq!(read_header(&header)?, HeaderProgress::Done { meta, data_offset: 128 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_header(prefix: &[u8]) -> Result<HeaderProgress, NpyError> {
    let seen = prefix.len().min(MAGIC.len());
    if prefix[..seen] != MAGIC[..seen] {
        return Err(NpyError::BadMagic);
    }
    let Some(&[major, minor, short @ ..]) = prefix.get(6..10).and_then(|b| b.first_chunk::<4>()) else {
        return Ok(HeaderProgress::Need(10));
    };
    let (text_at, text_len) = match (major, minor) {
        (1, 0) => (10, u32::from(u16::from_le_bytes(short))),
        (2 | 3, 0) => match prefix[8..].first_chunk() {
            Some(&long) => (12, u32::from_le_bytes(long)),
            None => return Ok(HeaderProgress::Need(12)),
        },
        _ => return Err(NpyError::UnknownVersion { major, minor }),
    };
    let data_offset = usize::try_from(text_len)
        .ok()
        .filter(|&len| len <= MAX_HEADER_BYTES)
        .map(|len| text_at + len)
        .ok_or(NpyError::HeaderTooLarge(text_len.into()))?;
    let Some(text) = prefix.get(text_at..data_offset) else {
        return Ok(HeaderProgress::Need(data_offset));
    };
    let text = if major < 3 {
        text.iter().copied().map(char::from).collect()
    } else {
        String::from_utf8(text.to_vec()).map_err(|_| NpyError::NotUtf8)?
    };
    let meta = parse_dict(&text)?;
    Ok(HeaderProgress::Done { meta, data_offset })
}

/// The header that `numpy.save` writes for such an array, byte for byte where the description is NumPy's own.
///
/// Version 1.0, or 2.0 where it has 64 KiB or more, or 3.0 for field names beyond Latin-1.
#[must_use]
pub fn write_header(meta: &ArrayMeta) -> Vec<u8> {
    let (fortran_order, growing) = match meta.order() {
        Order::C => ("False", meta.shape().dimensions().first()),
        Order::Fortran => ("True", meta.shape().dimensions().last()),
    };
    let dict = format!(
        "{{'descr': {}, 'fortran_order': {fortran_order}, 'shape': {}, }}",
        meta.dtype().descr(),
        meta.shape(),
    );
    let room = growing.map_or(0, |n| GROWTH_DIGITS.saturating_sub(n.to_string().len()));

    let latin1: Option<Vec<u8>> = dict.chars().map(|c| u8::try_from(c).ok()).collect();
    let is_latin1 = latin1.is_some();
    let text = latin1.unwrap_or_else(|| dict.into_bytes());
    // The header ends with at least one space and a line feed, which are part of its length.
    let end = |text_at: usize| (text_at + text.len() + room + 2).next_multiple_of(ALIGNMENT);
    let (version, text_at) = match is_latin1 {
        true if u16::try_from(end(10) - 10).is_ok() => (1, 10),
        true => (2, 12),
        false => (3, 12),
    };
    let data_offset = end(text_at);
    let text_len = data_offset - text_at;

    let mut header = Vec::with_capacity(data_offset);
    header.extend(MAGIC);
    header.extend([version, 0]);
    // The length fits the two or four low bytes: two by the choice above, four by the bound of a description.
    header.extend(&text_len.to_le_bytes()[..text_at - 8]);
    header.extend(text);
    header.resize(data_offset - 1, b' ');
    header.push(b'\n');
    header
}

fn parse_dict(text: &str) -> Result<ArrayMeta, NpyError> {
    let mut entries = literal::parse_dict(text)?;
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let Ok([descr, order, shape]) = <[Entry; 3]>::try_from(entries) else {
        return Err(NpyError::WrongKeys);
    };
    if (&*descr.key, &*order.key, &*shape.key) != ("descr", "fortran_order", "shape") {
        return Err(NpyError::WrongKeys);
    }
    let dtype = Dtype::from_descr(descr.source).map_err(|error| match error {
        DtypeError::Object => NpyError::Object,
        error => NpyError::Dtype(error),
    })?;
    let order = match order.value {
        Literal::Bool(false) => Order::C,
        Literal::Bool(true) => Order::Fortran,
        _ => return Err(NpyError::BadOrder),
    };
    let Literal::Tuple(dimensions) = shape.value else {
        return Err(NpyError::BadShape);
    };
    let dimensions = dimensions.iter().map(dimension).collect::<Result<_, _>>()?;
    Ok(ArrayMeta::new(dtype, Shape::new(dimensions)?, order)?)
}

fn dimension(literal: &Literal) -> Result<u64, NpyError> {
    match *literal {
        Literal::Int(int) if int < 0 => Err(NpyError::NegativeDimension(int)),
        Literal::Int(int) => u64::try_from(int).map_err(|_| NpyError::BadShape),
        _ => Err(NpyError::BadShape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_vector_has_the_header_that_numpy_saves() {
        let header = write_header(&ArrayMeta::vector(Dtype::f64(), 3).unwrap());
        assert_eq!(header.len(), 128);
        assert_eq!(header[..10], *b"\x93NUMPY\x01\x00\x76\x00");
        let text = std::str::from_utf8(&header[10..]).unwrap();
        assert_eq!(
            text.trim_end(),
            "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
        );
        assert!(text.ends_with(" \n"));
    }

    #[test]
    fn names_beyond_latin_1_need_version_3() {
        for (descr, version) in [("[('é', '<i4')]", 1), ("[('日', '<i4')]", 3)] {
            let dtype = Dtype::from_descr(descr).unwrap();
            let meta = ArrayMeta::vector(dtype, 3).unwrap();
            let header = write_header(&meta);
            assert_eq!(header[6], version);
            assert_eq!(header.len() % ALIGNMENT, 0);
            let data_offset = header.len();
            assert_eq!(read_header(&header), Ok(HeaderProgress::Done { meta, data_offset }));
        }
    }

    #[test]
    fn a_record_of_thousands_of_fields_needs_version_2() {
        for (count, name, version) in [(3000, "f", 1), (4000, "f", 2), (12_000, "f", 2), (12_000, "日", 3)] {
            let fields: Vec<String> = (0..count).map(|i| format!("('{name}{i}', '<f4')")).collect();
            let dtype = Dtype::from_descr(&format!("[{}]", fields.join(", "))).unwrap();
            let meta = ArrayMeta::vector(dtype, 3).unwrap();
            let header = write_header(&meta);
            assert_eq!((header[6], header.len() % ALIGNMENT), (version, 0), "{count} fields");
            let data_offset = header.len();
            assert_eq!(read_header(&header), Ok(HeaderProgress::Done { meta, data_offset }));
        }
    }

    #[test]
    fn every_version_is_read_and_no_byte_more_is_wanted() {
        let text = "{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3), }\n";
        for version in [1, 2, 3] {
            let header = header(version, text.as_bytes());
            let mut given = 0;
            let meta = loop {
                match read_header(&header[..given]).unwrap() {
                    HeaderProgress::Need(total) => {
                        assert!(total > given && total <= header.len());
                        given = total;
                    }
                    HeaderProgress::Done { meta, data_offset } => {
                        assert_eq!(data_offset, header.len());
                        break meta;
                    }
                }
            };
            assert_eq!(meta.to_string(), "big-endian i32 (2, 3) in Fortran order");
        }
    }

    #[test]
    fn what_follows_the_header_is_not_looked_at() {
        let mut bytes = write_header(&ArrayMeta::vector(Dtype::u8(), 5).unwrap());
        let header_len = bytes.len();
        bytes.extend([0xff; 5]);
        let progress = read_header(&bytes).unwrap();
        assert!(matches!(progress, HeaderProgress::Done { data_offset, .. } if data_offset == header_len));
    }

    #[test]
    fn other_files_are_refused_at_their_first_byte() {
        assert_eq!(read_header(b"P"), Err(NpyError::BadMagic));
        assert_eq!(read_header(b"\x93NUMPX"), Err(NpyError::BadMagic));
        assert_eq!(read_header(b""), Ok(HeaderProgress::Need(10)));
    }

    #[test]
    fn versions_and_lengths_are_refused_before_the_header_is_read() {
        assert_eq!(
            read_header(b"\x93NUMPY\x04\x00\x00\x00").map_err(|e| e.to_string()),
            Err("unknown .npy format version 4.0: 1.0, 2.0 and 3.0 are known".to_owned())
        );
        assert_eq!(
            read_header(b"\x93NUMPY\x02\x00\xff\xff\xff\xff"),
            Err(NpyError::HeaderTooLarge(u32::MAX.into()))
        );
        assert_eq!(
            read_header(b"\x93NUMPY\x03\x00\x01\x00\x05\x00"),
            Err(NpyError::HeaderTooLarge(327_681))
        );
    }

    #[test]
    fn each_mistake_in_the_dict_has_its_error() {
        use NpyError::{BadOrder, BadShape, NegativeDimension, Object, WrongKeys};
        let dict = |descr, order, shape| format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}");
        for (text, error) in [
            (dict("'|O'", "False", "(3,)"), Object),
            (dict("[('a', '|O')]", "False", "(3,)"), Object),
            (dict("'<f8'", "False", "(-3,)"), NegativeDimension(-3)),
            (dict("'<f8'", "False", "(3)"), BadShape),
            (dict("'<f8'", "False", "('3',)"), BadShape),
            (dict("'<f8'", "False", "(99999999999999999999,)"), BadShape),
            (dict("'<f8'", "0", "(3,)"), BadOrder),
            (
                dict("'<f9'", "False", "(3,)"),
                NpyError::Dtype(DtypeError::UnknownType("<f9".into())),
            ),
            ("{'descr': '<f8'}".into(), WrongKeys),
            ("{'descr': '<f8', 'descr': '<f8', 'shape': (3,)}".into(), WrongKeys),
            (dict("'<f8'", "False", "(3,), 'extra': 1"), WrongKeys),
        ] {
            assert_eq!(read_header(&header(1, text.as_bytes())), Err(error), "{text}");
        }
        for shape in ["(4294967296, 4294967296)", "(0, 4294967296, 4294967296)"] {
            let text = dict("'<f8'", "False", shape);
            assert!(matches!(
                read_header(&header(1, text.as_bytes())),
                Err(NpyError::TooLarge(_))
            ));
        }
        let many = dict("'<f8'", "False", &format!("({})", "1,".repeat(65)));
        assert!(matches!(
            read_header(&header(1, many.as_bytes())),
            Err(NpyError::ImpossibleShape(_))
        ));
        assert!(matches!(
            read_header(&header(1, b"{'descr': '<f8', 'fort")),
            Err(NpyError::Garbled(_))
        ));
        assert_eq!(read_header(&header(3, b"{'\xff'")), Err(NpyError::NotUtf8));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            descr in prop::sample::select(vec![
                "'<f8'", "'>c16'", "'|S7'", "'<U3'", "'<M8[25us]'", "'|b1'",
                "[('a', '<i4'), ('b', '<f8', (3,))]", "[('é', '|u1'), ('', '|V3')]", "[('日本', '>i2')]",
            ]),
            dimensions in prop::collection::vec(0_u64..1000, 0..6),
            fortran in any::<bool>(),
        ) {
            let order = if fortran { Order::Fortran } else { Order::C };
            let dtype = Dtype::from_descr(descr).unwrap();
            let meta = ArrayMeta::new(dtype, Shape::new(dimensions).unwrap(), order).unwrap();
            let header = write_header(&meta);
            let data_offset = header.len();
            prop_assert_eq!(data_offset % ALIGNMENT, 0);
            prop_assert_eq!(read_header(&header), Ok(HeaderProgress::Done { meta, data_offset }));
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 1_u8..4) {
            let _ = read_header(&bytes);
            let _ = read_header(&header(version, &bytes));
        }

        #[test]
        fn no_mutation_of_a_valid_header_panics(
            mutations in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            end in any::<prop::sample::Index>(),
        ) {
            let dtype = Dtype::from_descr("[('a', '<i4'), ('b', '<f8', (3,))]").unwrap();
            let mut bytes = write_header(&ArrayMeta::vector(dtype, 12).unwrap());
            for (at, byte) in mutations {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(HeaderProgress::Need(total)) = read_header(&bytes) {
                prop_assert!(total > bytes.len());
            }
            let _ = read_header(&bytes[..end.index(bytes.len())]);
        }
    }

    fn header(version: u8, text: &[u8]) -> Vec<u8> {
        let len = u32::try_from(text.len()).unwrap().to_le_bytes();
        let len = if version == 1 { &len[..2] } else { &len[..] };
        [&MAGIC[..], &[version, 0], len, text].concat()
    }
}
