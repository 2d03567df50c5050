//! What an element is: every fixed-size dtype that NumPy can describe in the header of a `.npy` file.
//!
//! Descriptions come from files and from strangers, so their length is checked before they are parsed. Source:
//! <https://numpy.org/doc/stable/reference/arrays.interface.html#arrays-interface> (`typestr` and `descr`).

mod layout;
pub(super) mod scalar;
mod words;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::literal::{self, LiteralError};
use layout::Reader;
use scalar::Kind;

pub(super) use layout::Layout;
pub(super) use scalar::{Numeric, Scalar};

/// The type of an array's elements: its size, byte order and fields, and the text that describes them.
///
/// Cheap to clone. Two dtypes are equal when their elements lie in memory alike and have the same field names,
/// even if the spaces in their descriptions differ.
#[derive(Clone)]
pub struct Dtype {
    descr: Arc<str>,
    layout: Arc<Layout>,
    item_size: usize,
}

/// Why a description is not a dtype that can be moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DtypeError {
    /// Python objects, or strings of variable size: their bytes are pointers.
    #[error("arrays of Python objects cannot be moved, only those with a fixed-size dtype")]
    Object,
    /// A description of more than 256 KiB.
    #[error("a dtype description of {0} bytes is longer than {MAX_DESCR_BYTES} bytes")]
    TooLong(usize),
    /// Not a Python literal.
    #[error("the dtype description is malformed: {0}")]
    Malformed(#[from] LiteralError),
    /// A literal, but neither a type string nor a list of fields.
    #[error("the dtype description is neither a type such as '<f8' nor a list of (name, type) fields")]
    NotADescription,
    /// A type string that is none of NumPy's.
    #[error("{0:?} is no type that can be read, such as '<f8'")]
    UnknownType(String),
    /// Several types in one string, of which NumPy would make a record or an array.
    #[error("{0:?} stands for several types: only a list of (name, type) fields does")]
    SeveralTypes(String),
    /// A typed name that names no dtype.
    #[error("unknown dtype {0:?}: try f64, f32, i32, u8, bool, c128 or NumPy's form, such as float64 or >f4")]
    UnknownName(String),
    /// A typed name whose number could count bits, or bytes as NumPy has it.
    #[error("the dtype {typed} could mean {bits} or, as in NumPy, {bytes}: type which")]
    Ambiguous {
        /// What was typed.
        typed: &'static str,
        /// What it is if the number counts bits.
        bits: &'static str,
        /// What NumPy takes it for.
        bytes: &'static str,
    },
    /// Elements of no bytes.
    #[error("elements of zero bytes cannot be moved")]
    ZeroSize,
    /// Elements beyond 1 GiB.
    #[error("elements of more than 1 GiB cannot be moved")]
    TooLarge,
}

/// More than ten thousand fields need; all of it travels in one offer, and is parsed before anything else is known.
pub(crate) const MAX_DESCR_BYTES: usize = 256 << 10;
const MAX_ITEM_BYTES: usize = 1 << 30;

impl Dtype {
    /// Little-endian 64-bit float.
    #[must_use]
    pub fn f64() -> Self {
        Self::little_endian(Kind::Float, 8)
    }

    /// Little-endian 32-bit float.
    #[must_use]
    pub fn f32() -> Self {
        Self::little_endian(Kind::Float, 4)
    }

    /// A byte: what a plain file is made of.
    #[must_use]
    pub fn u8() -> Self {
        Self::little_endian(Kind::UInt, 1)
    }

    /// Reads what people type: a short name with its size in bits, such as `f64`, `i32` and `c128`; any name that NumPy
    /// has for a type, such as `float64`, `<f8`, `f8`, `d`, `U5` and `datetime64[ns]`; or a description of a record as
    /// NumPy writes it, such as `[('a', '<i4')]`. Without a byte order it is little-endian.
    ///
    /// `u8` is a byte, as everywhere in this program; NumPy's `u8` is called `uint64` or `<u8`. The other two words that
    /// mean one thing in bits and another in NumPy are refused: `i8` and `f16`.
    ///
    /// ```
    /// # use arraylift::Dtype;
    /// assert_eq!(Dtype::from_name("f64")?, Dtype::f64());
    /// assert_eq!(Dtype::from_name("f8")?, Dtype::f64());
    /// assert_eq!(Dtype::from_name(">f4")?.name(), "big-endian f32");
    /// assert!(Dtype::from_name("i8").unwrap_err().to_string().contains("int8 or, as in NumPy, int64"));
    /// # Ok::<(), arraylift::DtypeError>(())
    /// ```
    pub fn from_name(name: &str) -> Result<Self, DtypeError> {
        let name = name.trim();
        if name.starts_with(['[', '\'', '"']) {
            return Self::from_descr(name);
        }
        if name.len() > MAX_DESCR_BYTES {
            return Err(DtypeError::TooLong(name.len()));
        }
        Self::from_layout(Layout::Scalar(words::typed(name)?), String::new())
    }

    /// Reads a description as it stands in the header of a `.npy` file, a Python literal: `'<f8'` or
    /// `[('a', '<i4'), ('b', '<f8', (3,))]`. Whatever NumPy reads as the type of one element is read, also `'f8'`,
    /// `'float64'` and the `u'<f8'` of Python 2.
    ///
    /// The text may be a stranger's: at most 256 KiB, brackets at most 16 deep, elements of 1 byte to 1 GiB.
    pub fn from_descr(descr: &str) -> Result<Self, DtypeError> {
        let descr = descr.trim();
        if descr.len() > MAX_DESCR_BYTES {
            return Err(DtypeError::TooLong(descr.len()));
        }
        let mut parsed = literal::parse(descr)?;
        let mut reader = Reader::default();
        let layout = reader.layout(&mut parsed.value)?;
        let descr = if parsed.is_plain && !reader.has_respelled {
            descr.to_owned()
        } else {
            parsed.value.to_string()
        };
        // NumPy's spelling can be longer than what was read.
        if descr.len() > MAX_DESCR_BYTES {
            return Err(DtypeError::TooLong(descr.len()));
        }
        Self::from_layout(layout, descr)
    }

    /// The Python literal that describes this dtype in a `.npy` header and on the wire: `'<f8'`. Each type in it is
    /// spelled as NumPy writes it, with its byte order.
    #[must_use]
    pub fn descr(&self) -> &str {
        &self.descr
    }

    /// The bytes of one element: 1 to 2^30.
    #[must_use]
    pub fn item_size(&self) -> usize {
        self.item_size
    }

    /// A short name for people: `f64`, `big-endian f32`, `U5`, `record of 2 fields, 12 bytes`.
    #[must_use]
    pub fn name(&self) -> String {
        match &*self.layout {
            Layout::Scalar(scalar) => scalar.name(),
            Layout::Array { .. } => format!("array of {} bytes", self.item_size),
            Layout::Record(fields) => {
                let count = fields.iter().filter(|field| !field.name.is_empty()).count();
                let fields = if count == 1 { "field" } else { "fields" };
                format!("record of {count} {fields}, {} bytes", self.item_size)
            }
        }
    }

    /// Whether a [`Range`](super::Range) can be made of it: the little-endian integers, `f32` and `f64`.
    #[must_use]
    pub fn is_numeric_range(&self) -> bool {
        self.numeric().is_some()
    }

    /// The number type in whose arithmetic a range of this dtype is made.
    pub(super) fn numeric(&self) -> Option<Numeric> {
        match &*self.layout {
            Layout::Scalar(scalar) => scalar.numeric(),
            _ => None,
        }
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    fn little_endian(kind: Kind, size_bytes: usize) -> Self {
        let scalar = Scalar {
            kind,
            size_bytes,
            big_endian: false,
        };
        Self {
            descr: scalar.descr().into(),
            layout: Arc::new(Layout::Scalar(scalar)),
            item_size: size_bytes,
        }
    }

    /// `descr` is for anything but a scalar, which has only one.
    fn from_layout(layout: Layout, descr: String) -> Result<Self, DtypeError> {
        let item_size = match layout.size_bytes() {
            Some(0) => return Err(DtypeError::ZeroSize),
            Some(size @ 1..=MAX_ITEM_BYTES) => size,
            _ => return Err(DtypeError::TooLarge),
        };
        let descr = match &layout {
            Layout::Scalar(scalar) => scalar.descr(),
            _ => descr,
        };
        Ok(Self {
            descr: descr.into(),
            layout: Arc::new(layout),
            item_size,
        })
    }
}

impl fmt::Debug for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dtype({})", self.descr)
    }
}

/// The short name, as [`Dtype::name`].
impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}

/// The short name, as [`Dtype::name`].
impl Serialize for Dtype {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl PartialEq for Dtype {
    fn eq(&self, other: &Self) -> bool {
        self.layout == other.layout
    }
}

impl Eq for Dtype {}

impl Hash for Dtype {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.layout.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_what_people_type_and_read() {
        for (typed, descr, name, item_size) in [
            ("f64", "'<f8'", "f64", 8),
            ("f32", "'<f4'", "f32", 4),
            ("float16", "'<f2'", "float16", 2),
            ("int8", "'|i1'", "int8", 1),
            ("i16", "'<i2'", "i16", 2),
            ("i32", "'<i4'", "i32", 4),
            ("i64", "'<i8'", "i64", 8),
            ("u8", "'|u1'", "u8", 1),
            ("u64", "'<u8'", "u64", 8),
            ("bool", "'|b1'", "bool", 1),
            ("c64", "'<c8'", "c64", 8),
            ("c128", "'<c16'", "c128", 16),
            ("complex64", "'<c8'", "c64", 8),
            ("float64", "'<f8'", "f64", 8),
            ("uint16", "'<u2'", "u16", 2),
            ("U5", "'<U5'", "U5", 20),
            ("S10", "'|S10'", "S10", 10),
            ("V16", "'|V16'", "V16", 16),
            ("datetime64[ns]", "'<M8[ns]'", "datetime64[ns]", 8),
            ("timedelta64", "'<m8'", "timedelta64", 8),
            ("<f8", "'<f8'", "f64", 8),
            ("f8", "'<f8'", "f64", 8),
            ("f4", "'<f4'", "f32", 4),
            ("u1", "'|u1'", "u8", 1),
            ("c16", "'<c16'", "c128", 16),
            ("c32", "'<c32'", "c256", 32),
            ("M8[s]", "'<M8[s]'", "datetime64[s]", 8),
            ("d", "'<f8'", "f64", 8),
            ("l", "'<i8'", "i64", 8),
            ("float", "'<f8'", "f64", 8),
            ("longdouble", "'<f16'", "f128", 16),
            ("=i4", "'<i4'", "i32", 4),
            (">f4", "'>f4'", "big-endian f32", 4),
            ("|u1", "'|u1'", "u8", 1),
            ("<u1", "'|u1'", "u8", 1),
            ("'<i4'", "'<i4'", "i32", 4),
            (
                "[('a', '<i4'), ('b', '<f8')]",
                "[('a', '<i4'), ('b', '<f8')]",
                "record of 2 fields, 12 bytes",
                12,
            ),
        ] {
            let dtype = Dtype::from_name(typed).unwrap();
            assert_eq!(dtype.descr(), descr, "{typed}");
            assert_eq!(dtype.name(), name, "{typed}");
            assert_eq!(dtype.item_size(), item_size, "{typed}");
            assert_eq!(Dtype::from_descr(descr).unwrap(), dtype, "{typed}");
        }
    }

    #[test]
    fn unknown_names_are_refused_with_a_hint() {
        for name in [
            "f65", "i128", "bool8", "b8", "", "64", "f64 f64", "é", "U", "U0", "f64[ns]", "f+64", "<float64", "F64",
        ] {
            let refused = Dtype::from_name(name);
            assert!(
                matches!(refused, Err(DtypeError::UnknownName(_) | DtypeError::ZeroSize)),
                "{name}: {refused:?}"
            );
        }
        assert_eq!(
            Dtype::from_name("f65").unwrap_err().to_string(),
            "unknown dtype \"f65\": try f64, f32, i32, u8, bool, c128 or NumPy's form, such as float64 or >f4"
        );
    }

    #[test]
    fn a_word_whose_number_counts_bits_or_bytes_is_refused_with_both_meanings() {
        for (word, text) in [
            ("i8", "the dtype i8 could mean int8 or, as in NumPy, int64: type which"),
            (
                "f16",
                "the dtype f16 could mean float16 or, as in NumPy, float128: type which",
            ),
        ] {
            assert_eq!(Dtype::from_name(word).unwrap_err().to_string(), text);
        }
        // In a file the words are NumPy's.
        assert_eq!(Dtype::from_descr("'i8'"), Dtype::from_name("int64"));
        assert_eq!(Dtype::from_descr("'u8'"), Dtype::from_name("uint64"));
        assert_eq!(Dtype::from_name("u8"), Ok(Dtype::u8()));
    }

    #[test]
    fn every_name_that_is_shown_can_be_typed() {
        for descr in [
            "|b1",
            "|i1",
            "<i8",
            "|u1",
            "<u8",
            "<f2",
            "<f8",
            "<f16",
            "<c8",
            "<c32",
            "<M8[25us]",
            "<m8",
            "|S3",
            "<U3",
            "|V3",
        ] {
            let dtype = Dtype::from_name(descr).unwrap();
            assert_eq!(Dtype::from_name(&dtype.name()), Ok(dtype), "{descr}");
        }
    }

    #[test]
    fn every_fixed_size_description_of_numpy_is_read() {
        for (descr, item_size) in [
            ("'<f2'", 2),
            ("'>f16'", 16),
            ("'<c32'", 32),
            ("'<M8[ns]'", 8),
            ("'<M8[25us]'", 8),
            ("'>m8'", 8),
            ("'|S3'", 3),
            ("'<U7'", 28),
            ("'|V3'", 3),
            ("[('a', '<i4'), ('b', '<f8', (3,))]", 28),
            ("[('a', '|i1'), ('', '|V7'), ('b', '<f8')]", 16),
            ("[(('title', 'a'), '<i4')]", 4),
            ("[('p', [('q', '<i2', (2, 3)), ('r', '|S2')], (4,))]", 56),
            ("[('é\\n', '<U0'), ('n', '|u1')]", 1),
            ("[('n', '|u1', 3)]", 3),
            ("[('n', ('<f8', (3,)), (2,))]", 48),
        ] {
            let dtype = Dtype::from_descr(descr).unwrap();
            assert_eq!(dtype.item_size(), item_size, "{descr}");
            assert_eq!(dtype.descr(), descr);
        }
    }

    #[test]
    fn words_that_numpy_never_writes_are_read_and_written_as_it_does() {
        for (descr, written) in [
            ("'f8'", "'<f8'"),
            ("'=f8'", "'<f8'"),
            ("'|f8'", "'<f8'"),
            ("'float64'", "'<f8'"),
            ("u'<f8'", "'<f8'"),
            ("'>d'", "'>f8'"),
            ("'?'", "'|b1'"),
            ("'>datetime64[ns]'", "'>M8[ns]'"),
            (
                "[(u'a', 'f8', (3L,)), ('b', [('c', '>i1')])]",
                "[('a', '<f8', (3,)), ('b', [('c', '|i1')])]",
            ),
            ("[(('title', 'a'), 'U')]", "[(('title', 'a'), '<U0'), ('b', '<f8')]"),
            ("[('a\u{7}',\n'<f8')]", "[('a\\x07', '<f8')]"),
            ("[['a', '<f8']]", "[['a', '<f8']]"),
        ] {
            let descr = descr.replace("'U')]", "'U'), ('b', 'd')]");
            let dtype = Dtype::from_descr(&descr).unwrap();
            assert_eq!(dtype.descr(), written, "{descr}");
            assert_eq!(Dtype::from_descr(written), Ok(dtype));
        }
    }

    #[test]
    fn arrays_in_arrays_are_arrays_of_more_dimensions() {
        let flat = Dtype::from_descr("[('a', '<f8', (2, 3))]");
        assert_eq!(Dtype::from_descr("[('a', ('<f8', (3,)), (2,))]"), flat);
        assert_eq!(Dtype::from_descr("[('a', ('<f8', ()), (2, 3))]"), flat);
    }

    #[test]
    fn padding_of_no_bytes_is_left_out() {
        let padded = Dtype::from_descr("[('', '|V0'), ('a', '|u1'), ('', '|V0')]").unwrap();
        assert_eq!(padded, Dtype::from_descr("[('a', '|u1')]").unwrap());
    }

    #[test]
    fn objects_are_refused_wherever_they_hide() {
        for descr in ["'|O'", "'O'", "'|O8'", "'|T16'", "[('a', [('b', '|O')])]"] {
            assert_eq!(Dtype::from_descr(descr), Err(DtypeError::Object), "{descr}");
        }
    }

    #[test]
    fn sizes_are_bounded_without_overflow() {
        use DtypeError::{TooLarge, ZeroSize};
        for (descr, error) in [
            ("'<U0'", ZeroSize),
            ("'|V0'", ZeroSize),
            ("[]", ZeroSize),
            ("[('a', '<f8', (0,))]", ZeroSize),
            ("[('a', '<U0', (4000000000,))]", ZeroSize),
            ("'<U18446744073709551615'", TooLarge),
            ("'|V1073741825'", TooLarge),
            ("'<f99999999999999999999'", TooLarge),
            ("[('a', '<f8', (4611686018427387904, 4))]", TooLarge),
            ("[('a', '<f8', (99999999999999999999,))]", TooLarge),
            (
                "[('a', '|V18446744073709551615'), ('b', '|V18446744073709551615')]",
                TooLarge,
            ),
        ] {
            assert_eq!(Dtype::from_descr(descr), Err(error), "{descr}");
        }
        assert_eq!(Dtype::from_descr("'|V1073741824'").map(|d| d.item_size()), Ok(1 << 30));
    }

    #[test]
    fn rubbish_is_refused_by_kind() {
        use DtypeError::{NotADescription, SeveralTypes, TooLong, UnknownType};
        let long = format!("'{}'", "x".repeat(300_000));
        for (descr, error) in [
            ("'<f3'", UnknownType("<f3".into())),
            ("'<f8[ns]'", UnknownType("<f8[ns]".into())),
            ("'<M8[xs]'", UnknownType("<M8[xs]".into())),
            ("'<M8[0s]'", UnknownType("<M8[0s]".into())),
            ("'<é8'", UnknownType("<é8".into())),
            ("''", UnknownType(String::new())),
            ("'<float64'", UnknownType("<float64".into())),
            ("'<f8\u{7}'", UnknownType("<f8\u{7}".into())),
            ("'i4,f8'", SeveralTypes("i4,f8".into())),
            ("'3f8'", SeveralTypes("3f8".into())),
            ("'(2,3)f8'", SeveralTypes("(2,3)f8".into())),
            ("('<f8', (3,))", NotADescription),
            ("3", NotADescription),
            ("[('a',)]", NotADescription),
            ("[('a', '<f8', (-1,))]", NotADescription),
            ("[('a', '<f8', (3,), 4)]", NotADescription),
            (&long, TooLong(300_002)),
        ] {
            assert_eq!(Dtype::from_descr(descr), Err(error), "{descr}");
        }
        assert!(matches!(Dtype::from_descr("'<f8"), Err(DtypeError::Malformed(_))));
    }

    #[test]
    fn equality_looks_at_the_layout_and_not_at_the_spacing() {
        let narrow = Dtype::from_descr("[('a','<i4')]").unwrap();
        assert_eq!(narrow, Dtype::from_descr("[(\"a\", '<i4'), ]").unwrap());
        assert_ne!(narrow, Dtype::from_descr("[('b','<i4')]").unwrap());
        assert_ne!(Dtype::from_name(">f8").unwrap(), Dtype::from_name("<f8").unwrap());
    }

    #[test]
    fn json_has_the_short_name() {
        assert_eq!(serde_json::to_string(&Dtype::f64()).unwrap(), "\"f64\"");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in r#"[\[\]()'",<>|fiucmMSUVOb0-9 nsé]{0,40}"#, name in r"\PC{0,12}") {
            let _ = Dtype::from_descr(&text);
            let _ = Dtype::from_name(&text);
            let _ = Dtype::from_name(&name);
        }
    }
}
