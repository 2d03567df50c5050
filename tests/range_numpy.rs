//! Ranges have the very bytes of `numpy.arange`.
//!
//! `ARRAYLIFT_PYTHON=python3 cargo test -- --ignored`, with a Python that has NumPy 2.
// Start, stop and step are NumPy's words.
#![allow(clippy::expect_used, clippy::similar_names)]

use std::fmt::Write;

use arraylift::{Dtype, Range};

mod numpy;

/// A dtype and START:STOP:STEP.
type Case = (&'static str, String);

const DTYPES: [&str; 10] = ["f64", "f32", "int8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];

/// Answers each line `dtype start stop step` with the number of elements and their bytes, or with -1 for an error.
const ORACLE: &str = r"
import ast, struct, sys, warnings
import numpy
warnings.simplefilter('ignore')
for line in sys.stdin:
    dtype, *numbers = line.split()
    numbers = [ast.literal_eval(n) for n in numbers]
    if dtype[1] != 'f':
        numbers = [int(n) for n in numbers]
    try:
        a = numpy.arange(*numbers, dtype=dtype)
    except (ValueError, OverflowError, ZeroDivisionError):
        sys.stdout.buffer.write(struct.pack('<q', -1))
    else:
        sys.stdout.buffer.write(struct.pack('<q', len(a)) + a.tobytes())
";

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with numpy"]
fn ranges_have_the_bytes_of_numpy_arange() {
    let cases: Vec<Case> = nasty_cases().into_iter().chain(random_cases(600)).collect();
    let answers = numpy::run(ORACLE, &questions(&cases));
    let mut answers = answers.as_slice();
    let mut agreed = 0;
    for (dtype_name, text) in &cases {
        let dtype = Dtype::from_name(dtype_name).expect("a dtype");
        let item_size = dtype.item_size();
        let (count, rest) = answers.split_first_chunk().expect("an answer");
        answers = rest;
        let range = Range::parse(text, Some(dtype));
        let Ok(count) = usize::try_from(i64::from_le_bytes(*count)) else {
            assert!(range.is_err(), "numpy refuses {text} as {dtype_name}");
            continue;
        };
        let (expected, rest) = answers.split_at(count * item_size);
        answers = rest;
        let range = range.unwrap_or_else(|error| panic!("{text} as {dtype_name}: {error}"));
        assert_eq!(range.len(), count as u64, "{text} as {dtype_name}");
        let mut bytes = vec![0; count * item_size];
        range.fill(0, &mut bytes);
        let differs = (0..count).find(|i| {
            let item = i * item_size..(i + 1) * item_size;
            bytes[item.clone()] != expected[item]
        });
        assert_eq!(differs, None, "{text} as {dtype_name}");
        agreed += 1;
    }
    assert!(answers.is_empty());
    assert!(agreed > 500, "only {agreed} ranges were compared");
}

fn nasty_cases() -> Vec<Case> {
    let floats = [
        "0:1:0.1",
        "0:0:1",
        "5:0:1",
        "0:5:-1",
        "0:5:0",
        "0:1:0.3333333333333333",
        "1:1.3:0.1",
        "-0.0:3:1",
        "-0:3:1",
        "-3:3:0.7",
        "10:-10:-0.1",
        "0.1:1e3:0.1",
        "1e16:10000000000000040:1",
        "9007199254740991:9007199254740999:1",
        "9007199254740993:9007199254740999.0:1",
        "36028797018963969:36028797018963999:3",
        "0:9007199254740993:9007199254740993",
        "0:3458764513820540929:1152921504606846976",
        "1:16777250:16777213",
        "16777210:16777230:1",
        "18014399583223809:18014399583223899:9",
        "0:5e-324:1e300",
        "1:0:1e-300",
        "5:0:1e-19",
        "1e308:0:1",
        "0:-5e-324:1e300",
        "5e-324:1e-322:5e-324",
        "0:1e-310:1e-313",
        "1e300:2e300:1e298",
        "-1.5e308:1e306:1e306",
        "0:1e300:1",
        "0:1e19:1",
        "0:1180591620717411303424:295147905179352825856",
        "0:1e6:1",
        "0:100_000:1",
    ];
    let integers = [
        "0:10:3",
        "0:300:1",
        "254:258:1",
        "300:310:1",
        "300:0:1",
        "-1:3:1",
        "-128:128:1",
        "5:0:-1",
        "5:-3:-2",
        "0:200:200",
        "0:400:200",
        "100:130:20",
        "0:1e3:1",
        "0:70000:7",
        "32767:32770:1",
        "2147483640:2147483660:1",
        "9223372036854775800:9223372036854775807:1",
        "-9223372036854775808:-9223372036854775800:1",
        "9223372036854775800:9223372036854775820:1",
        "18446744073709551600:18446744073709551616:1",
        "0:18446744073709551615:4611686018427387904",
        "0:3458764513820540929:1152921504606846976",
        "9007199254740992:9007199254740999:1",
        "3:2:1180591620717411303424",
        "0:1180591620717411303424:1180591620717411303424",
    ];
    let beyond_f32 = |text: &str| text.contains("e300") || text.contains("e308");
    let mut cases = Vec::new();
    for dtype in DTYPES {
        let is_float = dtype.starts_with('f');
        let own = if is_float { &floats[..] } else { &integers[..] };
        let texts = own.iter().filter(|text| dtype != "f32" || !beyond_f32(text));
        cases.extend(texts.map(|text| (dtype, (*text).to_owned())));
    }
    // More elements than an f32 counts exactly.
    cases.push(("f32", "0:17e6:1".to_owned()));
    cases.push(("f32", "-3.7:5e6:0.29".to_owned()));
    cases
}

fn random_cases(count: usize) -> impl Iterator<Item = Case> {
    let mut random = Random(0x5eed);
    (0..count).map(move |i| {
        let dtype = DTYPES[i % DTYPES.len()];
        let elements = random.below(3000);
        let text = if dtype.starts_with('f') && random.below(4) > 0 {
            let step = random.float();
            let start = random.float() * 10_f64.powi(i32::try_from(random.below(7)).unwrap_or(0));
            let stop = start + step * (elements as f64 + random.float());
            format!("{start:?}:{stop:?}:{step:?}")
        } else {
            let bits = Dtype::from_name(dtype).map_or(8, |d| d.item_size() * 8);
            let start = i128::from(random.next() >> (64 - bits));
            let step = i128::from(random.next() >> (64 - random.below(bits as u64).max(2))) + 1;
            let stop = start + step * i128::from(elements);
            if random.below(2) == 0 {
                format!("{start}:{stop}:{step}")
            } else {
                format!("{start}:{}:{}", 2 * start - stop, -step)
            }
        };
        (dtype, text)
    })
}

fn questions(cases: &[Case]) -> String {
    cases.iter().fold(String::new(), |mut questions, (dtype, text)| {
        let descr = Dtype::from_name(dtype).expect("a dtype");
        let descr = descr.descr().trim_matches('\'');
        writeln!(questions, "{descr} {}", text.replace(':', " ")).expect("a string");
        questions
    })
}

/// The generator xorshift64: the same cases every time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// In -1..1.
    fn float(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64 * 2.0 - 1.0
    }
}
