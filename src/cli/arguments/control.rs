//! What can be typed to watch and steer what runs elsewhere on this machine.

use crate::transfer::{Command, TransferId};
use clap::{ArgGroup, Args};

use crate::units::parse_limit;

#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// Prints one JSON object for each
    #[arg(long)]
    pub json: bool,
}

const ATTACH_EXAMPLES: &str = "\
Examples:
  arraylift status
      what sends, receives and serves, with process ids
  arraylift attach 4711
      watches one, until it ends or Ctrl-C, which leaves it alone
  arraylift attach 4711 --limit 3=200MB/s
      its transfer 3, from now on
  arraylift attach --stop
      the only one that runs";

#[derive(Debug, Args)]
#[command(after_help = ATTACH_EXAMPLES, group = ArgGroup::new("command").multiple(false))]
pub(crate) struct AttachArguments {
    /// The process, as arraylift status tells it [default: the only one]
    #[arg(value_parser = parse_pid)]
    pub pid: Option<u32>,
    /// Moves no more bytes of a transfer, until it is resumed
    #[arg(long, value_name = "ID", group = "command", value_parser = parse_id)]
    pub pause: Option<u64>,
    /// Goes on with a transfer
    #[arg(long, value_name = "ID", group = "command", value_parser = parse_id)]
    pub resume: Option<u64>,
    /// Gives a transfer up
    #[arg(long, value_name = "ID", group = "command", value_parser = parse_id)]
    pub cancel: Option<u64>,
    /// The most bytes a second of a transfer: 3=200MB/s, or 3=none
    #[arg(long, value_name = "ID=RATE", group = "command", value_parser = parse_limit_of)]
    pub limit: Option<(u64, Option<u64>)>,
    /// Takes nothing new, and ends with what is on its way
    #[arg(long, group = "command")]
    pub drain: bool,
    /// Ends at once
    #[arg(long, group = "command")]
    pub stop: bool,
    /// Prints events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

impl AttachArguments {
    /// What is asked of the process, where it is not only watched.
    pub(crate) fn command(&self) -> Option<Command> {
        let transfer = TransferId;
        let pause = self.pause.map(|id| Command::Pause { transfer: transfer(id) });
        let resume = self.resume.map(|id| Command::Resume { transfer: transfer(id) });
        let cancel = self.cancel.map(|id| Command::Cancel { transfer: transfer(id) });
        let limit = self.limit.map(|(id, bytes_per_s)| Command::Limit {
            transfer: transfer(id),
            bytes_per_s,
        });
        let drain = self.drain.then_some(Command::Drain);
        let stop = self.stop.then_some(Command::Stop);
        pause.or(resume).or(cancel).or(limit).or(drain).or(stop)
    }
}

fn parse_id(text: &str) -> Result<u64, &'static str> {
    text.parse()
        .map_err(|_| "a transfer is called by its number, which arraylift status tells")
}

fn parse_pid(text: &str) -> Result<u32, &'static str> {
    text.parse()
        .map_err(|_| "a process is called by its id, which arraylift status tells")
}

fn parse_limit_of(text: &str) -> Result<(u64, Option<u64>), String> {
    let wrong = || "a limit is ID=RATE, such as 3=200MB/s, or 3=none".to_owned();
    let (id, rate) = text.split_once('=').ok_or_else(wrong)?;
    let id = id.parse().map_err(|_| wrong())?;
    if rate.is_empty() {
        return Err(wrong());
    }
    let limit = parse_limit(rate).map_err(|error| error.to_string())?;
    Ok((id, limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_belongs_to_a_transfer() {
        assert_eq!(parse_limit_of("3=200MB/s"), Ok((3, Some(200_000_000))));
        assert_eq!(parse_limit_of("3=none"), Ok((3, None)));
        for wrong in ["", "3", "3=", "=1MB/s", "x=1MB/s", "3=0", "-1=1MB/s"] {
            assert!(parse_limit_of(wrong).is_err(), "{wrong}");
        }
    }
}
