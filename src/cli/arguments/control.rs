//! What can be typed to watch and steer what runs elsewhere on this machine.

use crate::control::Wish;
use crate::transfer::TransferId;
use clap::{ArgGroup, Args};

use crate::cli::size::parse_limit;

#[derive(Debug, Args)]
pub struct StatusArguments {
    /// Prints one JSON object for each
    #[arg(long)]
    pub json: bool,
}

const ATTACH_EXAMPLES: &str = "\
Examples:
  arraylift status                                       what sends, receives and serves, with process ids
  arraylift attach 4711                                  watches one, until it ends or Ctrl-C, which leaves it alone
  arraylift attach 4711 --limit 3=200MB/s                its transfer 3, from now on
  arraylift attach --stop                                the only one that runs";

#[derive(Debug, Args)]
#[command(after_help = ATTACH_EXAMPLES, group = ArgGroup::new("wish").multiple(false))]
pub struct AttachArguments {
    /// The process, as arraylift status tells it [default: the only one]
    pub pid: Option<u32>,
    /// Moves no more bytes of a transfer, until it is resumed
    #[arg(long, value_name = "ID", group = "wish")]
    pub pause: Option<u64>,
    /// Goes on with a transfer
    #[arg(long, value_name = "ID", group = "wish")]
    pub resume: Option<u64>,
    /// Gives a transfer up
    #[arg(long, value_name = "ID", group = "wish")]
    pub cancel: Option<u64>,
    /// The most bytes a second of a transfer: 3=200MB/s, or 3=none
    #[arg(long, value_name = "ID=RATE", group = "wish", value_parser = parse_limit_of)]
    pub limit: Option<(u64, Option<u64>)>,
    /// Takes nothing new, and ends with what is on its way
    #[arg(long, group = "wish")]
    pub drain: bool,
    /// Ends at once
    #[arg(long, group = "wish")]
    pub stop: bool,
    /// Prints events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}

impl AttachArguments {
    /// What is wanted, where it is more than to watch.
    pub fn wish(&self) -> Option<Wish> {
        let transfer = TransferId;
        let pause = self.pause.map(|id| Wish::Pause { transfer: transfer(id) });
        let resume = self.resume.map(|id| Wish::Resume { transfer: transfer(id) });
        let cancel = self.cancel.map(|id| Wish::Cancel { transfer: transfer(id) });
        let limit = self.limit.map(|(id, bytes_per_s)| Wish::Limit {
            transfer: transfer(id),
            bytes_per_s,
        });
        let whole = match (self.drain, self.stop) {
            (true, _) => Some(Wish::Drain),
            (_, true) => Some(Wish::Stop),
            _ => None,
        };
        pause.or(resume).or(cancel).or(limit).or(whole)
    }
}

fn parse_limit_of(text: &str) -> Result<(u64, Option<u64>), String> {
    let wrong = || "a limit is ID=RATE, such as 3=200MB/s, or 3=none".to_owned();
    let (id, rate) = text.split_once('=').ok_or_else(wrong)?;
    let id = id.parse().map_err(|_| wrong())?;
    match rate {
        "none" => Ok((id, None)),
        rate => Ok((id, Some(parse_limit(rate)?))),
    }
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
