//! A dtype without fields: NumPy writes it as `<f8`, people type it as `f64`.
//!
//! Source: <https://numpy.org/doc/stable/reference/arrays.interface.html#object.__array_interface__> (`typestr`).

use std::fmt;

/// The dtype of a value that has no fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::array) struct Scalar {
    pub(in crate::array) kind: Kind,
    pub(in crate::array) size_bytes: usize,
    /// False where the order of bytes does not matter.
    pub(in crate::array) big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::array) enum Kind {
    Bool,
    Int,
    UInt,
    Float,
    Complex,
    DateTime(Step),
    TimeDelta(Step),
    Bytes,
    Text,
    Raw,
}

/// The unit of a datetime: 25 milliseconds in `<M8[25ms]`, none in `<M8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::array) struct Step {
    pub(in crate::array) multiple: u32,
    pub(in crate::array) unit: Option<&'static str>,
}

/// The little-endian numbers that ranges are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::array) enum Numeric {
    F64,
    F32,
    Int { size_bytes: usize },
    UInt { size_bytes: usize },
}

const TIME_UNITS: [&str; 13] = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"];

impl Scalar {
    /// A scalar of that many bytes; without several bytes to order, it is not big-endian.
    pub(super) fn new(kind: Kind, size_bytes: usize, big_endian: bool) -> Self {
        let mut scalar = Self {
            kind,
            size_bytes,
            big_endian: false,
        };
        scalar.big_endian = big_endian && scalar.has_order();
        scalar
    }

    /// Whether the order of its bytes matters; NumPy names one for an empty text, too.
    fn has_order(self) -> bool {
        match self.kind {
            Kind::Text => true,
            Kind::Bytes | Kind::Raw => false,
            _ => self.size_bytes > 1,
        }
    }

    /// A Python literal of the type string.
    pub(super) fn descr(self) -> String {
        format!("'{}'", self.type_string())
    }

    /// NumPy's form, as NumPy writes it: `<f8`, `|u1`.
    pub(super) fn type_string(self) -> String {
        let order = match (self.has_order(), self.big_endian) {
            (false, _) => '|',
            (true, false) => '<',
            (true, true) => '>',
        };
        let (code, number, unit) = match self.kind {
            Kind::Bool => ('b', self.size_bytes, String::new()),
            Kind::Int => ('i', self.size_bytes, String::new()),
            Kind::UInt => ('u', self.size_bytes, String::new()),
            Kind::Float => ('f', self.size_bytes, String::new()),
            Kind::Complex => ('c', self.size_bytes, String::new()),
            Kind::DateTime(step) => ('M', self.size_bytes, step.to_string()),
            Kind::TimeDelta(step) => ('m', self.size_bytes, step.to_string()),
            Kind::Bytes => ('S', self.size_bytes, String::new()),
            Kind::Text => ('U', self.size_bytes / 4, String::new()),
            Kind::Raw => ('V', self.size_bytes, String::new()),
        };
        format!("{order}{code}{number}{unit}")
    }

    /// For people, who may type it: where a number in bits could be taken for one in bytes, NumPy's name.
    pub(super) fn name(self) -> String {
        let bits = self.size_bytes * 8;
        let name = match self.kind {
            Kind::Bool => "bool".to_owned(),
            Kind::Int if bits == 8 => "int8".to_owned(),
            Kind::Float if bits == 16 => "float16".to_owned(),
            Kind::Int => format!("i{bits}"),
            Kind::UInt => format!("u{bits}"),
            Kind::Float => format!("f{bits}"),
            Kind::Complex => format!("c{bits}"),
            Kind::DateTime(step) => format!("datetime64{step}"),
            Kind::TimeDelta(step) => format!("timedelta64{step}"),
            Kind::Bytes => format!("S{}", self.size_bytes),
            Kind::Text => format!("U{}", self.size_bytes / 4),
            Kind::Raw => format!("V{}", self.size_bytes),
        };
        if self.big_endian {
            format!("big-endian {name}")
        } else {
            name
        }
    }

    /// The number type in whose arithmetic a range of it is made.
    pub(super) fn numeric(self) -> Option<Numeric> {
        match (self.kind, self.size_bytes) {
            _ if self.big_endian => None,
            (Kind::Float, 8) => Some(Numeric::F64),
            (Kind::Float, 4) => Some(Numeric::F32),
            (Kind::Int, size_bytes) => Some(Numeric::Int { size_bytes }),
            (Kind::UInt, size_bytes) => Some(Numeric::UInt { size_bytes }),
            _ => None,
        }
    }
}

impl Step {
    /// No unit.
    pub(super) const NONE: Self = Self {
        multiple: 1,
        unit: None,
    };

    /// Reads `[ns]` or `[25ms]`, or nothing for no unit.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if matches!(text, "" | "[generic]") {
            return Some(Self::NONE);
        }
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let (digits, unit) = inner.split_at(inner.bytes().take_while(u8::is_ascii_digit).count());
        let multiple = if digits.is_empty() {
            1
        } else {
            // NumPy keeps it in a C int.
            digits.parse::<i32>().ok()?.unsigned_abs()
        };
        let unit = TIME_UNITS.into_iter().find(|known| *known == unit)?;
        (multiple > 0).then_some(Self {
            multiple,
            unit: Some(unit),
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.unit, self.multiple) {
            (None, _) => Ok(()),
            (Some(unit), 1) => write!(f, "[{unit}]"),
            (Some(unit), multiple) => write!(f, "[{multiple}{unit}]"),
        }
    }
}
