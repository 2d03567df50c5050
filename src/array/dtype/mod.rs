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
mod tests;
