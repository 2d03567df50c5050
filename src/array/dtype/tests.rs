use super::*;
use proptest::prelude::*;

#[test]
fn names_are_what_people_type_and_read() {
    for (typed, descr, name, item_size) in [
        ("f64", "'<f8'", "f64", 8),
        ("f32", "'<f4'", "f32", 4),
        ("float16", "'<f2'", "float16", 2),
        ("int8", "'|i1'", "int8", 1),
        ("i16", "'<i2'", "i16", 2),
        ("i32", "'<i4'", "i32", 4),
        ("i64", "'<i8'", "i64", 8),
        ("u8", "'|u1'", "u8", 1),
        ("u64", "'<u8'", "u64", 8),
        ("bool", "'|b1'", "bool", 1),
        ("c64", "'<c8'", "c64", 8),
        ("c128", "'<c16'", "c128", 16),
        ("complex64", "'<c8'", "c64", 8),
        ("float64", "'<f8'", "f64", 8),
        ("uint16", "'<u2'", "u16", 2),
        ("U5", "'<U5'", "U5", 20),
        ("S10", "'|S10'", "S10", 10),
        ("V16", "'|V16'", "V16", 16),
        ("datetime64[ns]", "'<M8[ns]'", "datetime64[ns]", 8),
        ("timedelta64", "'<m8'", "timedelta64", 8),
        ("<f8", "'<f8'", "f64", 8),
        ("f8", "'<f8'", "f64", 8),
        ("f4", "'<f4'", "f32", 4),
        ("u1", "'|u1'", "u8", 1),
        ("c16", "'<c16'", "c128", 16),
        ("c32", "'<c32'", "c256", 32),
        ("M8[s]", "'<M8[s]'", "datetime64[s]", 8),
        ("d", "'<f8'", "f64", 8),
        ("l", "'<i8'", "i64", 8),
        ("float", "'<f8'", "f64", 8),
        ("longdouble", "'<f16'", "f128", 16),
        ("=i4", "'<i4'", "i32", 4),
        (">f4", "'>f4'", "big-endian f32", 4),
        ("|u1", "'|u1'", "u8", 1),
        ("<u1", "'|u1'", "u8", 1),
        ("'<i4'", "'<i4'", "i32", 4),
        (
            "[('a', '<i4'), ('b', '<f8')]",
            "[('a', '<i4'), ('b', '<f8')]",
            "record of 2 fields, 12 bytes",
            12,
        ),
    ] {
        let dtype = Dtype::from_name(typed).unwrap();
        assert_eq!(dtype.descr(), descr, "{typed}");
        assert_eq!(dtype.name(), name, "{typed}");
        assert_eq!(dtype.item_size(), item_size, "{typed}");
        assert_eq!(Dtype::from_descr(descr).unwrap(), dtype, "{typed}");
    }
}

#[test]
fn unknown_names_are_refused_with_a_hint() {
    for name in [
        "f65", "i128", "bool8", "b8", "", "64", "f64 f64", "é", "U", "U0", "f64[ns]", "f+64", "<float64", "F64",
    ] {
        let refused = Dtype::from_name(name);
        assert!(
            matches!(refused, Err(DtypeError::UnknownName(_) | DtypeError::ZeroSize)),
            "{name}: {refused:?}"
        );
    }
    assert_eq!(
        Dtype::from_name("f65").unwrap_err().to_string(),
        "unknown dtype \"f65\": try f64, f32, i32, u8, bool, c128 or NumPy's form, such as float64 or >f4"
    );
}

#[test]
fn a_word_whose_number_counts_bits_or_bytes_is_refused_with_both_meanings() {
    for (word, text) in [
        ("i8", "the dtype i8 could mean int8 or, as in NumPy, int64: type which"),
        (
            "f16",
            "the dtype f16 could mean float16 or, as in NumPy, float128: type which",
        ),
    ] {
        assert_eq!(Dtype::from_name(word).unwrap_err().to_string(), text);
    }
    // In a file the words are NumPy's.
    assert_eq!(Dtype::from_descr("'i8'"), Dtype::from_name("int64"));
    assert_eq!(Dtype::from_descr("'u8'"), Dtype::from_name("uint64"));
    assert_eq!(Dtype::from_name("u8"), Ok(Dtype::u8()));
}

#[test]
fn every_name_that_is_shown_can_be_typed() {
    for descr in [
        "|b1",
        "|i1",
        "<i8",
        "|u1",
        "<u8",
        "<f2",
        "<f8",
        "<f16",
        "<c8",
        "<c32",
        "<M8[25us]",
        "<m8",
        "|S3",
        "<U3",
        "|V3",
    ] {
        let dtype = Dtype::from_name(descr).unwrap();
        assert_eq!(Dtype::from_name(&dtype.name()), Ok(dtype), "{descr}");
    }
}

#[test]
fn every_fixed_size_description_of_numpy_is_read() {
    for (descr, item_size) in [
        ("'<f2'", 2),
        ("'>f16'", 16),
        ("'<c32'", 32),
        ("'<M8[ns]'", 8),
        ("'<M8[25us]'", 8),
        ("'>m8'", 8),
        ("'|S3'", 3),
        ("'<U7'", 28),
        ("'|V3'", 3),
        ("[('a', '<i4'), ('b', '<f8', (3,))]", 28),
        ("[('a', '|i1'), ('', '|V7'), ('b', '<f8')]", 16),
        ("[(('title', 'a'), '<i4')]", 4),
        ("[('p', [('q', '<i2', (2, 3)), ('r', '|S2')], (4,))]", 56),
        ("[('é\\n', '<U0'), ('n', '|u1')]", 1),
        ("[('n', '|u1', 3)]", 3),
        ("[('n', ('<f8', (3,)), (2,))]", 48),
    ] {
        let dtype = Dtype::from_descr(descr).unwrap();
        assert_eq!(dtype.item_size(), item_size, "{descr}");
        assert_eq!(dtype.descr(), descr);
    }
}

#[test]
fn words_that_numpy_never_writes_are_read_and_written_as_it_does() {
    for (descr, written) in [
        ("'f8'", "'<f8'"),
        ("'=f8'", "'<f8'"),
        ("'|f8'", "'<f8'"),
        ("'float64'", "'<f8'"),
        ("u'<f8'", "'<f8'"),
        ("'>d'", "'>f8'"),
        ("'?'", "'|b1'"),
        ("'>datetime64[ns]'", "'>M8[ns]'"),
        (
            "[(u'a', 'f8', (3L,)), ('b', [('c', '>i1')])]",
            "[('a', '<f8', (3,)), ('b', [('c', '|i1')])]",
        ),
        ("[(('title', 'a'), 'U')]", "[(('title', 'a'), '<U0'), ('b', '<f8')]"),
        ("[('a\u{7}',\n'<f8')]", "[('a\\x07', '<f8')]"),
        ("[['a', '<f8']]", "[['a', '<f8']]"),
    ] {
        let descr = descr.replace("'U')]", "'U'), ('b', 'd')]");
        let dtype = Dtype::from_descr(&descr).unwrap();
        assert_eq!(dtype.descr(), written, "{descr}");
        assert_eq!(Dtype::from_descr(written), Ok(dtype));
    }
}

#[test]
fn arrays_in_arrays_are_arrays_of_more_dimensions() {
    let flat = Dtype::from_descr("[('a', '<f8', (2, 3))]");
    assert_eq!(Dtype::from_descr("[('a', ('<f8', (3,)), (2,))]"), flat);
    assert_eq!(Dtype::from_descr("[('a', ('<f8', ()), (2, 3))]"), flat);
}

#[test]
fn padding_of_no_bytes_is_left_out() {
    let padded = Dtype::from_descr("[('', '|V0'), ('a', '|u1'), ('', '|V0')]").unwrap();
    assert_eq!(padded, Dtype::from_descr("[('a', '|u1')]").unwrap());
}

#[test]
fn objects_are_refused_wherever_they_hide() {
    for descr in ["'|O'", "'O'", "'|O8'", "'|T16'", "[('a', [('b', '|O')])]"] {
        assert_eq!(Dtype::from_descr(descr), Err(DtypeError::Object), "{descr}");
    }
}

#[test]
fn sizes_are_bounded_without_overflow() {
    use DtypeError::{TooLarge, ZeroSize};
    for (descr, error) in [
        ("'<U0'", ZeroSize),
        ("'|V0'", ZeroSize),
        ("[]", ZeroSize),
        ("[('a', '<f8', (0,))]", ZeroSize),
        ("[('a', '<U0', (4000000000,))]", ZeroSize),
        ("'<U18446744073709551615'", TooLarge),
        ("'|V1073741825'", TooLarge),
        ("'<f99999999999999999999'", TooLarge),
        ("[('a', '<f8', (4611686018427387904, 4))]", TooLarge),
        ("[('a', '<f8', (99999999999999999999,))]", TooLarge),
        (
            "[('a', '|V18446744073709551615'), ('b', '|V18446744073709551615')]",
            TooLarge,
        ),
    ] {
        assert_eq!(Dtype::from_descr(descr), Err(error), "{descr}");
    }
    assert_eq!(Dtype::from_descr("'|V1073741824'").map(|d| d.item_size()), Ok(1 << 30));
}

#[test]
fn rubbish_is_refused_by_kind() {
    use DtypeError::{NotADescription, SeveralTypes, TooLong, UnknownType};
    let long = format!("'{}'", "x".repeat(300_000));
    for (descr, error) in [
        ("'<f3'", UnknownType("<f3".into())),
        ("'<f8[ns]'", UnknownType("<f8[ns]".into())),
        ("'<M8[xs]'", UnknownType("<M8[xs]".into())),
        ("'<M8[0s]'", UnknownType("<M8[0s]".into())),
        ("'<é8'", UnknownType("<é8".into())),
        ("''", UnknownType(String::new())),
        ("'<float64'", UnknownType("<float64".into())),
        ("'<f8\u{7}'", UnknownType("<f8\u{7}".into())),
        ("'i4,f8'", SeveralTypes("i4,f8".into())),
        ("'3f8'", SeveralTypes("3f8".into())),
        ("'(2,3)f8'", SeveralTypes("(2,3)f8".into())),
        ("('<f8', (3,))", NotADescription),
        ("3", NotADescription),
        ("[('a',)]", NotADescription),
        ("[('a', '<f8', (-1,))]", NotADescription),
        ("[('a', '<f8', (3,), 4)]", NotADescription),
        (&long, TooLong(300_002)),
    ] {
        assert_eq!(Dtype::from_descr(descr), Err(error), "{descr}");
    }
    assert!(matches!(Dtype::from_descr("'<f8"), Err(DtypeError::Malformed(_))));
}

#[test]
fn equality_looks_at_the_layout_and_not_at_the_spacing() {
    let narrow = Dtype::from_descr("[('a','<i4')]").unwrap();
    assert_eq!(narrow, Dtype::from_descr("[(\"a\", '<i4'), ]").unwrap());
    assert_ne!(narrow, Dtype::from_descr("[('b','<i4')]").unwrap());
    assert_ne!(Dtype::from_name(">f8").unwrap(), Dtype::from_name("<f8").unwrap());
}

#[test]
fn json_has_the_short_name() {
    assert_eq!(serde_json::to_string(&Dtype::f64()).unwrap(), "\"f64\"");
}

proptest! {
    #[test]
    fn no_text_panics(text in r#"[\[\]()'",<>|fiucmMSUVOb0-9 nsé]{0,40}"#, name in r"\PC{0,12}") {
        let _ = Dtype::from_descr(&text);
        let _ = Dtype::from_name(&text);
        let _ = Dtype::from_name(&name);
    }
}
