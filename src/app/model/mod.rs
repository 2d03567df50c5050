//! What the window knows: pure data, without egui, without threads, with the time passed in.

pub(crate) mod axes;
mod by_name;
pub(crate) mod compare;
pub(crate) mod curves;
pub(crate) mod error_text;
pub(crate) mod form;
pub(crate) mod format;
pub(crate) mod history;
pub(crate) mod lane;
pub(crate) mod list;
pub(crate) mod notice;
pub(crate) mod palette;
pub(crate) mod place;
pub(crate) mod plan;
pub(crate) mod plot_view;
pub(crate) mod queue;
mod removal;
pub(crate) mod removed;
pub(crate) mod repaint;
pub(crate) mod round_trips;
pub(crate) mod row;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod sources;
pub(crate) mod totals;
pub(crate) mod transfers;
pub(crate) mod view;
