//! Sources that cannot be sent, and those that only look so.

use std::os::unix::fs::PermissionsExt;

use crate::common::Dir;
use crate::{floats, npy};

#[test]
fn a_source_that_is_not_there_or_no_file_is_named() {
    let dir = Dir::new();
    dir.folder("folder");
    dir.run("loopback nowhere.npy")
        .failed(1, &["there is no file at nowhere.npy"]);
    dir.run("loopback folder").failed(2, &["--into", "a folder to go to"]);
    dir.run("send nowhere.npy 127.0.0.1:1")
        .failed(1, &["there is no file at nowhere.npy"]);
}

#[test]
fn a_source_that_may_not_be_read_is_named() {
    let dir = Dir::new();
    let path = dir.write("secret", "x");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o000)).expect("own file");
    // Root reads everything.
    if std::fs::File::open(&path).is_err() {
        dir.run("loopback secret")
            .failed(1, &["cannot read secret", "permission denied"]);
    }
}

#[test]
fn a_broken_npy_file_is_refused_with_its_reason() {
    let dir = Dir::new();
    let huge = [&b"\x93NUMPY\x02\x00"[..], &u32::MAX.to_le_bytes(), &[b' '; 500]].concat();
    for (name, bytes, hint) in [
        ("magic.npy", b"\x93NUMPZ\x01\x00v\x00".to_vec(), ""),
        ("empty.npy", Vec::new(), ""),
        ("cut.npy", npy("'<f8'", "(3,)", &[])[..40].to_vec(), ""),
        ("huge.npy", huge, ""),
        ("short.npy", npy("'<f8'", "(3,)", &[0; 23]), "24"),
        ("long.npy", npy("'<f8'", "(3,)", &[0; 25]), "24"),
        ("overflow.npy", npy("'<f8'", "(4294967296, 4294967296)", &[]), "2^63"),
        (
            "empty-overflow.npy",
            npy("'<f8'", "(0, 4294967296, 4294967296)", &[]),
            "2^63",
        ),
        ("negative.npy", npy("'<f8'", "(-1,)", &[]), ""),
        ("python.npy", npy("'<f8'", "(__import__('os').getpid(),)", &[]), ""),
    ] {
        dir.write(name, bytes);
        let ended = dir.run(&format!("loopback {name}"));
        ended.failed(1, &[name, "cannot be sent as an array", hint]);
    }
}

#[test]
fn a_part_that_a_source_does_not_have_is_refused() {
    let dir = Dir::new();
    dir.write("a.bin", [1; 100]);
    dir.write("a.npy", npy("'<f8'", "(3,)", &floats(3)));
    for arguments in [
        "a.bin --offset 101",
        "a.bin --offset 50 --length 51",
        "a.bin --length 18446744073709551615",
        "a.bin --dtype f64 --length 12",
        "a.bin --dtype f64",
        "a.npy --offset 4",
        "a.npy --length 25",
    ] {
        dir.run(&format!("loopback {arguments}"))
            .failed(1, &["cannot be sent as an array"]);
    }
}

#[test]
fn parts_and_views_of_a_source_are_exactly_those_bytes() {
    let dir = Dir::new();
    let bytes: Vec<u8> = (0..=255).collect();
    dir.write("a.bin", &bytes);
    dir.write("a.npy", npy("'<f8'", "(100,)", &floats(100)));
    dir.run("loopback a.bin --offset 3 --length 1e1 --into part").done();
    assert_eq!(dir.read("part"), bytes[3..13]);
    dir.run("loopback a.bin --dtype f32 --into view.npy").done();
    assert_eq!(dir.read("view.npy"), npy("'<f4'", "(64,)", &bytes));
    dir.run("loopback a.npy --offset 80 --length 80 --into part.npy").done();
    assert_eq!(dir.read("part.npy"), npy("'<f8'", "(10,)", &floats(100)[80..160]));
    dir.run("loopback range:0:100 --offset 80 --length 80 --into range.npy")
        .done();
    assert_eq!(dir.read("range.npy"), dir.read("part.npy"));
}

#[test]
fn big_endian_and_fortran_order_stay_as_they_are() {
    let dir = Dir::new();
    let fortran = npy("'>i2'", "(2, 2)", &[0, 1, 0, 2, 0, 3, 0, 4]);
    let fortran = String::from_utf8_lossy(&fortran).replace("False, 's", "True, 's");
    // One letter less: the padding makes up for it.
    let mut fortran: Vec<u8> = b"\x93NUMPY".iter().copied().chain(fortran.bytes().skip(8)).collect();
    let end = fortran.iter().position(|byte| *byte == b'\n').expect("a header");
    fortran.insert(end, b' ');
    dir.write("a.npy", &fortran);
    let ended = dir.run("loopback a.npy --into b.npy").done();
    assert_eq!(dir.read("b.npy"), fortran);
    assert!(ended.stdout.contains("first elements: 1 2 3 4\n"), "{ended:?}");
}

#[test]
fn a_file_whose_name_reads_like_a_range_is_a_file() {
    let dir = Dir::new();
    dir.write("range:0:10", "four");
    let ended = dir.run("loopback range:0:10 --into a").done();
    assert_eq!(dir.read("a"), b"four", "{ended:?}");
    dir.run("loopback ./range:0:10 --into b").done();
    assert_eq!(dir.read("b"), b"four");
}

#[test]
fn more_than_the_memory_there_is_is_refused() {
    let dir = Dir::new();
    dir.run("loopback range:0:1e15").failed(1, &["of memory are needed"]);
    dir.run("loopback range:0:1e15 --into a.npy")
        .failed(1, &["a.npy needs"]);
    assert!(dir.names().is_empty());
}

#[test]
#[ignore = "needs root and setpriv: takes another user's number"]
fn a_pattern_leaves_nothing_out_that_another_user_may_not_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::new();
    let may = |name: &str, mode| {
        let path = dir.path().join(name);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    for folder in ["src", "src/a", "src/b"] {
        dir.folder(folder);
        may(folder, 0o755);
    }
    for file in ["src/a/y.bin", "src/b/y.bin"] {
        dir.write(file, "12345678");
    }
    std::fs::copy(env!("CARGO_BIN_EXE_arraylift"), dir.path().join("arraylift")).expect("room");
    may("", 0o755);
    may("src/b", 0);
    let receiver = dir.receive("127.0.0.1:0 --into memory");
    for pattern in ["src/*/y.bin", "src/b/*.bin", "src/[b]/y.bin"] {
        let mut setpriv = std::process::Command::new("setpriv");
        setpriv.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "./arraylift"]);
        setpriv.args(["send", pattern, &receiver.address]);
        dir.program(setpriv).run().failed(1, &["src/b", "permission denied"]);
    }
}
