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

/// The unit of a datetime: 25 milliseconds in `<M8[25ms]`, an hour in `<M8[D/24]`, none in `<M8`.
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

    /// Reads `[ns]`, `[25ms]` or `[D/24]`, or nothing for no unit.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::NONE);
        }
        let inner = text.strip_prefix('[')?.strip_suffix(']')?;
        let at = inner.find(|c: char| c.is_alphabetic()).filter(|at| *at > 0);
        let (multiple, unit) = match at {
            Some(at) => (positive(&inner[..at])?, &inner[at..]),
            None => (1, inner),
        };
        let (unit, divisor) = match unit.split_once('/') {
            Some((unit, divisor)) => (unit, positive(divisor)?),
            None => (unit, 1),
        };
        match unit {
            "generic" => (divisor == 1).then_some(Self::NONE),
            "μs" => Self::divided(multiple, "us", divisor),
            _ => Self::divided(multiple, unit, divisor),
        }
    }

    /// So many of that unit, divided: in the first smaller unit of which this is a whole number. NumPy writes no other
    /// form into files.
    fn divided(multiple: u32, unit: &str, divisor: u32) -> Option<Self> {
        let unit = TIME_UNITS.into_iter().find(|known| *known == unit)?;
        if divisor == 1 {
            let unit = Some(unit);
            return Some(Self { multiple, unit });
        }
        let (per_unit, smaller) = smaller_units(unit).find(|(per_unit, _)| per_unit % divisor == 0)?;
        // NumPy keeps it in a C int.
        let multiple = multiple.checked_mul(per_unit / divisor)?;
        (i32::try_from(multiple).is_ok()).then_some(Self {
            multiple,
            unit: Some(smaller),
        })
    }
}

/// The units that NumPy divides a unit into, and how many of each it takes one to be: four weeks are a month there.
fn smaller_units(unit: &str) -> impl Iterator<Item = (u32, &'static str)> {
    let known: &[(u32, &str)] = match unit {
        "Y" => &[(12, "M"), (52, "W"), (365, "D")],
        "M" => &[(4, "W"), (30, "D"), (720, "h")],
        "W" => &[(7, "D"), (168, "h"), (10_080, "m")],
        "D" => &[(24, "h"), (1440, "m"), (86_400, "s")],
        "h" => &[(60, "m"), (3600, "s")],
        "m" => &[(60, "s"), (60_000, "ms")],
        _ => &[],
    };
    let at = TIME_UNITS.iter().position(|one| *one == unit);
    let below = at
        .filter(|_| known.is_empty())
        .map_or(&[][..], |at| &TIME_UNITS[at + 1..]);
    let thousandths = [1000, 1_000_000].into_iter().zip(below.iter().copied());
    known.iter().copied().chain(thousandths)
}

/// A number from 1 on as C's `strtol` reads one, which NumPy keeps in a C int: blanks and a sign may stand before it.
fn positive(text: &str) -> Option<u32> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse::<i32>().ok().filter(|number| is_number && *number > 0)?;
    Some(number.unsigned_abs())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divided_unit_is_what_numpy_makes_of_it() {
        for (text, read) in [
            ("[D/24]", "[h]"),
            ("[3D/24]", "[3h]"),
            ("[D/ +024]", "[h]"),
            ("[Y/5]", "[73D]"),
            ("[M/4]", "[W]"),
            ("[W/9]", "[1120m]"),
            ("[h/8]", "[450s]"),
            ("[m/8]", "[7500ms]"),
            ("[s/16]", "[62500us]"),
            ("[fs/1000]", "[as]"),
            ("[as/1]", "[as]"),
            ("[μs/2]", "[500ns]"),
            ("[2147483647D/24]", "[2147483647h]"),
            ("[ +3D]", "[3D]"),
            ("[generic/1]", ""),
            ("[10generic]", ""),
        ] {
            let step = Step::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(step.to_string(), read, "{text}");
        }
        // NumPy takes the last three, and makes nonsense of them: no time, a time that runs backwards, another number.
        for text in [
            "[D/7]",
            "[as/2]",
            "[D/]",
            "[/24]",
            "[D /24]",
            "[ D]",
            "[D/24/2]",
            "[D/24 ]",
            "[D/0x18]",
            "[generic/2]",
            "[3]",
            "[3 D]",
            "[-1D]",
            "[D/0]",
            "[W/11]",
            "[D/-24]",
            "[999999999Y/2]",
        ] {
            assert_eq!(Step::parse(text), None, "{text}");
        }
    }
}
