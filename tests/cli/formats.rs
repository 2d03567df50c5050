//! What is in a `.npy` file decides how it is sent and kept: any array of NumPy's, and the files that are none.

use crate::common::{Dir, names_in};
use crate::{floats, npy};

/// A record of so many fields, as a description.
fn record(fields: usize, name: &str) -> String {
    let fields: Vec<String> = (0..fields).map(|i| format!("('{name}{i:04}', '<f4')")).collect();
    format!("[{}]", fields.join(", "))
}

/// A `.npy` file of any version, as NumPy writes it.
fn npy_of_version(version: u8, descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let dict = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    let room = 21 - shape.trim_matches(['(', ')', ',']).len();
    let end = (12 + dict.len() + room + 2).next_multiple_of(64);
    let mut header = dict.into_bytes();
    header.resize(end - 12 - 1, b' ');
    header.push(b'\n');
    let length = u32::try_from(header.len()).expect("a length");
    [b"\x93NUMPY", &[version, 0][..], &length.to_le_bytes(), &header, data].concat()
}

/// Sends a file into a folder, or a new file, and returns what is then at `path`.
fn sent(dir: &Dir, send: &str, into: &str, path: &str) -> Vec<u8> {
    let receiver = dir.receive(&format!("127.0.0.1:0 --once --into {into}"));
    dir.run(&format!("send {send} {}", receiver.address)).done();
    receiver.wait().done();
    dir.read(path)
}

#[test]
fn a_record_of_thousands_of_fields_is_sent_and_kept_as_numpy_wrote_it() {
    let dir = Dir::new();
    dir.folder("native");
    dir.folder("npy");
    let data: Vec<u8> = (0..3 * 4 * 5000_u32).map(|i| i.to_le_bytes()[0]).collect();
    for (name, version) in [("f", 2), ("日", 3)] {
        let file = npy_of_version(version, &record(5000, name), "(3,)", &data);
        dir.write("a.npy", &file);
        assert_eq!(sent(&dir, "a.npy", "native/", "native/a.npy"), file);
        assert_eq!(sent(&dir, "a.npy --wire npy", "npy/", "npy/array.npy"), file);
        dir.write(
            "whole.npy",
            npy_of_version(version, &record(5000, name), "(3,)", &vec![0; 60_000]),
        );
        assert_eq!(sent(&dir, "a.npy --wire npy", "whole.npy --at 0", "whole.npy"), file);
        std::fs::remove_file(dir.path().join("native/a.npy")).expect("it is there");
        std::fs::remove_file(dir.path().join("npy/array.npy")).expect("it is there");
    }
}

#[test]
fn a_type_without_its_byte_order_is_kept_as_numpy_would_write_it() {
    let dir = Dir::new();
    for (index, (descr, kept)) in [
        ("'float64'", "'<f8'"),
        ("u'd'", "'<f8'"),
        ("[(u'a', 'f4'), ('b', '=i4')]", "[('a', '<f4'), ('b', '<i4')]"),
    ]
    .into_iter()
    .enumerate()
    {
        dir.write("a.npy", npy(descr, "(10L,)", &floats(10)));
        for wire in ["native", "npy"] {
            let into = format!("{wire}{index}.npy");
            let file = sent(&dir, &format!("a.npy --wire {wire}"), &into, &into);
            assert_eq!(file, npy(kept, "(10,)", &floats(10)));
        }
    }
}

#[test]
fn a_npy_file_viewed_as_bytes_keeps_the_header_that_it_has_and_gets_no_second_one() {
    let dir = Dir::new();
    let file = npy("'<f8'", "(100,)", &floats(100));
    dir.write("a.npy", &file);
    for wire in ["native", "npy"] {
        let into = format!("{wire}.npy");
        assert_eq!(
            sent(&dir, &format!("a.npy --dtype u8 --wire {wire}"), &into, &into),
            file
        );
    }
    dir.run("loopback a.npy --dtype u8 --into c.npy").done();
    assert_eq!(dir.read("c.npy"), file);
    // Any other file is an array of bytes there.
    dir.write("a.bin", floats(2));
    assert_eq!(sent(&dir, "a.bin", "d.npy", "d.npy"), npy("'|u1'", "(16,)", &floats(2)));
    // So is a part of a .npy file.
    dir.folder("inbox");
    let part = sent(
        &dir,
        "a.npy --dtype u8 --offset 128 --length 8",
        "inbox/",
        "inbox/a.npy",
    );
    assert_eq!(part, npy("'|u1'", "(8,)", &floats(1)));
}

#[test]
fn of_several_a_npy_file_that_is_no_array_goes_as_it_is_and_one_that_is_cut_off_is_named() {
    let dir = Dir::new();
    let runs = dir.folder("runs");
    dir.folder("inbox");
    let array = npy("'<f8'", "(100,)", &floats(100));
    let pickled = npy("'|O'", "(1,)", b"\x80\x04K\x01.");
    for (name, bytes) in [("array.npy", &array), ("pickled.npy", &pickled)] {
        std::fs::write(runs.join(name), bytes).expect("written");
    }
    std::fs::write(runs.join("cut.npy"), &array[..array.len() - 1]).expect("written");
    let receiver = dir.receive("127.0.0.1:0 --into inbox");
    let ended = dir.run(&format!("send runs/*.npy {}", receiver.address));
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    for hint in ["cut.npy", "799 bytes of data follow", "1 of 3 were not sent"] {
        assert!(ended.stderr.contains(hint), "{hint}: {ended:?}");
    }
    receiver.signal(rustix::process::Signal::INT);
    receiver.wait();
    assert_eq!(names_in(&dir.path().join("inbox")), ["array.npy", "pickled.npy"]);
    for (name, bytes) in [("array.npy", &array), ("pickled.npy", &pickled)] {
        assert_eq!(dir.read(&format!("inbox/{name}")), *bytes, "{name}");
    }
}

#[test]
fn whoever_sends_a_npy_file_that_is_no_array_is_told_so() {
    let dir = Dir::new();
    dir.write("pickled.npy", npy("'|O'", "(1,)", b"\x80\x04K\x01."));
    let ended = dir.run("loopback pickled.npy --into discard").done();
    let note = "note: sent as the plain file that it is: the .npy file holds Python objects";
    assert!(ended.stdout.contains(note), "{ended:?}");
    // A part of it would be neither an array nor the file.
    dir.run("loopback pickled.npy --into discard --offset 8")
        .failed(1, &["holds Python objects", "viewed as u8"]);
}

#[test]
fn a_dtype_that_could_mean_two_things_is_refused_with_both() {
    let dir = Dir::new();
    for (typed, hint) in [
        ("i8", "could mean int8 or, as in NumPy, int64"),
        ("f16", "could mean float16 or, as in NumPy, float128"),
        ("i4,f8", "stands for several types"),
        (
            "f65",
            "try f64, f32, i32, u8, bool, c128 or NumPy's form, such as float64 or >f4",
        ),
    ] {
        let ended = dir.run(&format!("loopback range:0:10 --into discard --dtype {typed}"));
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert!(ended.stderr.contains(hint), "{ended:?}");
    }
    for (typed, bytes) in [
        ("f4", 40),
        ("u1", 10),
        ("int64", 80),
        ("<i8", 80),
        ("d", 80),
        ("u8", 10),
    ] {
        let ended = dir
            .run(&format!("loopback range:0:10 --into discard --dtype {typed} --json"))
            .done();
        let finished = ended.objects().into_iter().find(|line| line["event"] == "finished");
        assert_eq!(finished.expect("an end")["bytes"], bytes, "{typed}");
    }
}

#[test]
fn what_a_peer_calls_its_fields_reaches_no_terminal() {
    let dir = Dir::new();
    let descr = "[('a\u{202e}b', '<\u{202e}f9')]";
    let receiver = dir.receive("127.0.0.1:0 --once --into memory");
    crate::peers::say(&receiver.address, &npy_of_version(3, descr, "(3,)", &[]));
    let ended = receiver.wait();
    assert!(
        !format!("{}{}", ended.stdout, ended.stderr).contains('\u{202e}'),
        "{ended:?}"
    );
    assert!(ended.stderr.contains(r"<\u{202e}f9"), "{ended:?}");
}

#[test]
fn what_one_should_know_is_printed_of_each_of_several_sources() {
    let dir = Dir::new();
    dir.write("pickled.npy", npy("'|O'", "(1,)", b"\x80\x04K\x01."));
    let receiver = dir.receive("127.0.0.1:0 --into discard");
    let send = format!("send range:0:10 pickled.npy {}", receiver.address);
    let sent = dir.run(&send).done().stdout;
    assert!(
        sent.contains("pickled.npy: note: sent as the plain file that it is"),
        "{sent}"
    );
}

#[test]
fn a_npy_file_that_is_viewed_as_another_type_says_that_its_header_is_in_it() {
    let dir = Dir::new();
    dir.write("a.npy", crate::npy("'<f8'", "(10,)", &floats(10)));
    for (options, is_noted) in [
        ("", false),
        (" --dtype u8", false),
        (" --dtype f64", true),
        (" --dtype f32 --offset 80 --length 80", true),
    ] {
        let ended = dir.run(&format!("loopback a.npy{options}")).done();
        assert_eq!(
            ended.stdout.contains("note: viewed as f"),
            is_noted,
            "{options}: {ended:?}"
        );
    }
}
