//! Many files, odd files and odd names: what can be sent is sent, and the rest is named.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arraylift::internals::app::{App, AppOptions, Phase};
use eframe::egui::DroppedFile;
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

use super::{STEPS_MAX, Window, open_form, type_into, until, until_shown, with_form};

#[test]
fn of_a_pattern_what_can_be_sent_is_sent_and_the_rest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.npy"), npy("|u1", &[5; 64])).unwrap();
    std::fs::write(path("b.bin"), [7; 1000]).unwrap();
    std::fs::write(path("pickled.npy"), npy("|O", b"\x80\x04K\x01.")).unwrap();
    std::os::unix::fs::symlink("nowhere", path("c.npy")).unwrap();
    std::fs::write(path("cut.npy"), &npy("|u1", &[5; 64])[..100]).unwrap();
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.get_by_label("Into: Discard").click();
    window.run();
    type_into(&mut window, "Path", &pattern(folder.path()));
    until_shown(&mut window, "3 files, ");
    window.get_by_label("2 cannot be sent").click();
    window.run();
    window.get_by_label("1 is no array: sent as a plain file").click();
    window.run();
    window.get_by_label_contains("c.npy cannot be sent as an array: it is a link to nowhere");
    window.get_by_label_contains("it is damaged, or someone is still writing it");
    window.get_by_label_contains("pickled.npy: ");
    assert!(!window.get_by_label("Start").accesskit_node().is_disabled());
    window.get_by_label("Start").click();
    let names = done(&mut window, 3);
    assert_eq!(names, ["a.npy", "b.bin", "pickled.npy"]);
}

#[test]
fn a_npy_that_is_no_array_arrives_as_the_file_that_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let into = tempfile::tempdir().unwrap();
    let path = folder.path().join("pickled.npy");
    let bytes = npy("|O", b"\x80\x04K\x01.");
    std::fs::write(&path, &bytes).unwrap();
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.get_by_label("Into: File").click();
    window.run();
    type_into(&mut window, "Path", path.to_str().unwrap());
    type_into(&mut window, "Folder or new file", into.path().to_str().unwrap());
    until_shown(&mut window, "Sent as a plain file, as it is no array: ");
    until(&mut window, "ready", App::can_start);
    window.get_by_label("Start").click();
    done(&mut window, 1);
    assert_eq!(std::fs::read(into.path().join("pickled.npy")).unwrap(), bytes);
}

#[test]
fn what_is_found_at_a_path_takes_no_focus_from_the_field_below() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pickled.npy");
    std::fs::write(&path, npy("|O", b"\x80\x04K\x01.")).unwrap();
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.get_by_label("Into: File").click();
    window.run();
    for (field, text) in [("Folder or new file", "/tmp/in"), ("Timeout", "7s")] {
        window.state_mut().settings_mut().advanced_open = true;
        window.state_mut().settings_mut().form.path = String::new();
        window.run();
        type_into(&mut window, field, "");
        // It is found while someone types elsewhere.
        window.state_mut().settings_mut().form.path = path.to_str().unwrap().to_owned();
        until_shown(&mut window, "Sent as a plain file, as it is no array: ");
        window.run();
        assert!(window.get_by_label(field).is_focused(), "{field}");
        window.get_by_label(field).type_text(text);
        window.run();
        assert!(window.get_by_label(field).value().unwrap_or_default().ends_with(text));
    }
}

#[test]
fn where_nothing_can_be_sent_start_waits_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        std::os::unix::fs::symlink("nowhere", folder.path().join(name)).unwrap();
    }
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    type_into(&mut window, "Path", &pattern(folder.path()));
    until_shown(&mut window, "none of 2 can be sent; of a: ");
    assert!(window.get_by_label("Start").accesskit_node().is_disabled());
}

#[test]
fn a_thousand_and_a_half_files_are_all_sent() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..1500 {
        std::fs::write(folder.path().join(format!("{i:04}")), [1; 8]).unwrap();
    }
    let mut window = with_form();
    window.get_by_label("Source: File").click();
    window.run();
    window.get_by_label("Into: Discard").click();
    window.run();
    type_into(&mut window, "Path", &pattern(folder.path()));
    until_shown(&mut window, "1,500 files, 12.0 kB");
    window.get_by_label("Start").click();
    until(&mut window, "all done", |app| {
        app.transfers().forgotten_done() > 0 && app.transfers().running() == 0
    });
    let transfers = window.state().transfers();
    let listed = transfers.rows().iter();
    let done = listed.filter(|row| matches!(row.phase, Phase::Done { verified: Some(true) }));
    assert_eq!(done.count() as u64 + transfers.forgotten_done(), 1500);
    window.run();
    let forgotten = window.state().transfers().forgotten_done();
    window.get_by_label_contains(&format!("{forgotten} more done"));
}

#[test]
fn what_is_dropped_is_sent_all_of_it_whatever_its_name_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &[u8]| folder.path().join(OsStr::from_bytes(name));
    for name in [&b"a\xff.bin"[..], b"b[1]?.bin", b"c"] {
        std::fs::write(path(name), [3; 100]).unwrap();
    }
    let mut window = without_all_glyphs(None);
    window.get_by_label("Into: Discard").click();
    window.run();
    let dropped = [path(b"a\xff.bin"), path(b"b[1]?.bin"), path(b"c")];
    let files = dropped.map(|path| Arc::new(Dropped(path)) as _);
    window.input_mut().dropped_files.extend(files);
    window.step();
    window.input_mut().dropped_files.clear();
    until_shown(&mut window, "3 files, 300 B");
    window.get_by_label("Start").click();
    let names = done(&mut window, 3);
    assert_eq!(names, ["a\u{fffd}.bin", "b[1]?.bin", "c"]);
}

#[test]
fn a_name_that_is_no_text_on_the_command_line_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"a\xff.bin"));
    std::fs::write(&path, [3; 100]).unwrap();
    let mut window = without_all_glyphs(Some(path));
    until_shown(&mut window, "u8 100 · 100 B");
    window.get_by_label("Start").click();
    done(&mut window, 1);
}

/// All that is in a folder, each by itself.
fn pattern(folder: &Path) -> String {
    folder.join("*").display().to_string()
}

/// A window that may show what its own fonts have no glyph for: what a name has in place of text is drawn as a box. Others
/// are not shown such names, so that it keeps no history.
fn without_all_glyphs(path: Option<PathBuf>) -> Window {
    let options = AppOptions {
        path,
        no_history: true,
        ..AppOptions::default()
    };
    let builder = Harness::builder().with_size([1280.0, 800.0]).with_max_steps(STEPS_MAX);
    let builder = builder.allow_missing_glyphs();
    let mut window = builder.build_eframe(|cc| App::new(cc, options));
    window.run();
    open_form(&mut window);
    window
}

/// A `.npy` of one dimension, of elements of one byte unless they are objects.
fn npy(descr: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({},), }}",
        data.len()
    );
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

/// The names of all rows, the first one first, once so many are done and nothing runs.
fn done(window: &mut Window, count: usize) -> Vec<String> {
    until(window, "all done", |app| {
        app.transfers().own_rows().len() == count && app.transfers().running() == 0
    });
    let rows = window.state().transfers().rows();
    for row in rows {
        assert_eq!(row.phase, Phase::Done { verified: Some(true) }, "{}", row.name());
    }
    rows.iter().rev().map(|row| row.name().to_owned()).collect()
}

/// A file that hangs at the pointer's end.
#[derive(Debug)]
pub(super) struct Dropped(pub(super) PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}
