//! The panels: each draws what the model holds and returns what a person asked for.

pub(crate) mod close;
pub(crate) mod compare;
pub(crate) mod empty;
mod ghost;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod instrument;
mod last_done;
pub(crate) mod list_head;
mod list_heading;
pub(crate) mod list_row;
pub(crate) mod new_transfer;
pub(crate) mod notice;
pub(crate) mod palette;
pub(crate) mod rail;
pub(crate) mod round_trips;
pub(crate) mod row_menu;
mod services;
pub(crate) mod settings;
pub(crate) mod status;
mod still_plot;
pub(crate) mod strip;
pub(crate) mod transfers;
