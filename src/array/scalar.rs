//! A dtype without fields: NumPy writes it as `<f8`, people type it as `f64`.
//!
//! Source: <https://numpy.org/doc/stable/reference/arrays.interface.html#object.__array_interface__> (`typestr`).

use std::fmt;

use super::DtypeError;

/// The dtype of a value that has no fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scalar {
    pub(super) kind: Kind,
    pub(super) size_bytes: usize,
    /// False where the order of bytes does not matter.
    pub(super) big_endian: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
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
pub(super) struct Step {
    pub(super) multiple: u32,
    pub(super) unit: Option<&'static str>,
}

/// The little-endian numbers that ranges are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numeric {
    F64,
    F32,
    Int { size_bytes: usize },
    UInt { size_bytes: usize },
}

const TIME_UNITS: [&str; 13] = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"];

impl Scalar {
    /// Reads NumPy's form: `<f8`, `|S10`, `>M8[ns]`.
    pub(super) fn parse(text: &str) -> Result<Self, DtypeError> {
        let unknown = || DtypeError::UnknownType(shortened(text));
        let (order, rest) = match text.split_at_checked(1) {
            Some((order @ ("<" | ">" | "|"), rest)) => (order, rest),
            _ => ("|", text),
        };
        let (code, rest) = rest.split_at_checked(1).ok_or_else(unknown)?;
        if let "O" | "T" = code {
            return Err(DtypeError::Object);
        }
        let (digits, unit) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let (kind, valid_sizes): (Kind, &[usize]) = match code {
            "b" => (Kind::Bool, &[1]),
            "i" => (Kind::Int, &[1, 2, 4, 8]),
            "u" => (Kind::UInt, &[1, 2, 4, 8]),
            "f" => (Kind::Float, &[2, 4, 8, 12, 16]),
            "c" => (Kind::Complex, &[8, 16, 24, 32]),
            "M" => (Kind::DateTime(Step::parse(unit).ok_or_else(unknown)?), &[8]),
            "m" => (Kind::TimeDelta(Step::parse(unit).ok_or_else(unknown)?), &[8]),
            "S" | "a" => (Kind::Bytes, &[]),
            "U" => (Kind::Text, &[]),
            "V" => (Kind::Raw, &[]),
            _ => return Err(unknown()),
        };
        if !unit.is_empty() && !matches!(kind, Kind::DateTime(_) | Kind::TimeDelta(_)) {
            return Err(unknown());
        }
        if digits.is_empty() {
            return Err(unknown());
        }
        let number: usize = digits.parse().map_err(|_| DtypeError::TooLarge)?;
        if !valid_sizes.is_empty() && !valid_sizes.contains(&number) {
            return Err(unknown());
        }
        let size_bytes = number
            .checked_mul(if kind == Kind::Text { 4 } else { 1 })
            .ok_or(DtypeError::TooLarge)?;
        let order_matters = size_bytes > 1 && !matches!(kind, Kind::Bytes | Kind::Raw);
        if order_matters && order == "|" {
            return Err(DtypeError::NoByteOrder(shortened(text)));
        }
        Ok(Self {
            kind,
            size_bytes,
            big_endian: order_matters && order == ">",
        })
    }

    /// Reads a name without a byte order, in which sizes are in bits: `f64`, `float64`, `U5`, `datetime64[ns]`.
    pub(super) fn from_name(name: &str) -> Result<Self, DtypeError> {
        let unknown = || DtypeError::UnknownName(shortened(name));
        let digits_at = name.find(|c: char| c.is_ascii_digit()).unwrap_or(name.len());
        let (word, rest) = name.split_at(digits_at);
        let (bits, unit) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
        let code = match word {
            "bool" if rest.is_empty() => return Self::parse("|b1"),
            "S" | "U" | "V" => return Self::parse(&format!("<{name}")).map_err(|_| unknown()),
            "f" | "float" => "f",
            "i" | "int" => "i",
            "u" | "uint" => "u",
            "c" | "complex" => "c",
            "datetime" => "M",
            "timedelta" => "m",
            _ => return Err(unknown()),
        };
        let bits: usize = bits.parse().map_err(|_| unknown())?;
        if !bits.is_multiple_of(8) {
            return Err(unknown());
        }
        Self::parse(&format!("<{code}{}{unit}", bits / 8)).map_err(|_| unknown())
    }

    /// NumPy's form, in quotes.
    pub(super) fn descr(self) -> String {
        let order_matters = self.size_bytes > 1 && !matches!(self.kind, Kind::Bytes | Kind::Raw);
        let order = match (order_matters, self.big_endian) {
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
        format!("'{order}{code}{number}{unit}'")
    }

    pub(super) fn name(self) -> String {
        let bits = self.size_bytes * 8;
        let name = match self.kind {
            Kind::Bool => "bool".to_owned(),
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
    /// Reads `[ns]` or `[25ms]`, or nothing for no unit.
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self {
                multiple: 1,
                unit: None,
            });
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

/// A stranger's text, cut to a length that fits into a message.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
