//! Headers are those of `numpy.save`, and values have the digits that NumPy prints.
//!
//! `ARRAYLIFT_PYTHON=python3 cargo test -- --ignored`, with a Python that has NumPy 2.
#![allow(clippy::expect_used)]

use arraylift::Value;
use arraylift::npy::{HeaderProgress, MAGIC, read_header, write_header};
use arraylift::values;

mod numpy;

/// Writes, for each array, each after its length: `numpy.save`'s file, the elements as text, and the file in the other
/// versions of the format. Where scientific notation begins differs between versions of NumPy: Python's rule decides.
const ORACLE: &str = r"
import io, struct, sys, warnings
import numpy
from numpy.lib import format
warnings.simplefilter('ignore')
def answer(data):
    sys.stdout.buffer.write(struct.pack('<q', len(data)) + data)
def show(array):
    file = io.BytesIO()
    numpy.save(file, array)
    answer(file.getvalue())
    is_float = array.dtype.kind == 'f'
    text = (lambda x: repr(float(str(x)))) if is_float else str
    answer('\n'.join(map(text, array.ravel(order='A'))).encode())
    for version in (2, 0), (3, 0):
        file = io.BytesIO()
        format.write_array(file, array, version)
        answer(file.getvalue())
def floats(dtype, bits, count):
    random = numpy.random.default_rng(1).integers(0, 2**bits, count, dtype=f'u{bits // 8}')
    return random.view(f'f{bits // 8}').astype(dtype)
for dtype in '<f8 >f8 <f4 >f4 <f2 >f2 |i1 <i2 >i4 <i8 |u1 >u2 <u4 <u8 |b1'.split():
    for shape in (), (1,), (0,), (5,), (3, 4), (3, 0, 4), (1,) * 64:
        show(numpy.zeros(shape, dtype))
    show(numpy.ones((3, 4), dtype, order='F'))
    show(numpy.arange(-9, 9, 0.7).astype(dtype))
for bits in 32, 64:
    for order in '<>':
        show(floats(f'{order}f{bits // 8}', bits, 3000))
halves = numpy.arange(65536, dtype='u2')
# Without the powers of two, which are nearer to one side: there NumPy may print a digit less.
halves = halves[halves & 0x3ff != 0].view('f2')
show(halves)
show(halves.astype('>f2'))
for unit in 'Y M W D s ms us ns as 25s'.split():
    values = [0, 1, -1, 20000, -30000] if unit in 'YMWD' else numpy.random.default_rng(2).integers(-2**55, 2**55, 50)
    show(numpy.array(values).astype('i8').view(f'<M8[{unit}]'))
";

/// Descriptions alone: texts and records are not shown as NumPy shows them.
const DTYPES: &str = r"
import io, struct, sys, warnings
import numpy
warnings.simplefilter('ignore')
for dtype in [
    'c8', '>c16', 'g', 'G', 'S7', 'U3', '>U3', 'V5', 'm8', 'm8[25us]', '>M8[ns]',
    [('a', 'i4'), ('b', 'f8', (3,))], [('a', 'f8', (2, 3)), ('b', [('c', '>i2'), ('d', 'S3')])],
    numpy.dtype([('a', 'i1'), ('b', 'f8')], align=True), [(('title', 'a'), 'i4')],
    [('it\'s', 'i4'), ('a\'b\x22c\\d', 'i4')], [('é', 'i4')], [('日本', 'i4')],
    [(f'field {i}', 'f8') for i in range(400)],
]:
    for array in numpy.zeros((3, 4), dtype), numpy.zeros(7, dtype), numpy.zeros((3, 4), dtype, order='F'):
        file = io.BytesIO()
        numpy.save(file, array)
        sys.stdout.buffer.write(struct.pack('<q', len(file.getvalue())) + file.getvalue())
";

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with numpy"]
fn headers_and_values_are_those_of_numpy() {
    let answers = numpy::run(ORACLE, "");
    let mut answers = split(&answers);
    while let Some(file) = answers.next() {
        let shown = std::str::from_utf8(answers.next().expect("values")).expect("UTF-8");
        let HeaderProgress::Done { meta, data_offset } = read_header(file).expect("a header") else {
            panic!("the header is complete");
        };
        assert_same_header(&write_header(&meta), &file[..data_offset]);
        assert_eq!(meta.byte_len(), (file.len() - data_offset) as u64);
        let values = values(meta.dtype(), &file[data_offset..]);
        assert_eq!(values.len() as u64, meta.element_count());
        for (value, shown) in values.iter().zip(shown.lines()) {
            assert_says(value, shown);
        }
        for _version in [2, 3] {
            let file = answers.next().expect("the same in another version");
            let Ok(HeaderProgress::Done { meta: same, .. }) = read_header(file) else {
                panic!("the header of {meta} is read");
            };
            assert_eq!(same, meta);
        }
    }
}

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with numpy"]
fn every_fixed_size_dtype_is_saved_as_numpy_does() {
    for file in split(&numpy::run(DTYPES, "")) {
        let HeaderProgress::Done { meta, data_offset } = read_header(file).expect("a header") else {
            panic!("the header is complete");
        };
        assert_same_header(&write_header(&meta), &file[..data_offset]);
        assert_eq!(meta.byte_len(), (file.len() - data_offset) as u64);
    }
}

fn assert_says(value: &Value, shown: &str) {
    let text = value.to_string();
    // Where two texts of the same length are as near, either is right: NumPy ends in the even digit, Rust rounds up.
    let is_as_near = text.len() == shown.len()
        && match value {
            Value::Float(float) => shown.parse() == Ok(*float),
            Value::Float32(float) => shown.parse() == Ok(*float),
            _ => false,
        };
    assert!(text == shown || is_as_near, "{text} is not {shown}");
}

fn assert_same_header(ours: &[u8], theirs: &[u8]) {
    assert!(ours.starts_with(&MAGIC));
    assert_eq!(String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs));
    assert_eq!(ours, theirs);
}

/// The answers, each after its length in 8 bytes.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, rest) = bytes.split_first_chunk()?;
        let len = usize::try_from(i64::from_le_bytes(*len)).expect("a length");
        let (answer, rest) = rest.split_at(len);
        bytes = rest;
        Some(answer)
    })
}
