//! The words for a type without fields: NumPy's own, such as `<f8`, `d` and `float64`, and those that people type with
//! the size in bits, such as `f64`.
//!
//! Source: `numpy.dtype` of a string, as NumPy 2 has it on 64-bit Linux; `tests/npy_numpy.rs` compares.

use super::DtypeError;
use super::scalar::{Kind, Scalar, Step};

/// NumPy's codes of one letter. A byte order may stand before them.
const CODES: [(&str, Kind, usize); 28] = [
    ("?", Kind::Bool, 1),
    ("b", Kind::Int, 1),
    ("h", Kind::Int, 2),
    ("i", Kind::Int, 4),
    ("l", Kind::Int, 8),
    ("q", Kind::Int, 8),
    ("p", Kind::Int, 8),
    ("n", Kind::Int, 8),
    ("B", Kind::UInt, 1),
    ("H", Kind::UInt, 2),
    ("I", Kind::UInt, 4),
    ("L", Kind::UInt, 8),
    ("Q", Kind::UInt, 8),
    ("P", Kind::UInt, 8),
    ("N", Kind::UInt, 8),
    ("e", Kind::Float, 2),
    ("f", Kind::Float, 4),
    ("d", Kind::Float, 8),
    ("g", Kind::Float, 16),
    ("F", Kind::Complex, 8),
    ("D", Kind::Complex, 16),
    ("G", Kind::Complex, 32),
    ("M", Kind::DateTime(Step::NONE), 8),
    ("m", Kind::TimeDelta(Step::NONE), 8),
    ("c", Kind::Bytes, 1),
    ("S", Kind::Bytes, 0),
    ("U", Kind::Text, 0),
    ("V", Kind::Raw, 0),
];

/// NumPy's names, for the codes that they stand for. No byte order stands before them.
const NAMES: [(&str, &str); 48] = [
    ("bool", "?"),
    ("bool_", "?"),
    ("byte", "b"),
    ("short", "h"),
    ("intc", "i"),
    ("int", "l"),
    ("int_", "l"),
    ("long", "l"),
    ("intp", "p"),
    ("longlong", "q"),
    ("int8", "b"),
    ("int16", "h"),
    ("int32", "i"),
    ("int64", "l"),
    ("ubyte", "B"),
    ("ushort", "H"),
    ("uintc", "I"),
    ("uint", "L"),
    ("ulong", "L"),
    ("uintp", "P"),
    ("ulonglong", "Q"),
    ("uint8", "B"),
    ("uint16", "H"),
    ("uint32", "I"),
    ("uint64", "L"),
    ("half", "e"),
    ("single", "f"),
    ("double", "d"),
    ("float", "d"),
    ("longdouble", "g"),
    ("float16", "e"),
    ("float32", "f"),
    ("float64", "d"),
    ("float128", "g"),
    ("csingle", "F"),
    ("cdouble", "D"),
    ("complex", "D"),
    ("clongdouble", "G"),
    ("complex64", "F"),
    ("complex128", "D"),
    ("complex256", "G"),
    ("a", "S"),
    ("bytes", "S"),
    ("bytes_", "S"),
    ("str", "U"),
    ("str_", "U"),
    ("unicode", "U"),
    ("void", "V"),
];

/// The words whose number counts bits for one reader and bytes for another.
const AMBIGUOUS: [(&str, &str, &str); 2] = [("i8", "int8", "int64"), ("f16", "float16", "float128")];

/// Reads a word of NumPy's: `<f8`, `f8`, `d`, `float64`, `S10`, `>M8[ns]`. Without a byte order it is little-endian.
pub(super) fn parse(text: &str) -> Result<Scalar, DtypeError> {
    let order = text.chars().next().filter(|c| "<>=|".contains(*c));
    let word = &text[order.map_or(0, char::len_utf8)..];
    let word = match NAMES.iter().find(|(name, _)| order.is_none() && *name == word) {
        Some((_, code)) => code,
        None => word,
    };
    let (kind, size_bytes) = match CODES.iter().find(|(code, ..)| *code == word) {
        Some((_, kind, size_bytes)) => (*kind, *size_bytes),
        None => sized(word).ok_or_else(|| refused(text, word))??,
    };
    Ok(Scalar::new(kind, size_bytes, order == Some('>')))
}

/// Reads what people type: a name in bits such as `f64`, or a word of NumPy's.
pub(super) fn typed(name: &str) -> Result<Scalar, DtypeError> {
    if let Some((typed, bits, bytes)) = AMBIGUOUS.into_iter().find(|(word, ..)| *word == name) {
        return Err(DtypeError::Ambiguous { typed, bits, bytes });
    }
    in_bits(name)
        .map_or_else(|| parse(name), Ok)
        .map_err(|error| match error {
            DtypeError::UnknownType(_) => DtypeError::UnknownName(shortened(name)),
            error => error,
        })
}

/// A letter and a size in bits: `f64`, `u8`. `None` where NumPy's word of this form is meant.
fn in_bits(name: &str) -> Option<Scalar> {
    let (letter, bits) = name.split_at_checked(1)?;
    let bits: usize = bits.parse().ok().filter(|_| !bits.starts_with('+'))?;
    let bytes = bits.is_multiple_of(8).then_some(bits / 8)?;
    let (kind, size_bytes) = sized(&format!("{letter}{bytes}"))?.ok()?;
    let is_number = matches!(kind, Kind::Int | Kind::UInt | Kind::Float | Kind::Complex);
    is_number.then(|| Scalar::new(kind, size_bytes, false))
}

/// A letter and a number: `f8`, `S10`, `M8[ns]`. `None` where it is no such word.
fn sized(word: &str) -> Option<Result<(Kind, usize), DtypeError>> {
    let (letter, rest) = match word.strip_prefix("datetime64") {
        Some(unit) => return Some(Ok((Kind::DateTime(Step::parse(unit)?), 8))),
        None => word.split_at_checked(1)?,
    };
    if let Some(unit) = word.strip_prefix("timedelta64") {
        return Some(Ok((Kind::TimeDelta(Step::parse(unit)?), 8)));
    }
    let (digits, unit) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
    let (kind, valid_sizes): (Kind, &[usize]) = match letter {
        "b" => (Kind::Bool, &[1]),
        "i" => (Kind::Int, &[1, 2, 4, 8]),
        "u" => (Kind::UInt, &[1, 2, 4, 8]),
        // 12 and 24 are those of 32-bit machines.
        "f" => (Kind::Float, &[2, 4, 8, 12, 16]),
        "c" => (Kind::Complex, &[8, 16, 24, 32]),
        "M" => (Kind::DateTime(Step::parse(unit)?), &[8]),
        "m" => (Kind::TimeDelta(Step::parse(unit)?), &[8]),
        "S" | "a" => (Kind::Bytes, &[]),
        "U" => (Kind::Text, &[]),
        "V" => (Kind::Raw, &[]),
        _ => return None,
    };
    let has_unit = matches!(kind, Kind::DateTime(_) | Kind::TimeDelta(_));
    if digits.is_empty() || !has_unit && !unit.is_empty() {
        return None;
    }
    let Ok(number) = digits.parse::<usize>() else {
        return Some(Err(DtypeError::TooLarge));
    };
    if !valid_sizes.is_empty() && !valid_sizes.contains(&number) {
        return None;
    }
    let unit_bytes = if kind == Kind::Text { 4 } else { 1 };
    let size_bytes = number.checked_mul(unit_bytes).ok_or(DtypeError::TooLarge);
    Some(size_bytes.map(|size_bytes| (kind, size_bytes)))
}

/// Why a word is none of these.
fn refused(text: &str, word: &str) -> DtypeError {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    // NumPy passes over the size of an object.
    if matches!(word, "object" | "object_") || word.strip_prefix(['O', 'T']).is_some_and(digits) {
        return DtypeError::Object;
    }
    let repeated = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_repeated = repeated.len() < text.len() && parse(repeated).is_ok();
    if is_repeated || text.starts_with('(') || text.contains(',') {
        return DtypeError::SeveralTypes(shortened(text));
    }
    DtypeError::UnknownType(shortened(text))
}

/// A stranger's text, cut to a length that fits into a message.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}
