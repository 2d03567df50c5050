//! What can be typed for a service.

use std::path::PathBuf;

use crate::service::Limits;
use crate::transfer::KeepFree;
use clap::Args;

use super::{CommonArguments, ExpectArguments, KeepArguments, LookingArguments, ReceivingArguments, endpoints, whole};
use crate::units::{parse_bytes, parse_rate};

const SERVE_EXAMPLES: &str = "\
Examples:
  arraylift serve 0.0.0.0:25000 --into incoming/
      takes thousands of senders at once
  arraylift serve 0.0.0.0:25000 --into incoming/ --max-bytes 10GB --keep-free 50GB
  arraylift serve unix:$XDG_RUNTIME_DIR/arrays --wire raw --dtype f32 --shape 640,480 --json
  arraylift serve 0.0.0.0:25000 --echo
      for arraylift ping, netcat and others
  arraylift serve 0.0.0.0:25000 --recipe-workers $XDG_RUNTIME_DIR/work
      Python serves: see docs/manual.md

After the first Ctrl-C (or SIGTERM) it takes no new connections, and ends when the transfers on their way are done. The \
second one ends it at once; what was half received stays where the same can go on with it.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArguments {
    /// Where to listen: HOST:PORT or unix:PATH; port 0 takes a free one
    #[arg(value_parser = endpoints())]
    pub endpoint: String,
    /// Where arrays land: a folder (under the senders' names, made safe), memory, or discard (measure only). Nothing is
    /// ever overwritten
    #[arg(long, value_name = "SINK", default_value = ".")]
    pub into: PathBuf,
    /// Sends back what comes, and keeps nothing
    #[arg(long, conflicts_with_all = ["into", "workers", "workers_at", "count", "shape", "dtype", "max_bytes", "max_total",
        "keep_free", "slowest", "receive_route", "no_sync", "allow_replace", "reader_pace", "stats", "wire", "chunk", "limit", "preview"])]
    pub echo: bool,
    /// Hands each connection to a program of the same user that connects to this Unix socket: one byte with the
    /// descriptor beside it, which it answers with OK within the timeout. Reads and keeps nothing
    #[arg(long, value_name = "PATH", conflicts_with_all = ["echo", "into", "workers", "workers_at", "count", "shape", "dtype",
        "max_connections", "max_bytes", "max_total", "keep_free", "slowest", "receive_route", "no_sync", "allow_replace", "reader_pace", "stats", "wire",
        "chunk", "limit", "preview"])]
    pub recipe_workers: Option<PathBuf>,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub workers: WorkersArguments,
    #[command(flatten)]
    pub expect: ExpectArguments,
    #[command(flatten)]
    pub receiving: ReceivingArguments,
    #[command(flatten)]
    pub looking: LookingArguments,
    #[command(flatten)]
    pub common: CommonArguments,
    #[command(flatten)]
    pub keep: KeepArguments,
}

#[derive(Debug, Args)]
pub(crate) struct LimitArguments {
    /// Connections at once; who comes beyond waits to be accepted [default: what descriptors there are for]
    #[arg(long, value_name = "N", value_parser = whole::<u32>(1, u32::MAX.into()))]
    pub max_connections: Option<u32>,
    /// The largest array that is taken
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub max_bytes: Option<u64>,
    /// Bytes that are taken in all, over all arrays
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub max_total: Option<u64>,
    /// What has to stay free of the folder's disk: bytes, or a part of it in percent
    #[arg(long, value_name = "BYTES|N%", default_value_t)]
    pub keep_free: KeepFree,
    /// Gives up a sender that moves fewer bytes a second, on average over the timeout [default: 1kB/s]
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub slowest: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct WorkersArguments {
    /// Worker processes that receive in the service's place; one that ends is replaced
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole::<u16>(0, 256))]
    pub workers: u16,
    /// A Unix socket at which further workers of this user join, with --key: arraylift worker PATH --key FILE
    #[arg(long, value_name = "PATH", requires = "key")]
    pub workers_at: Option<PathBuf>,
    /// The file with the key that workers have to have; with --workers-at it is made where there is none, with
    /// --recipe-workers it is the authkey of multiprocessing.connection
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

const WORKER_EXAMPLES: &str = "\
Examples:
  arraylift serve 0.0.0.0:25000 --into incoming/ --workers 2 --workers-at $XDG_RUNTIME_DIR/arrays --key arrays.key
  arraylift worker $XDG_RUNTIME_DIR/arrays --key arrays.key
      a third one, in another terminal
  arraylift worker --recipe $XDG_RUNTIME_DIR/work --into incoming/
      receives what a program of another kind accepts

After the first Ctrl-C (or SIGTERM) it takes nothing new, and ends when what it has is done. The second one ends it at \
once.";

#[derive(Debug, Args)]
#[command(after_help = WORKER_EXAMPLES)]
pub(crate) struct WorkerArguments {
    /// Where the service lets workers join; - is for workers that a service starts itself. What is received and how is
    /// the service's to say
    #[arg(required_unless_present = "recipe", conflicts_with_all = ["recipe", "into", "count", "shape", "dtype",
        "max_connections", "max_bytes", "max_total", "keep_free", "slowest", "receive_route", "no_sync", "allow_replace", "reader_pace", "stats", "wire",
        "chunk", "limit", "preview", "timeout", "socket_buffer", "peer_user"])]
    pub path: Option<PathBuf>,
    /// The file with the service's key; with --recipe the authkey of a Listener of multiprocessing.connection
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where a program that is not Arraylift's hands its connections over: one byte with the descriptor beside it
    /// for each, which is answered with OK
    #[arg(long, value_name = "PATH")]
    pub recipe: Option<PathBuf>,
    /// With --recipe: where arrays land: a folder, memory, or discard (measure only). Nothing is ever overwritten
    #[arg(long, value_name = "SINK", default_value = ".")]
    pub into: PathBuf,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub expect: ExpectArguments,
    #[command(flatten)]
    pub receiving: ReceivingArguments,
    #[command(flatten)]
    pub looking: LookingArguments,
    #[command(flatten)]
    pub common: CommonArguments,
    #[command(flatten)]
    pub keep: KeepArguments,
}

impl LimitArguments {
    /// The limits of a service.
    pub(crate) fn limits(&self) -> Limits {
        let default = Limits::default();
        Limits {
            connections: self.max_connections.and_then(|most| usize::try_from(most).ok()),
            bytes_each: self.max_bytes,
            bytes_in_all: self.max_total,
            keep_free: self.keep_free,
            slowest_bytes_per_s: self.slowest.or(default.slowest_bytes_per_s),
        }
    }
}
