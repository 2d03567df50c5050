//! What can be typed. Each value is read here; whether they make sense together is for `plan`.

mod control;
mod fetch;
mod history;
mod pages;
mod ping;
mod resume;
mod serve;
mod tree;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::array::{Dtype, NumberError, Shape, parse_count};
use crate::language::Language;
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::transfer::{PeerUser, StatsChoice};
use crate::wire::{ChecksumKind, WireChoice};
use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};

use crate::units::{UnitError, parse_bytes, parse_bytes_or_auto, parse_limit, parse_rate, parse_time};

pub(super) use control::{AttachArguments, StatusArguments};
pub(super) use fetch::FetchArguments;
pub(super) use history::{
    ComparisonArguments, ForgetArguments, HistoryAction, HistoryArguments, KeepArguments, ShowArguments,
};
pub(super) use pages::PagesArguments;
pub(super) use ping::PingArguments;
pub(super) use resume::ResumeArguments;
pub(super) use serve::{LimitArguments, ServeArguments, WorkerArguments, WorkersArguments};
pub(super) use tree::TreeArguments;

const EXAMPLES: &str = "\
Examples:
  arraylift
      opens the window
  arraylift loopback range:0:50_000_000
      400 MB of f64 from this machine to itself
  arraylift receive 0.0.0.0:25000 --into inbox/
      takes arrays until Ctrl-C
  arraylift send big.npy server:25000
      sends one there, verified
  arraylift fetch https://server.example/big.npy
      takes a file from a web server

SOURCE is a PATH, range:START:STOP[:STEP] (exactly numpy.arange), shm:NAME (POSIX shared memory) or - (standard input, \
with --length).
ENDPOINT is HOST:PORT or unix:PATH.

The exit code is 0 when all is done, and verified where the wire can verify; 1 when something failed or was cancelled; \
2 for wrong usage. A service, and receive of many, ends with 0 when it is asked to end and cut nothing off, whatever \
became of single transfers.";

const LOOPBACK_EXAMPLES: &str = "\
Examples:
  arraylift loopback range:0:50_000_000
  arraylift loopback big.npy --into copy.npy --limit 200MB/s
  arraylift loopback range:0:50_000_000 --repeat 10
      prints the median, too
  arraylift loopback range:0:1e9 --dtype f32 --into discard --json";

const SEND_EXAMPLES: &str = "\
Examples:
  arraylift send big.npy server:25000
  arraylift send a.npy b.npy c.npy server:25000 --jobs 2
      two at once
  arraylift send runs/ server:25000 --exclude '*.tmp'
      a folder with all that is in it; what is there already is not sent again
  arraylift send range:0:1e9:0.5 '[::1]:25000' --limit 200MB/s
  arraylift send big.bin unix:$XDG_RUNTIME_DIR/arrays --offset 1GiB --length 256MiB --dtype f32
  arraylift send big.npy server:25000 --wire npy
      for NumPy there: see docs/manual.md
  arraylift send shm:frames server:25000 --dtype f32
      what SharedMemory('frames') of Python made
  producer | arraylift send - server:25000 --length 800MB --dtype f64";

const RECEIVE_EXAMPLES: &str = "\
Examples:
  arraylift receive 0.0.0.0:25000
      into the current folder, until Ctrl-C
  arraylift receive 127.0.0.1:0 --into memory --once
      port 0 takes a free one and prints it
  arraylift receive '[::]:25000' --into big.npy
      one array into that file
  arraylift receive 0.0.0.0:25000 --wire raw --dtype f64 --count 50_000_000 --into a.npy
  arraylift receive 0.0.0.0:25000 --into whole.npy --at 32
  arraylift receive 0.0.0.0:25000 --into shm:frames
      what SharedMemory('frames') of Python opens";

const COMPARE_EXAMPLES: &str = "\
Examples:
  arraylift compare range:0:50_000_000
      every route into memory, 5 rounds
  arraylift compare big.npy --sizes --save today.json
      files, too, and time against size
  arraylift compare big.npy --with today.json
      beside what was saved

Each run is a process of its own, contestants take turns, and medians are printed. Of the result nothing is kept \
but what --save names; what this machine can do at most is kept under ~/.cache/arraylift. The exit code is 1 where a \
contestant that ought to have run gave no numbers.";

/// Moves large arrays and files with as few copies as possible, and shows how fast.
#[derive(Debug, Parser)]
#[command(name = "arraylift", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub window: WindowArguments,
}

/// How the window opens, where no command is typed.
#[derive(Debug, Args)]
pub(crate) struct WindowArguments {
    /// Opens the window with this file chosen
    pub path: Option<PathBuf>,
    /// Opens the window minimized
    #[arg(long)]
    pub minimized: bool,
    /// Lets the window speak this language; else the one that was chosen in it, else that of the system
    #[arg(long, value_parser = languages())]
    pub lang: Option<Language>,
    #[command(flatten)]
    pub keep: KeepArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Moves a source with both ends on this machine
    Loopback(LoopbackArguments),
    /// Sends a source to a receiver
    Send(SendArguments),
    /// Receives from a few senders
    Receive(ReceiveArguments),
    /// Takes files from web servers
    Fetch(FetchArguments),
    /// Takes thousands of senders at once, and stays up
    Serve(ServeArguments),
    /// Receives for a service that runs elsewhere on this machine
    Worker(WorkerArguments),
    /// Tells what sends, receives and serves on this machine for this user
    Status(StatusArguments),
    /// Watches and steers what runs elsewhere on this machine
    Attach(AttachArguments),
    /// Measures round trips to a service that sends back what comes
    Ping(PingArguments),
    /// Moves a source by each route in turn, and tells what each costs
    Compare(CompareArguments),
    /// Lists what broke, and goes on with it
    Resume(ResumeArguments),
    /// Tells what was transferred, and forgets it
    History(HistoryArguments),
    /// Writes manual pages, and completions for bash, zsh and fish
    Pages(PagesArguments),
}

#[derive(Debug, Args)]
#[command(after_help = LOOPBACK_EXAMPLES)]
pub(crate) struct LoopbackArguments {
    #[command(flatten)]
    pub source: SourceArguments,
    /// Where it lands: memory, discard (measure only), shm:NAME, a file, or a folder
    #[arg(long, value_name = "SINK", default_value = "memory")]
    pub into: PathBuf,
    /// Moves it so many times, one transfer after another in this process, and tells the median
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole::<u32>(1, u32::MAX.into()))]
    pub repeat: u32,
    #[command(flatten)]
    pub tree: TreeArguments,
    #[command(flatten)]
    pub sending: SendingArguments,
    #[command(flatten)]
    pub part: PartArguments,
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
#[command(after_help = SEND_EXAMPLES, override_usage = "arraylift send [OPTIONS] <SOURCE>... <ENDPOINT>")]
pub(crate) struct SendArguments {
    /// Files, folders (with all that is in them), patterns such as 'runs/*.npy', range:START:STOP[:STEP] as numpy.arange
    /// makes it, shm:NAME, or - for standard input; the last one is where the receiver listens: HOST:PORT or unix:PATH
    // One list: of two, options could not stand between the sources and the endpoint.
    #[arg(value_name = "SOURCE", required = true, num_args = 1..)]
    pub sources_and_endpoint: Vec<OsString>,
    /// Of several sources, so many are sent at once, each over a connection of its own
    #[arg(long, value_name = "N", default_value = "4", value_parser = whole::<u16>(1, 256))]
    pub jobs: u16,
    /// Where the connection breaks, or nobody listens, tries again until nothing has moved for so long; what the receiver
    /// has by then is not sent again
    #[arg(long, value_name = "TIME", value_parser = parse_time, default_missing_value = "10m", num_args = 0..=1,
          require_equals = true)]
    pub retry: Option<Duration>,
    #[command(flatten)]
    pub tree: TreeArguments,
    #[command(flatten)]
    pub view: ViewArguments,
    #[command(flatten)]
    pub sending: SendingArguments,
    #[command(flatten)]
    pub looking: LookingArguments,
    #[command(flatten)]
    pub common: CommonArguments,
    #[command(flatten)]
    pub keep: KeepArguments,
}

#[derive(Debug, Args)]
#[command(after_help = RECEIVE_EXAMPLES)]
pub(crate) struct ReceiveArguments {
    /// Where to listen: HOST:PORT or unix:PATH; port 0 takes a free one
    #[arg(value_parser = endpoints())]
    pub endpoint: String,
    /// Where it lands: a folder (under the sender's name, made safe), a file or shm:NAME (which take one array, as with
    /// --once), memory, or discard (measure only). Nothing is overwritten without --allow-replace
    #[arg(long, value_name = "SINK", default_value = ".")]
    pub into: PathBuf,
    /// Takes one connection and exits with its result
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub expect: ExpectArguments,
    #[command(flatten)]
    pub part: PartArguments,
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
pub(crate) struct ExpectArguments {
    /// The elements that come: needed with --wire raw, compared otherwise
    #[arg(long, value_name = "N", value_parser = parse_count, conflicts_with = "shape")]
    pub count: Option<u64>,
    /// The shape that comes, such as 3,4
    #[arg(long, value_parser = Shape::parse)]
    pub shape: Option<Shape>,
    /// The type of the elements that --count or --shape count [default: f64]
    #[arg(long, value_parser = Dtype::from_name)]
    pub dtype: Option<Dtype>,
}

#[derive(Debug, Args)]
#[command(after_help = COMPARE_EXAMPLES)]
pub(crate) struct CompareArguments {
    /// A file, range:START:STOP[:STEP] as numpy.arange makes it, or shm:NAME: what can be read many times
    pub source: OsString,
    #[command(flatten)]
    pub view: ViewArguments,
    /// A folder for the routes that write a file, which is removed after each run [default: that of a source that is a
    /// file]
    #[arg(long, value_name = "FOLDER")]
    pub into: Option<PathBuf>,
    /// Rounds that count, beside one to warm up
    #[arg(long, value_name = "N", default_value = "5", value_parser = whole::<u32>(1, 1000))]
    pub rounds: u32,
    /// Measures time against size, too: from 4 KiB on, eight times as large each
    #[arg(long)]
    pub sizes: bool,
    /// Saves the result: NAME.json to be read back, NAME.csv for spreadsheets; may be given twice
    #[arg(long, value_name = "NAME")]
    pub save: Vec<PathBuf>,
    /// Shows the result beside one that was saved as JSON
    #[arg(long, value_name = "OLD.json")]
    pub with: Option<PathBuf>,
    /// Measures again what this machine can do at most, which is otherwise done once and kept
    #[arg(long)]
    pub measure_ceilings: bool,
    /// Prints events as JSON, one object a line: planned, round, lost, size, and at last result
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SourceArguments {
    /// A file, range:START:STOP[:STEP] as numpy.arange makes it, shm:NAME, or - for standard input
    pub source: OsString,
    #[command(flatten)]
    pub view: ViewArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// The type of a range's elements (f64 unless given), or how to view a file's bytes: f32, i32, u8 (bytes), or
    /// NumPy's name, such as float16, >f4 and uint64
    #[arg(long, value_parser = Dtype::from_name)]
    pub dtype: Option<Dtype>,
    /// Leaves out so many bytes of the source's array at its beginning
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub offset: Option<u64>,
    /// Sends so many bytes and not all that follow; what does not tell its length (a pipe, a device, which compare
    /// refuses) needs it
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub length: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct SendingArguments {
    /// How bytes leave
    #[arg(long, value_name = "ROUTE", default_value = "auto", value_parser = send_routes())]
    pub send_route: SendRouteChoice,
    /// Leaves checksums out
    #[arg(long, conflicts_with = "checksum")]
    pub no_verify: bool,
    /// What the native wire is verified with [default: crc64nvme]
    #[arg(long, value_name = "KIND", value_parser = checksums())]
    pub checksum: Option<ChecksumKind>,
    /// Over how many connections the array moves, on the native wire: the receiver may take fewer
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_streams)]
    pub streams: u16,
    /// As if a slow program wrote the array: it yields at most so many bytes a second
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub writer_pace: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct ReceivingArguments {
    /// How bytes land
    #[arg(long, value_name = "ROUTE", default_value = "auto", value_parser = receive_routes())]
    pub receive_route: ReceiveRouteChoice,
    /// Does not wait until a file is on disk: it is done when the kernel has it, and a loss of power can cost it
    #[arg(long)]
    pub no_sync: bool,
    /// Lets the sender of a folder have files replaced that are there and differ (its --update and --replace). Otherwise
    /// nothing is ever replaced
    #[arg(long)]
    pub allow_replace: bool,
    /// As if a slow program read the array: it takes at most so many bytes a second
    #[arg(long, value_name = "RATE", value_parser = parse_rate)]
    pub reader_pace: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct LookingArguments {
    /// Tells what the values are that pass by: minimum, maximum, mean, NaN, infinities and a histogram. It looks at as many
    /// as cost 0.4 % of the time, and more where there is time to spare
    #[arg(long)]
    pub stats: bool,
}

impl LookingArguments {
    /// The option that it stands for.
    pub(crate) fn choice(&self) -> StatsChoice {
        if self.stats {
            StatsChoice::AtEnd
        } else {
            StatsChoice::Off
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PartArguments {
    /// Receives into a part of the existing file that --into names, from this byte of its array
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    pub at: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct CommonArguments {
    /// What both ends say to each other
    #[arg(long, default_value = "auto", value_parser = wires())]
    pub wire: WireChoice,
    /// Bytes handed to one system call, at most, or auto [default: from 1MiB to 4MiB, by this processor's cache]
    #[arg(long, value_name = "SIZE", default_value = "auto", hide_default_value = true, value_parser = bytes_or_auto)]
    pub chunk: Setting,
    /// The most bytes a second, such as 200MB/s, or none
    #[arg(long, value_name = "RATE", default_value = "none", hide_default_value = true, value_parser = limit)]
    pub limit: Setting,
    /// The size of the socket's buffers, each [default: 4MiB on this machine, else the kernel's choice]
    #[arg(long, value_name = "SIZE", value_parser = parse_bytes)]
    pub socket_buffer: Option<u64>,
    /// How many first elements are shown
    #[arg(long, value_name = "N", default_value = "10", value_parser = parse_count)]
    pub preview: u64,
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

/// A number, or the word that stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting(pub Option<u64>);

fn limit(text: &str) -> Result<Setting, UnitError> {
    parse_limit(text).map(Setting)
}

fn bytes_or_auto(text: &str) -> Result<Setting, UnitError> {
    parse_bytes_or_auto(text).map(Setting)
}

/// A whole number within bounds, both included; `u64::MAX` is none.
fn whole<T>(least: u64, most: u64) -> impl TypedValueParser<Value = T>
where
    T: TryFrom<u64> + Clone + Send + Sync + 'static,
{
    move |text: &str| {
        let number = parse_count(text).ok().filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| match most {
            u64::MAX => format!("it is a whole number from {least} on"),
            most => format!("it is a whole number from {least} to {most}"),
        })
    }
}

/// A number of connections; what is beyond any bound is refused with the other options.
fn parse_streams(text: &str) -> Result<u16, NumberError> {
    parse_count(text).map(|streams| u16::try_from(streams).unwrap_or(u16::MAX))
}

fn parse_user(text: &str) -> Result<PeerUser, String> {
    PeerUser::parse(text).map_err(|error| error.to_string())
}

/// What is said of one that is not: JSON, which tells of endpoints, carries no other bytes.
pub(super) const ENDPOINT_IS_TEXT: &str = "an endpoint is UTF-8 text";

fn endpoints() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().try_map(|typed| typed.into_string().map_err(|_| ENDPOINT_IS_TEXT))
}

fn languages() -> impl TypedValueParser<Value = Language> {
    named(Language::ALL, Language::tag)
}

fn wires() -> impl TypedValueParser<Value = WireChoice> {
    named(WireChoice::ALL, WireChoice::name)
}

fn send_routes() -> impl TypedValueParser<Value = SendRouteChoice> {
    named(SendRouteChoice::ALL, SendRouteChoice::name)
}

fn receive_routes() -> impl TypedValueParser<Value = ReceiveRouteChoice> {
    named(ReceiveRouteChoice::ALL, ReceiveRouteChoice::name)
}

fn checksums() -> impl TypedValueParser<Value = ChecksumKind> {
    let kinds = [ChecksumKind::Crc64Nvme, ChecksumKind::Crc32, ChecksumKind::None];
    named(kinds, ChecksumKind::name)
}

/// One of `values` by its name.
fn named<T, const N: usize>(values: [T; N], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Default + Send + Sync + 'static,
{
    PossibleValuesParser::new(values.map(name)).map(move |typed| {
        let found = values.into_iter().find(|value| name(*value) == typed);
        // Only names of `values` come this far.
        found.unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definitions_contradict_neither_themselves_nor_each_other() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn names_are_those_of_the_engine() {
        let typed =
            Arguments::try_parse_from(["arraylift", "send", "a", "b:1", "--wire", "npy", "--checksum", "crc32"]);
        let Some(Command::Send(typed)) = typed.expect("valid").command else {
            panic!("send")
        };
        assert_eq!(typed.common.wire, WireChoice::Npy);
        assert_eq!(typed.sending.checksum, Some(ChecksumKind::Crc32));
    }
}
