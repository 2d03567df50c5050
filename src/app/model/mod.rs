//! What the window knows: pure data, without egui, without threads, with the time passed in.

mod by_name;
pub mod compare;
pub mod curves;
pub mod error_text;
pub mod form;
pub mod format;
pub mod plan;
pub mod queue;
pub mod repaint;
pub mod round_trips;
pub mod row;
pub mod services;
pub mod settings;
pub mod transfers;
pub mod typed_path;
pub mod view;
