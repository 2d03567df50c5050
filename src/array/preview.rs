//! Elements as text: numbers as NumPy prints them, everything else in at most some 80 characters.

use std::fmt::{self, Write};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Dtype;
use super::datetime::{show_datetime, show_timedelta};
use super::dtype::Layout;
use super::dtype::scalar::{Kind, Scalar};
use super::number::show_float;

/// One element, for a table or for JSON.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A bool.
    Bool(bool),
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width.
    UInt(u64),
    /// A 64-bit float.
    Float(f64),
    /// A 32-bit float; for a 16-bit one, the number of few digits that rounds to it.
    Float32(f32),
    /// Anything else in at most some 80 characters.
    Text(String),
}

/// Long texts end here, in characters.
const MAX_TEXT_CHARS: usize = 80;

/// The elements that `bytes` begins with, as they lie in memory; a part of an element at the end is left out.
///
/// ```
/// # use arraylift::{Dtype, Value, values};
/// let big_endian = Dtype::from_name(">i2")?;
/// assert_eq!(values(&big_endian, &[0, 1, 1, 0]), [Value::Int(1), Value::Int(256)]);
/// # Ok::<(), arraylift::DtypeError>(())
/// ```
#[must_use]
pub fn values(dtype: &Dtype, bytes: &[u8]) -> Vec<Value> {
    bytes
        .chunks_exact(dtype.item_size())
        .map(|item| match dtype.layout() {
            Layout::Scalar(scalar) => scalar_value(*scalar, item),
            layout => {
                let mut text = String::new();
                write_layout(&mut text, layout, item);
                Value::Text(shortened(text))
            }
        })
        .collect()
}

/// As Python prints it, a float in the fewest digits of its own type: `0.0`, `0.1`, `1e+20`, `nan`, `True`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.pad("True"),
            Self::Bool(false) => f.pad("False"),
            Self::Int(int) => fmt::Display::fmt(int, f),
            Self::UInt(int) => fmt::Display::fmt(int, f),
            Self::Float(float) => f.pad(&show_float(*float)),
            Self::Float32(float) => f.pad(&show_float(same_digits(*float))),
            Self::Text(text) => f.pad(text),
        }
    }
}

/// Numbers as JSON numbers. Those that JSON does not have are the strings `nan`, `inf` and `-inf`.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Int(int) => serializer.serialize_i64(*int),
            Self::UInt(int) => serializer.serialize_u64(*int),
            Self::Float(float) if float.is_finite() => serializer.serialize_f64(*float),
            Self::Float32(float) if float.is_finite() => serializer.serialize_f32(*float),
            Self::Float(_) | Self::Float32(_) => serializer.collect_str(self),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// A value that is read back prints the same. Its width is lost, because JSON does not have it.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Told {
            Bool(bool),
            Int(i64),
            UInt(u64),
            Float(f64),
            Text(String),
        }
        Ok(match Told::deserialize(deserializer)? {
            Told::Bool(bool) => Self::Bool(bool),
            Told::Int(int) => Self::Int(int),
            Told::UInt(int) => Self::UInt(int),
            Told::Float(float) => Self::Float(float),
            Told::Text(text) => Self::Text(text),
        })
    }
}

/// `item` has the size of `scalar`.
fn scalar_value(scalar: Scalar, item: &[u8]) -> Value {
    let text = match (scalar.kind, scalar.size_bytes) {
        (Kind::Bool, _) => return Value::Bool(item != [0]),
        (Kind::Int, _) => return Value::Int(signed(scalar, item)),
        (Kind::UInt, _) => return Value::UInt(unsigned(scalar, item)),
        (Kind::Float, 2..=8) => return float(scalar, item),
        (Kind::Complex, 8 | 16) => show_complex(scalar, item),
        (Kind::DateTime(step), _) => show_datetime(signed(scalar, item), step),
        (Kind::TimeDelta(step), _) => show_timedelta(signed(scalar, item), step),
        (Kind::Bytes, _) => show_bytes(item),
        (Kind::Text, _) => show_text(scalar, item),
        // Long doubles differ between machines: their bytes are shown.
        (Kind::Raw | Kind::Float | Kind::Complex, _) => show_raw(item),
    };
    Value::Text(shortened(text))
}

/// A record as `(1, 2.0)`, an array in it as `[1, 2]`. Stops when the text is longer than what is shown.
fn write_layout(text: &mut String, layout: &Layout, item: &[u8]) {
    match layout {
        // Writing to a string cannot fail.
        Layout::Scalar(scalar) => _ = write!(text, "{}", scalar_value(*scalar, item)),
        Layout::Array { item: inner, .. } => {
            let size = inner.size_bytes().unwrap_or_default().max(1);
            write_list(text, ['[', ']'], item.chunks_exact(size).map(|item| (&**inner, item)));
        }
        Layout::Record(fields) => {
            let mut rest = item;
            let parts = fields.iter().map_while(|field| {
                let (item, after) = rest.split_at_checked(field.layout.size_bytes()?)?;
                rest = after;
                Some((field, item))
            });
            write_list(
                text,
                ['(', ')'],
                parts
                    .filter(|(field, _)| !field.name.is_empty())
                    .map(|(field, item)| (&field.layout, item)),
            );
        }
    }
}

fn write_list<'a>(text: &mut String, [open, close]: [char; 2], items: impl Iterator<Item = (&'a Layout, &'a [u8])>) {
    text.push(open);
    for (index, (layout, item)) in items.enumerate() {
        if text.len() > MAX_TEXT_CHARS * 4 {
            return;
        }
        if index > 0 {
            text.push_str(", ");
        }
        write_layout(text, layout, item);
    }
    text.push(close);
}

fn float(scalar: Scalar, item: &[u8]) -> Value {
    let bits = unsigned(scalar, item);
    // The size of the scalar is the width of its bits.
    #[allow(clippy::cast_possible_truncation)]
    match scalar.size_bytes {
        2 => Value::Float32(half(bits as u16)),
        4 => Value::Float32(f32::from_bits(bits as u32)),
        _ => Value::Float(f64::from_bits(bits)),
    }
}

/// The `f64` that prints with the digits of this `f32`: 0.1 rather than 0.10000000149011612.
fn same_digits(float: f32) -> f64 {
    float.to_string().parse().unwrap_or_else(|_| float.into())
}

/// A 16-bit float as the nearest number of few digits that rounds to it, as NumPy prints it: 0.1 and not 0.099975586.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let magnitude = bits & 0x7fff;
    let shortest = match magnitude {
        0 => 0.0,
        HALF_INFINITY => f32::INFINITY,
        HALF_NAN.. => f32::NAN,
        _ => {
            let exact = finite_half(magnitude);
            let low = f32::midpoint(finite_half(magnitude - 1), exact);
            let high = f32::midpoint(exact, finite_half(magnitude + 1));
            (0..5)
                .filter_map(|digits| format!("{exact:.digits$e}").parse().ok())
                .find(|&rounded| {
                    let inside = low < rounded && rounded < high;
                    // A tie goes to the even one.
                    inside || magnitude.is_multiple_of(2) && (low..=high).contains(&rounded)
                })
                .unwrap_or(exact)
        }
    };
    shortest * sign
}

/// The same of a number that is a 16-bit float. The exponent of one is 15 above its own, and that of an `f32` 127.
pub(super) fn shortest_half(float: f32) -> f32 {
    let bits = (float.abs() * 2_f32.powi(15 - 127)).to_bits() >> 13;
    half(u16::try_from(bits).unwrap_or(HALF_INFINITY)).copysign(float)
}

const HALF_INFINITY: u16 = 0x7c00;
const HALF_NAN: u16 = HALF_INFINITY + 1;

/// The value of a positive 16-bit float, exactly: 5 bits of exponent, 10 of fraction.
fn finite_half(bits: u16) -> f32 {
    let exponent = i32::from(bits >> 10);
    let fraction = f32::from(bits & 0x3ff) / 1024.0;
    if exponent == 0 {
        fraction * 2_f32.powi(-14)
    } else {
        (1.0 + fraction) * 2_f32.powi(exponent - 15)
    }
}

fn show_complex(scalar: Scalar, item: &[u8]) -> String {
    let part = Scalar {
        kind: Kind::Float,
        size_bytes: scalar.size_bytes / 2,
        ..scalar
    };
    let (real, imaginary) = item.split_at(part.size_bytes);
    let imaginary = float(part, imaginary).to_string();
    let plus = if imaginary.starts_with('-') { "" } else { "+" };
    format!("{}{plus}{imaginary}j", float(part, real))
}

/// ASCII as it is, other bytes escaped; the zeros at the end are padding.
fn show_bytes(item: &[u8]) -> String {
    let end = item.iter().rposition(|&byte| byte != 0).map_or(0, |i| i + 1);
    item[..end.min(MAX_TEXT_CHARS + 1)].escape_ascii().to_string()
}

/// UTF-32 with zeros at the end as padding. A code that is no character becomes U+FFFD.
fn show_text(scalar: Scalar, item: &[u8]) -> String {
    let unit = Scalar {
        size_bytes: 4,
        ..scalar
    };
    let text: String = item
        .chunks_exact(4)
        .take(MAX_TEXT_CHARS + 1)
        .map(|item| {
            u32::try_from(unsigned(unit, item))
                .ok()
                .and_then(char::from_u32)
                .unwrap_or(char::REPLACEMENT_CHARACTER)
        })
        .collect();
    // A stranger's line breaks and escape sequences stay out of tables and terminals.
    text.trim_end_matches('\0')
        .chars()
        .map(|c| {
            if crate::text::is_hidden(c) {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

fn show_raw(item: &[u8]) -> String {
    item.iter()
        .take(MAX_TEXT_CHARS)
        .fold("0x".to_owned(), |mut text, byte| {
            // Writing to a string cannot fail.
            _ = write!(text, "{byte:02x}");
            text
        })
}

fn signed(scalar: Scalar, item: &[u8]) -> i64 {
    let unused_bits = 64 - scalar.size_bytes * 8;
    // Shifted up and back down, the sign fills the unused bits.
    (unsigned(scalar, item) << unused_bits).cast_signed() >> unused_bits
}

/// The unsigned integer that `item`, of 1 to 8 bytes, is in the byte order of `scalar`.
fn unsigned(scalar: Scalar, item: &[u8]) -> u64 {
    let push = |int: u64, byte: &u8| int << 8 | u64::from(*byte);
    if scalar.big_endian {
        item.iter().fold(0, push)
    } else {
        item.iter().rev().fold(0, push)
    }
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_TEXT_CHARS) {
        Some((end, _)) => text[..end].to_owned() + "…",
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_their_type_and_byte_order() {
        assert_eq!(shown("<f8", &1.5_f64.to_le_bytes()), "1.5");
        assert_eq!(shown(">f8", &1.5_f64.to_be_bytes()), "1.5");
        assert_eq!(shown("<f4", &0.1_f32.to_le_bytes()), "0.1");
        assert_eq!(shown("<i2", &(-2_i16).to_le_bytes()), "-2");
        assert_eq!(shown(">i4", &(-3_i32).to_be_bytes()), "-3");
        assert_eq!(shown("<i8", &i64::MIN.to_le_bytes()), i64::MIN.to_string());
        assert_eq!(shown("<u8", &u64::MAX.to_le_bytes()), u64::MAX.to_string());
        assert_eq!(shown("|i1", &[0xff]), "-1");
        assert_eq!(shown("|u1", &[0xff]), "255");
        assert_eq!(shown("|b1", &[1]), "True");
    }

    #[test]
    fn zeros_are_the_zero_of_their_type() {
        for (dtype, zero) in [
            ("<f8", "0.0"),
            ("<f4", "0.0"),
            ("<f2", "0.0"),
            ("<i4", "0"),
            ("|u1", "0"),
            ("|b1", "False"),
            ("<c16", "0.0+0.0j"),
            ("<M8[D]", "1970-01-01"),
            ("|S3", ""),
            ("<U3", ""),
            ("|V2", "0x0000"),
            ("[('a', '<i4'), ('b', '<f8', (2,))]", "(0, [0.0, 0.0])"),
        ] {
            assert_eq!(shown(dtype, &[0; 64]), zero, "{dtype}");
        }
    }

    #[test]
    fn halves_have_the_digits_that_numpy_prints() {
        for (bits, value) in [
            (0x3c00, "1.0"),
            (0xc000, "-2.0"),
            (0x2e66, "0.1"),
            (0x7bff, "65500.0"),
            (0x0001, "6e-08"),
            (0x0400, "6.104e-05"),
            (0x7c00, "inf"),
            (0xfc00, "-inf"),
            (0x7e00, "nan"),
            (0x8000, "-0.0"),
        ] {
            assert_eq!(Value::Float32(half(bits)).to_string(), value, "{bits:x}");
        }
    }

    #[test]
    fn everything_else_is_a_short_text() {
        assert_eq!(shown("<c8", &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]), "1.0-2.0j");
        assert_eq!(shown("|S6", b"a\n\xff\0b\0"), "a\\n\\xff\\x00b");
        assert_eq!(shown("<U3", b"\xe9\0\0\0\x1b\0\0\0\0\0\0\0"), "é\\u{1b}");
        assert_eq!(shown(">U1", b"\0\x11\0\0"), "\u{fffd}");
        assert_eq!(shown("<f16", &[1; 16]), "0x01010101010101010101010101010101");
        assert_eq!(
            shown("[('a', '|i1'), ('', '|V2'), ('b', '>u2')]", &[1, 9, 9, 0, 2]),
            "(1, 2)"
        );
    }

    #[test]
    fn long_elements_are_cut() {
        for dtype in ["|S1000000", "<U300000", "|V1000000", "[('a', '|u1', (1000000,))]"] {
            let text = shown(dtype, &vec![b'1'; 1_200_000]);
            assert_eq!(text.chars().count(), MAX_TEXT_CHARS + 1, "{dtype}");
            assert!(text.ends_with('…'));
        }
    }

    #[test]
    fn a_part_of_an_element_is_left_out() {
        assert_eq!(values(&Dtype::f32(), &[0; 11]).len(), 2);
    }

    #[test]
    fn json_has_numbers_and_names_for_what_is_no_number() {
        let json = |values: &[Value]| serde_json::to_string(values).unwrap();
        assert_eq!(
            json(&[
                Value::Bool(true),
                Value::Int(-1),
                Value::UInt(u64::MAX),
                Value::Float(1.0),
                Value::Float32(0.1),
                Value::Text("a".into()),
            ]),
            r#"[true,-1,18446744073709551615,1.0,0.1,"a"]"#
        );
        assert_eq!(
            json(&[
                Value::Float(f64::NAN),
                Value::Float(f64::INFINITY),
                Value::Float32(f32::NEG_INFINITY),
            ]),
            r#"["nan","inf","-inf"]"#
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            descr in prop::sample::select(vec![
                "'<f2'", "'>f8'", "'>f12'", "'<c16'", "'<c32'", "'|b1'", "'<M8[25as]'", "'>M8[Y]'", "'<m8'", "'|S7'",
                "'>U3'", "'|V5'", "[('a', '<U0', (9,)), ('b', [('c', '<i2'), ('', '|V1')], (2, 2))]",
            ]),
        ) {
            let dtype = Dtype::from_descr(descr).unwrap();
            let values = values(&dtype, &bytes);
            prop_assert_eq!(values.len(), bytes.len() / dtype.item_size());
            for value in values {
                prop_assert!(value.to_string().chars().count() <= MAX_TEXT_CHARS + 1);
            }
        }
    }

    fn shown(dtype: &str, bytes: &[u8]) -> String {
        values(&Dtype::from_name(dtype).unwrap(), bytes)[0].to_string()
    }
}
