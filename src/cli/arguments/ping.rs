//! What can be typed to measure round trips.

use std::time::Duration;

use clap::Args;

use super::{endpoints, parse_user, whole};
use crate::transfer::PeerUser;
use crate::units::{parse_bytes, parse_time};

const PING_EXAMPLES: &str = "\
Examples:
  arraylift serve 0.0.0.0:25000 --echo
      there
  arraylift ping server:25000
      here: sizes from 1 B to 64 MiB
  arraylift ping server:25000 --sizes 64,1500 --count 10000 --json

Any service that sends back what comes will do, also one that is not Arraylift's. What comes back is compared with what \
was sent. Each size has one round trip before those that count.";

#[derive(Debug, Args)]
#[command(after_help = PING_EXAMPLES)]
pub(crate) struct PingArguments {
    /// Where the echo service listens: HOST:PORT or unix:PATH
    #[arg(value_parser = endpoints())]
    pub endpoint: String,
    /// Bytes there and back again, each from 1B to 1GiB
    #[arg(long, value_name = "SIZES", value_delimiter = ',', value_parser = parse_bytes, default_value = "1,64,1KiB,16KiB,256KiB,4MiB,64MiB")]
    pub sizes: Vec<u64>,
    /// Round trips of each size [default: what a second gives, from 3 to 10000]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1, u64::MAX))]
    pub count: Option<u64>,
    /// The size of the socket's buffers, each [default: 4MiB on this machine, else the kernel's choice]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub socket_buffer: Option<u64>,
    /// How long the other end may be silent: 500ms, 30s, 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    pub timeout: Duration,
    /// Whose process may be at the other end of unix:PATH, beside those of this user and of root: NAME, UID or any
    #[arg(long, value_name = "USER", value_parser = parse_user)]
    pub peer_user: Option<PeerUser>,
    /// Prints events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
}
