//! What the window knows: pure data, without egui, without threads, with the time passed in.

pub mod compare;
pub mod form;
pub mod format;
pub mod history;
pub mod pace;
pub mod plan;
pub mod round_trips;
pub mod row;
pub mod services;
pub mod settings;
pub mod transfers;
pub mod waiting;
pub mod words;
