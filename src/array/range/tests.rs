use super::super::progression::MAX_EXACT_INDEX;
use super::*;
use bytemuck::Pod;
use proptest::prelude::*;

#[test]
fn fifty_million_floats_by_default() {
    let range = Range::parse("0:50e6", None).unwrap();
    assert_eq!(range.meta().to_string(), "f64 (50000000,)");
    assert_eq!(range.meta().byte_len(), 400_000_000);
    assert_eq!(elements::<f64>(&range, 49_999_998, 2), [49_999_998.0, 49_999_999.0]);
    assert_eq!(range.stop().to_string(), "50000000.0");
}

#[test]
fn floats_are_multiples_and_not_sums() {
    let range = Range::parse("0:1:0.1", None).unwrap();
    let expected: Vec<f64> = (0..10).map(|i| f64::from(i) * 0.1).collect();
    assert_eq!(elements::<f64>(&range, 0, 10), expected);
}

#[test]
fn the_first_two_elements_are_given_and_not_computed() {
    let range = Range::parse("-0.0:3", None).unwrap();
    assert!(elements::<f64>(&range, 0, 1)[0].is_sign_negative());
    // 1e16 + 1 rounds to 1e16, so that all are equal.
    let range = Range::parse("1e16:10000000000000004", None).unwrap();
    assert_eq!(elements::<f64>(&range, 0, 4), [1e16; 4]);
}

#[test]
fn integers_wrap_after_the_second_as_in_numpy() {
    let range = parse("254:258", "u8").unwrap();
    assert_eq!(elements::<u8>(&range, 0, 4), [254, 255, 0, 1]);
    let range = parse("5:0:-2", "i16").unwrap();
    assert_eq!(elements::<i16>(&range, 0, 3), [5, 3, 1]);
    let range = parse("18446744073709551613:18446744073709551616", "u64").unwrap();
    assert_eq!(elements::<u64>(&range, 2, 1), [u64::MAX]);
}

#[test]
fn an_integer_dtype_takes_whole_numbers_however_written() {
    assert_eq!(parse("0:1e6", "i32").unwrap().len(), 1_000_000);
    let exact = parse("9007199254740993e0:9007199254740995", "i64").unwrap();
    assert_eq!(elements::<i64>(&exact, 0, 1), [9_007_199_254_740_993]);
    let whole = Range::new(Number::Int(0), Number::Float(3.0), Number::Int(1), i32()).unwrap();
    assert_eq!(whole.len(), 3);
}

#[test]
fn empty_ranges_are_valid() {
    for text in ["0:0", "5:0", "0:5:-1", "300:0"] {
        for dtype in ["f64", "u8"] {
            assert!(parse(text, dtype).unwrap().is_empty(), "{text} {dtype}");
        }
    }
}

#[test]
fn a_quotient_too_small_for_a_float_is_one_element() {
    assert_eq!(Range::parse("0:5e-324:1e300", None).unwrap().len(), 1);
    assert_eq!(Range::parse("0:5e-324:-1e300", None).unwrap().len(), 0);
}

#[test]
fn mistakes_are_named() {
    for (text, dtype, message) in [
        ("0", "f64", r#""0" is not START:STOP or START:STOP:STEP"#),
        ("0:1:2:x", "f64", r#""0:1:2:x" is not START:STOP or START:STOP:STEP"#),
        ("0:x", "f64", r#""x" is not a number"#),
        ("0:", "f64", r#""" is not a number"#),
        ("0:5:0", "f64", "the step is zero: leave it out for 1"),
        ("0:5:-0.0", "f64", "the step is zero: leave it out for 1"),
        ("0:nan", "f64", "nan is not finite"),
        ("0:1e999", "f64", "inf is not finite"),
        ("0:1:inf", "f32", "inf is not finite"),
        ("0:0.5", "i32", r#""0.5" is not a whole number"#),
        ("0:inf", "i32", r#""inf" is not a number"#),
        ("-1:5", "u8", "-1 does not fit u8"),
        ("0:400:200", "int8", "200 does not fit int8"),
        ("1e39:2e39:1e38", "f32", "1e+39 does not fit f32"),
        ("0:2e18", "f64", "the range has too many elements"),
        ("0:1e300", "f64", "the range has too many elements"),
        ("-1.7e308:1.7e308:1e308", "f64", "the range has too many elements"),
        (
            "0:5",
            ">f8",
            "a range of big-endian f64 is not possible, only of integers, f32 and f64, little-endian",
        ),
        (
            "0:5",
            "bool",
            "a range of bool is not possible, only of integers, f32 and f64, little-endian",
        ),
    ] {
        assert_eq!(parse(text, dtype).unwrap_err().to_string(), message, "{text}");
    }
    let half = Range::new(Number::Int(0), Number::Float(0.5), Number::Int(1), i32());
    assert_eq!(
        half.unwrap_err().to_string(),
        "0.5 is not a whole number, which i32 needs"
    );
    let huge = Range::new(Number::Int(i128::MIN), Number::Int(1), Number::Int(1), i32());
    assert!(matches!(huge, Err(RangeError::Number(NumberError::TooLarge(_)))));
}

#[test]
fn the_quotient_of_ints_is_rounded_once() {
    for (a, b, quotient) in [
        ((1 << 53) + 1, 1, 9_007_199_254_740_992.0),
        ((1 << 53) + 1, 2, 4_503_599_627_370_496.5),
        (-7, 2, -3.5),
        (7, -2, -3.5),
        (0, 5, 0.0),
        (1, 3, 1.0 / 3.0),
        (3 * (1 << 60) + 1, 1 << 60, 3.0),
        (1 << 120, 1, 2_f64.powi(120)),
        (1, 1 << 120, 2_f64.powi(-120)),
    ] {
        assert_eq!(divide(a, b).to_bits(), f64::to_bits(quotient), "{a} / {b}");
    }
}

#[test]
fn a_counter_beyond_exact_floats_is_still_right() {
    let range = parse("0:9e15", "f32").unwrap();
    let far = MAX_EXACT_INDEX - 3;
    let expected: Vec<f32> = (far..far + 40).map(|i| i as f32).collect();
    assert_eq!(elements::<f32>(&range, far, 40), expected);
    assert_eq!(elements::<f32>(&range, u64::MAX - 1, 1), [u64::MAX as f32]);
}

#[test]
fn bytes_after_the_last_whole_element_stay() {
    let mut out = [7; 11];
    Range::parse("1:9", None).unwrap().fill(0, &mut out);
    assert_eq!(out[..8], 1_f64.to_le_bytes());
    assert_eq!(out[8..], [7; 3]);
}

proptest! {
    #[test]
    fn pieces_at_any_alignment_equal_the_whole(
        dtype in prop::sample::select(vec!["f64", "f32", "int8", "u16", "i32", "u64"]),
        start in -100_i32..100,
        step in prop::sample::select(vec!["1", "-3", "7", "1e2"]),
        cuts in prop::collection::vec(1_usize..700, 1..8),
        shift in 0_usize..8,
    ) {
        let numeric = parse("0:1", dtype).unwrap().dtype().numeric().unwrap();
        let start = if matches!(numeric, Numeric::UInt { .. }) { 100 + start } else { start };
        let stop = if step.starts_with('-') { -9_000_000 } else { 9_000_000 };
        let text = format!("{start}:{stop}:{step}");
        let range = match parse(&text, dtype) {
            Err(RangeError::OutOfBounds { .. }) => return Ok(()),
            range => range.unwrap(),
        };
        let size = range.dtype().item_size();
        let mut whole = vec![0; cuts.iter().sum::<usize>() * size];
        range.fill(0, &mut whole);

        let mut pieces = vec![0; shift];
        let mut index = 0;
        for count in cuts {
            let at = pieces.len();
            pieces.resize(at + count * size, 0);
            range.fill(index, &mut pieces[at..]);
            index += count as u64;
        }
        prop_assert!(pieces[shift..] == whole);
    }

    #[test]
    fn no_text_panics(text in "[-0-9.e:_+infa]{0,24}") {
        for dtype in ["f64", "f32", "int8", "u64"] {
            if let Ok(range) = parse(&text, dtype) {
                range.fill(range.len(), &mut [0; 64]);
            }
        }
    }
}

fn parse(text: &str, dtype: &str) -> Result<Range, RangeError> {
    Range::parse(text, Some(Dtype::from_name(dtype).unwrap()))
}

fn i32() -> Dtype {
    Dtype::from_name("i32").unwrap()
}

fn elements<T: Pod>(range: &Range, first_index: u64, count: usize) -> Vec<T> {
    let mut elements = vec![T::zeroed(); count];
    range.fill(first_index, bytemuck::cast_slice_mut(&mut elements));
    elements
}
