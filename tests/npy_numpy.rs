//! Headers are those of `numpy.save`, and values have the digits that NumPy prints.
//!
//! `ARRAYLIFT_PYTHON=python3 cargo test -- --ignored`, with a Python that has NumPy 2.
#![allow(clippy::expect_used)]

use arraylift::npy::{HeaderProgress, MAGIC, NpyError, read_header, write_header};
use arraylift::{ArrayMeta, Dtype, DtypeError, Order, Value, values};

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
    [(f'field {i}', 'f8') for i in range(400)], [(f'field {i}', 'f8') for i in range(5000)],
    [(f'日 {i}', 'f8') for i in range(5000)],
    # Every length of a header there is, up to its alignment.
    *([('n' * i, 'f8')] for i in range(1, 130)),
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

/// Reads headers, each in hexadecimal digits on a line, and writes what NumPy makes of it: descr, order and shape, or
/// nothing where it refuses it.
const READER: &str = r"
import io, sys, types, warnings
from numpy.lib import format
warnings.simplefilter('ignore')
for line in sys.stdin:
    file = io.BytesIO(bytes.fromhex(line) + bytes(1 << 20))
    try:
        array = format.read_array(types.SimpleNamespace(read=file.read), max_header_size=1 << 30)
        order = 'F' if array.flags.f_contiguous and not array.flags.c_contiguous else 'C'
        print(repr(format.dtype_to_descr(array.dtype)), order, array.shape, sep='\t')
    except Exception:
        print()
";

#[test]
#[ignore = "needs ARRAYLIFT_PYTHON: a Python with numpy"]
fn headers_that_others_write_are_read_as_numpy_reads_them() {
    let headers = headers_by_hand();
    let lines: String = headers.iter().map(|(_, header)| hex(header) + "\n").collect();
    let answers = String::from_utf8(numpy::run(READER, &lines)).expect("UTF-8");
    let mut taken = 0;
    assert_eq!(answers.lines().count(), headers.len());
    for ((text, header), answer) in headers.iter().zip(answers.lines()) {
        match (read_header(header), answer) {
            (Ok(HeaderProgress::Done { meta, .. }), answer) if !answer.is_empty() => {
                let order = if meta.order() == Order::Fortran { "F" } else { "C" };
                let [descr, theirs, shape] = answer.split('\t').collect::<Vec<_>>()[..] else {
                    panic!("{answer}");
                };
                assert_eq!(Dtype::from_descr(descr).as_ref(), Ok(meta.dtype()), "{text}");
                assert_eq!((order, &*meta.shape().to_string()), (theirs, shape), "{text}");
                taken += 1;
            }
            (Ok(HeaderProgress::Done { meta, .. }), _) => {
                assert!(is_read_here_alone(&meta), "NumPy does not read {text}");
            }
            (Err(error), answer) => {
                assert!(answer.is_empty() || is_refused_with_a_reason(&error), "{text}: {error}");
            }
            (Ok(HeaderProgress::Need(_)), _) => panic!("{text} is complete"),
        }
    }
    assert!(taken > 300, "{taken}");
}

/// The long doubles of 32-bit machines.
fn is_read_here_alone(meta: &ArrayMeta) -> bool {
    matches!(meta.dtype().item_size(), 12 | 24)
}

/// What NumPy reads and Arraylift does not: elements that cannot be moved, and several types in one string.
fn is_refused_with_a_reason(error: &NpyError) -> bool {
    use DtypeError::{NotADescription, SeveralTypes, ZeroSize};
    matches!(
        error,
        NpyError::Object | NpyError::Dtype(ZeroSize | SeveralTypes(_) | NotADescription)
    )
}

/// The text of each header, and the header.
fn headers_by_hand() -> Vec<(String, Vec<u8>)> {
    let dict = |descr: &str, order: &str, shape: &str| {
        format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n")
    };
    let mut texts: Vec<String> = words()
        .iter()
        .map(|word| dict(&format!("'{word}'"), "False", "(3,)"))
        .collect();
    for descr in [
        "u'<f8'",
        "U'<f8'",
        "\"<f8\"",
        "[(u'a', u'<f8', (3L,))]",
        "[('a', 'f8'), ('b', 'float32', 2), ('c', [('d', '?'), ('e', '=i4')])]",
        "[('a', '<f8', [3])]",
        "[('a', ('<f8', (3,)))]",
        "[('a', ('<f8', (3,)), (2,))]",
        "[['a', '<f8']]",
        "[('a',\n'<f8')]",
        "[('', 'V0'), ('a', 'u1'), ('', 'V3')]",
        "[(('t', 'a'), 'd')]",
        "[('a', 'f8', ())]",
        "[('a', 'i4,f8')]",
        "('<f8', (3,))",
        "'i4,f8'",
        "'3f8'",
        "'(2,3)f8'",
        "3",
        "None",
        "[('a', None)]",
        "[('a',)]",
        "['a']",
        "b'<f8'",
        "'<f8\u{7}'",
        "[('a\u{7}', '<f8')]",
        "''",
        "[]",
    ] {
        texts.push(dict(descr, "False", "(3,)"));
    }
    for (order, shape) in [
        ("True", "(2, 3)"),
        ("False", "(2L, 3L)"),
        ("True", "(2L,\n3L)"),
        ("False", "()"),
        ("False", "( 3 , )"),
        ("0", "(3,)"),
        ("False", "[3]"),
        ("False", "3"),
        ("False", "(3l,)"),
        ("False", "(-3,)"),
    ] {
        texts.push(dict("'<f8'", order, shape));
    }
    texts.push("\t{u'descr': 'f8', u'fortran_order': False, u'shape': (3,)}".to_owned());
    texts.push("{'descr': 'f8', 'fortran_order': False}".to_owned());
    let versions = [1, 2, 3];
    let of_version = |text: &String| versions.map(|version| (text.clone(), header(version, text)));
    let headers = texts.iter().flat_map(of_version);
    // What Python 2 wrote has no version 3.
    headers
        .filter(|(text, header)| header[6] < 3 || !text.contains('L'))
        .collect()
}

/// Every code, name and size, with every byte order.
fn words() -> Vec<String> {
    let codes = ('a'..='z').chain('A'..='Z').chain(['?']);
    let mut words: Vec<String> = codes.clone().map(String::from).collect();
    let sizes = [0, 1, 2, 3, 4, 8, 10, 12, 16, 24, 32, 64];
    words.extend(codes.flat_map(|code| sizes.map(|size| format!("{code}{size}"))));
    for names in [
        "bool bool_ byte short intc int int_ long longlong intp ubyte ushort uintc uint ulong ulonglong uintp half single",
        "double float longdouble csingle cdouble complex clongdouble str str_ unicode bytes bytes_ void object object_",
        "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 float128 complex64 complex128",
        "complex256 datetime64 datetime64[ns] timedelta64[25us] M8[ns] M8[generic] m8[s] M[s] M4[s] M8[] M8[xs] float_",
        "int128 Float64 f08 S010 V f8, f M8[D/24] m8[3D/24] datetime64[W/7] timedelta64[Y/5] M8[h/8] M8[s/16] M8[fs/1000]",
        "M8[as/2] M8[D/7] M8[D/] M8[/24] M8[D/+24] M8[D/024] M8[+3D] M8[10generic] M8[generic/2] M8[D/24/2] M8[M/4]",
    ] {
        words.extend(names.split(' ').map(String::from));
    }
    let orders = ["", "<", ">", "=", "|", "!"];
    words
        .iter()
        .flat_map(|word| orders.map(|order| format!("{order}{word}")))
        .collect()
}

fn header(version: u8, text: &str) -> Vec<u8> {
    let latin1 = text.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect();
    let text = if version < 3 { latin1 } else { text.as_bytes().to_vec() };
    let length = u32::try_from(text.len()).expect("a length").to_le_bytes();
    let length = if version == 1 { &length[..2] } else { &length };
    [&MAGIC[..], &[version, 0], length, &text].concat()
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("a digit");
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
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
