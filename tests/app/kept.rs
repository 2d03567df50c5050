//! Histories of made-up entries: pictures and measurements of them are the same on every machine.

use std::path::Path;

use rusqlite::{Connection, params};
use serde_json::{Value as Json, json};

use super::{Phase, of_range, phase, sized, until};

/// An entry, and its bytes over time at its receiver.
pub(super) struct Kept {
    /// What is known of it. What is left out is as nothing was known.
    pub(super) entry: Json,
    /// When it began by the clock here, as `2026-11-29 16:46:32`.
    pub(super) began: String,
    /// Seconds, and bytes that had come by then.
    pub(super) curve: Vec<(f64, u64)>,
}

/// Makes a history there of these, the first one the oldest.
pub(super) fn keep(path: &Path, entries: &[Kept]) {
    // The program makes the file.
    let mut window = sized(900.0, 600.0);
    window.state_mut().keep_history_at(Some(path.to_owned()));
    window.state_mut().settings_mut().form = of_range("1000");
    window.run();
    window.key_press_modifiers(eframe::egui::Modifiers::CTRL, eframe::egui::Key::Enter);
    until(&mut window, "done", |app| {
        matches!(phase(app), Some(Phase::Done { .. }))
    });
    drop(window);
    let mut history = Connection::open(path).unwrap();
    let transaction = history.transaction().unwrap();
    transaction.execute("DELETE FROM entries", []).unwrap();
    for kept in entries {
        let insert = "INSERT INTO entries (began_unix_ms, command, words)
            VALUES (1000 * strftime('%s', ?1, 'utc'), 'window', ?2)";
        let words = kept.entry["source"].as_str().unwrap_or_default();
        transaction.execute(insert, params![kept.began, words]).unwrap();
        let id = transaction.last_insert_rowid();
        let began = "SELECT began_unix_ms FROM entries WHERE id = ?1";
        let began_unix_ms: i64 = transaction.query_row(began, [id], |row| row.get(0)).unwrap();
        let mut entry = kept.entry.clone();
        (entry["id"], entry["began_unix_ms"]) = (json!(id), json!(began_unix_ms));
        let insert = "INSERT INTO details (id, entry) VALUES (?1, ?2)";
        transaction.execute(insert, params![id, entry.to_string()]).unwrap();
        let insert = "INSERT INTO curves (id, points) VALUES (?1, ?2)";
        transaction.execute(insert, params![id, points(&kept.curve)]).unwrap();
    }
    transaction.commit().unwrap();
}

/// A curve of the receiver alone, as `src/history/curve.rs` keeps it.
fn points(curve: &[(f64, u64)]) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, 0);
    put(&mut out, curve.len() as u64);
    let mut before = (0, 0);
    for (t_s, bytes) in curve {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a made-up time")]
        let t_us = (t_s * 1e6).round() as u64;
        put(&mut out, t_us - before.0);
        put(&mut out, bytes - before.1);
        before = (t_us, *bytes);
    }
    out
}

/// LEB128.
fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}
