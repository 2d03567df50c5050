//! What can be typed after `arraylift fetch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::units::{parse_bytes, parse_count, parse_time};

use super::{KeepArguments, LookingArguments, Setting, bytes_or_auto, limit, parse_streams, whole};

const EXAMPLES: &str = "\
Examples:
  arraylift fetch https://server.example/big.npy
      into the current folder, under its name there
  arraylift fetch https://a.example/1.npy https://b.example/2.npy --into data/ --jobs 2
  arraylift fetch https://server.example/big.npy --streams 4
  arraylift fetch https://10.0.0.7/big.bin --ca site.pem --into memory

If a connection breaks, another one goes on where it was if the server proves the version of what it sends (a strong \
ETag, or Last-Modified with Date), and begins again otherwise. Nothing is ever overwritten.

Proxies are those of http_proxy, HTTPS_PROXY, ALL_PROXY and NO_PROXY, as curl has them.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FetchArguments {
    /// http:// or https:// URLs of files
    #[arg(value_name = "URL", required = true, num_args = 1..)]
    pub urls: Vec<String>,
    /// Where it lands: a folder (under the URL's last part, made safe), a file or shm:NAME (which take one), memory, or
    /// discard (measure only)
    #[arg(long, value_name = "SINK", default_value = ".")]
    pub into: PathBuf,
    /// In a folder, calls each file what its server calls it (Content-Disposition), made safe, where it does; otherwise
    /// after its URL
    #[arg(long)]
    pub name_from_server: bool,
    /// Of several URLs, so many are fetched at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = whole::<u16>(1, 256))]
    pub jobs: u16,
    /// Over how many connections each file comes, in parts of 8 MiB or more, where the server sends parts of a version
    /// that it names
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_streams)]
    pub streams: u16,
    /// Does not wait until a file is on disk: it is done when the kernel has it, and a loss of power can cost it
    #[arg(long)]
    pub no_sync: bool,
    /// Trusts the certificates in this PEM file in place of those of the system
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The most bytes a second for each file, such as 20MB/s, or none
    #[arg(long, value_name = "RATE", default_value = "none", hide_default_value = true, value_parser = limit)]
    pub limit: Setting,
    /// Bytes handed to one system call, at most, or auto [default: from 1MiB to 4MiB, by this processor's cache]
    #[arg(long, value_name = "SIZE", default_value = "auto", hide_default_value = true, value_parser = bytes_or_auto)]
    pub chunk: Setting,
    /// The size of the socket's buffers, each [default: 4MiB on this machine, else the kernel's choice]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub socket_buffer: Option<u64>,
    /// How many first bytes are shown
    #[arg(long, value_name = "N", default_value = "10", value_parser = parse_count)]
    pub preview: u64,
    /// How long the server may be silent: 500ms, 30s, 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    pub timeout: Duration,
    #[command(flatten)]
    pub looking: LookingArguments,
    /// Prints events as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub keep: KeepArguments,
}
