//! What was typed becomes what is done. Past this module nothing can contradict itself.

mod ends;
mod options;
mod service;
mod sources;

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use crate::Error;
use crate::array::{ArrayMeta, Range};
use crate::compare::{Comparison, check_save, load};
use crate::ping::Rounds;
use crate::transfer::{Endpoint, Incoming, Job, Options, Origin, SinkSpec, SourceSpec, Trust, Url};
use crate::wire::ChecksumKind;

use super::Failure;
use super::arguments::{
    CompareArguments, ENDPOINT_IS_TEXT, FetchArguments, LoopbackArguments, PingArguments, ReceiveArguments,
    SendArguments,
};

use self::ends::{endpoint, expected, sink, source_spec};
use self::options::{check_handoff, checked, chunk_bytes, out_of_bounds, receive_route, receiving, sending, size};
use self::sources::{sources, tree};

pub(super) use self::service::{ServicePlan, recipe_worker, serve};
pub(super) use self::sources::Sources;

/// One transfer.
#[derive(Debug)]
pub(super) struct TransferPlan<Peer = Incoming> {
    pub job: Job<Peer>,
    pub options: Options,
    pub json: bool,
}

/// Where to listen, and what to do with whoever connects.
#[derive(Debug)]
pub(super) struct ReceivePlan {
    pub at: Endpoint,
    pub sink: SinkSpec,
    pub expect: Option<ArrayMeta>,
    pub once: bool,
    pub options: Options,
    pub json: bool,
}

/// The plan of `arraylift loopback`.
pub(super) fn loopback(typed: &LoopbackArguments) -> Result<TransferPlan<Infallible>, Failure> {
    let sink = sink(&typed.into, typed.part.at)?;
    if typed.repeat > 1 && matches!(sink, SinkSpec::File(_) | SinkSpec::Shm(_)) {
        return Err(usage(
            "a file takes one array: to --repeat it, name a folder, memory or discard with --into",
        ));
    }
    let given = std::slice::from_ref(&typed.source.source);
    let source = match tree(given, &typed.tree, &typed.source.view, &typed.looking)? {
        Some(tree) => SourceSpec::new(Origin::Tree(tree)),
        None => source_spec(&typed.source.source, &typed.source.view)?,
    };
    let options = checked(Options {
        receive_route: receive_route(&typed.receiving, &sink)?,
        reader_pace_bytes_per_s: typed.receiving.reader_pace,
        sync: !typed.receiving.no_sync,
        allow_replace: typed.receiving.allow_replace,
        stats: typed.looking.choice(),
        ..sending(&typed.sending, &typed.common)?
    })?;
    let into_file = !matches!(sink, SinkSpec::Memory | SinkSpec::Discard);
    check_handoff(&options, true, Some((options.receive_route, into_file)))?;
    Ok(TransferPlan {
        job: Job::Loopback { source, sink },
        options,
        json: typed.common.json,
    })
}

/// What the window opens with, for a terminal: `path`, or the range, into memory.
pub(super) fn default_loopback(path: Option<PathBuf>) -> Result<TransferPlan, Failure> {
    let origin = match path {
        Some(path) => Origin::File { path, dtype: None },
        None => Range::parse("0:50_000_000", None)
            .map(Origin::Range)
            .map_err(|error| usage(error.to_string()))?,
    };
    Ok(TransferPlan {
        job: Job::Loopback {
            source: SourceSpec { origin, slice: None },
            sink: SinkSpec::Memory,
        },
        options: Options::default(),
        json: false,
    })
}

/// What `arraylift send` sends, and where to.
#[derive(Debug)]
pub(super) struct SendPlan {
    pub sources: Sources,
    /// Of many, so many at once.
    pub at_once: usize,
    pub to: Endpoint,
    /// For so long a source is tried again where the connection breaks.
    pub retry: Option<Duration>,
    pub options: Options,
    pub json: bool,
}

/// The plan of `arraylift send`.
pub(super) fn send(typed: &SendArguments) -> Result<SendPlan, Failure> {
    let (given, to) = match &*typed.sources_and_endpoint {
        [given @ .., to] if !given.is_empty() => (given, to),
        _ => {
            return Err(usage(
                "<ENDPOINT> is missing: after what to send comes where the receiver listens, HOST:PORT or unix:PATH",
            ));
        }
    };
    let to = to
        .to_str()
        .ok_or_else(|| usage(format!("{}: {ENDPOINT_IS_TEXT}", to.display())))?;
    let (to, mut options) = (endpoint(to)?, sending(&typed.sending, &typed.common)?);
    options.stats = typed.looking.choice();
    check_handoff(&options, matches!(to, Endpoint::Unix(_)), None)?;
    let sources = match tree(given, &typed.tree, &typed.view, &typed.looking)? {
        Some(tree) => Sources::One(Box::new(SourceSpec::new(Origin::Tree(tree)))),
        None => sources(given, &typed.view)?,
    };
    if typed.retry.is_some() {
        check_retry(given, &sources)?;
    }
    Ok(SendPlan {
        sources,
        at_once: usize::from(typed.jobs),
        to,
        retry: typed.retry,
        options,
        json: typed.common.json,
    })
}

/// Only what can be read once more can be sent once more.
fn check_retry(given: &[OsString], sources: &Sources) -> Result<(), Failure> {
    match sources {
        Sources::Many(_) => Err(usage(
            "--retry goes with one source or one folder: send each by itself, or the folder that they are in",
        )),
        Sources::One(_) if given.iter().any(|source| source == "-") => Err(usage(
            "--retry needs a source that can be read again: standard input cannot",
        )),
        Sources::One(_) => Ok(()),
    }
}

/// What `arraylift fetch` fetches, and where to.
#[derive(Debug)]
pub(super) struct FetchPlan {
    pub urls: Vec<Url>,
    /// So many at once.
    pub at_once: usize,
    pub trust: Trust,
    pub sink: SinkSpec,
    pub options: Options,
    pub json: bool,
}

/// The plan of `arraylift fetch`.
pub(super) fn fetch(typed: &FetchArguments) -> Result<FetchPlan, Failure> {
    let sink = sink(&typed.into, None)?;
    if typed.urls.len() > 1 && matches!(sink, SinkSpec::File(_) | SinkSpec::Shm(_)) {
        return Err(usage(
            "one file takes one URL: name a folder, memory or discard with --into",
        ));
    }
    let url = |text: &String| match Url::parse(text) {
        Some(url) => url.map_err(|error| usage(error.to_string())),
        None => Err(usage(format!("{text} is no URL: one begins with http:// or https://"))),
    };
    Ok(FetchPlan {
        urls: typed.urls.iter().map(url).collect::<Result<_, Failure>>()?,
        at_once: typed.jobs.into(),
        trust: typed.ca.as_deref().map_or_else(|| Ok(Trust::system()), Trust::file)?,
        sink,
        options: checked(Options {
            chunk_bytes: chunk_bytes(typed.chunk.0, ChecksumKind::default()),
            limit_bytes_per_s: typed.limit.0,
            socket_buffer_bytes: typed.socket_buffer.map(size),
            preview_elements: size(typed.preview),
            streams: typed.streams,
            name_from_server: typed.name_from_server,
            sync: !typed.no_sync,
            stats: typed.looking.choice(),
            timeout: typed.timeout,
            ..Options::default()
        })?,
        json: typed.json,
    })
}

/// The plan of `arraylift receive`.
pub(super) fn receive(typed: &ReceiveArguments) -> Result<ReceivePlan, Failure> {
    let sink = sink(&typed.into, typed.part.at)?;
    let expect = expected(&typed.expect, typed.common.wire)?;
    Ok(ReceivePlan {
        at: endpoint(&typed.endpoint)?,
        // A file takes one array: whoever came next would find it there.
        once: typed.once || matches!(sink, SinkSpec::File(_) | SinkSpec::Shm(_) | SinkSpec::Within { .. }),
        options: Options {
            stats: typed.looking.choice(),
            ..receiving(&typed.receiving, &typed.common, &sink)?
        },
        sink,
        expect,
        json: typed.common.json,
    })
}

/// What `arraylift ping` measures.
pub(super) fn ping(typed: &PingArguments) -> Result<crate::ping::Plan, Failure> {
    let options = checked(Options {
        socket_buffer_bytes: typed.socket_buffer.map(size),
        timeout: typed.timeout,
        ..Options::default()
    })?;
    let plan = crate::ping::Plan {
        to: endpoint(&typed.endpoint)?,
        sizes_bytes: typed.sizes.clone(),
        rounds: typed.count.map_or(Rounds::DEFAULT, Rounds::Count),
        socket_buffer_bytes: options.socket_buffer_bytes,
        timeout: options.timeout,
        peer_user: typed.peer_user.unwrap_or_default(),
    };
    plan.check().map_err(|error| out_of_bounds("--sizes", error))?;
    Ok(plan)
}

/// What `arraylift compare` does.
#[derive(Debug)]
pub(super) struct ComparePlan {
    pub plan: crate::compare::Plan,
    /// The result to show beside it.
    pub with: Option<Comparison>,
}

/// The plan of `arraylift compare`. What could spoil the end of minutes of measuring is found now.
pub(super) fn compare(typed: &CompareArguments) -> Result<ComparePlan, Failure> {
    if typed.source == "-" {
        return Err(usage(
            "standard input can be read only once, and is moved many times: compare a file or a range",
        ));
    }
    for path in &typed.save {
        check_save(path)?;
    }
    if let Some(folder) = &typed.into {
        SinkSpec::Folder(folder.clone()).check()?;
    }
    Ok(ComparePlan {
        plan: crate::compare::Plan {
            source: source_spec(&typed.source, &typed.view)?,
            program: own_program()?,
            into: typed.into.clone(),
            rounds: typed.rounds,
            sizes: typed.sizes,
        },
        with: typed.with.as_deref().map(load).transpose()?,
    })
}

/// This program, to be run again.
fn own_program() -> Result<PathBuf, Error> {
    std::env::current_exe().map_err(|error| Error::system("cannot find this program to run it again", &error))
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

#[cfg(test)]
mod tests {
    use super::super::arguments::{Arguments, Command};
    use super::*;
    #[cfg(feature = "app")]
    use crate::app::model::form::Form;
    #[cfg(feature = "app")]
    use crate::app::model::plan::{Paths, check};
    use crate::transfer::ShmName;
    #[cfg(feature = "app")]
    use crate::transfer::StatsChoice;
    use clap::Parser as _;

    /// What a person types is read by one reader, and refused by one, wherever it is typed.
    #[cfg(feature = "app")]
    #[test]
    fn the_window_and_the_prompt_read_and_refuse_the_same_values() {
        type Set = fn(&mut Form, &str);
        let options: [(&str, Set); 6] = [
            ("--limit", |form, text| text.clone_into(&mut form.limit)),
            ("--chunk", |form, text| text.clone_into(&mut form.chunk)),
            ("--timeout", |form, text| text.clone_into(&mut form.timeout)),
            ("--preview", |form, text| text.clone_into(&mut form.preview)),
            ("--streams", |form, text| text.clone_into(&mut form.streams)),
            ("--dtype", |form, text| text.clone_into(&mut form.dtype)),
        ];
        let numbers =
            "0 1 2 9 16 17 30 200 999 1000 4095 4096 10000 10001 1e1 1e6 1e30 1_000 1,000 1,5 1.5 -1 +2 nan inf x";
        let sizes = "4KiB 64MiB 65MiB 200MB 200Mb 200mb 1gib 200MB/s 200Mb/s 800Mbit/s 200/s 1k 30B/s auto AUTO none";
        let times = "500ms 30s 2m 1h 8760h 8761h 1d 2min5s 5s2min 0s 1us 1µs 1month";
        let dtypes = "f64 f8 d i8 int8 i64 u8 float16 f16 >f8 i4,f8 object";
        let spaced = [
            "",
            " ",
            " 200 MB/s ",
            "no limit",
            "2 min 5 s",
            "50 000",
            "10 ",
            "16 MiB",
        ];
        let texts = [numbers, sizes, times, dtypes]
            .into_iter()
            .flat_map(|texts| texts.split(' '));
        let mut differ: Vec<String> = Vec::new();
        for text in texts.chain(spaced) {
            for (option, set) in options {
                let mut form = form_of("10");
                set(&mut form, text);
                let typed = prompted("range:0:10", &[&format!("{option}={text}")]);
                differ.extend((typed != formed(&form)).then(|| format!("{option} {text:?}: {typed:?}")));
            }
            for dtype in ["f64", "i32"] {
                let mut form = form_of(text);
                dtype.clone_into(&mut form.dtype);
                let typed = prompted(&format!("range:0:{text}"), &["--dtype", dtype]);
                differ.extend((typed != formed(&form)).then(|| format!("range of {dtype} to {text:?}: {typed:?}")));
            }
        }
        assert!(differ.is_empty(), "the window differs in:\n{}", differ.join("\n"));
    }

    #[cfg(feature = "app")]
    fn formed(form: &Form) -> Option<String> {
        let mut recipe = check(form, &Paths::default()).recipe?;
        // A window asks for them by itself, and draws them.
        recipe.options.stats = StatsChoice::default();
        Some(format!("{:?} {:?}", recipe.job, recipe.options))
    }

    #[cfg(feature = "app")]
    fn form_of(to: &str) -> Form {
        Form {
            to: to.to_owned(),
            ..Form::default()
        }
    }

    #[cfg(feature = "app")]
    fn prompted(source: &str, arguments: &[&str]) -> Option<String> {
        let typed = [&["arraylift", "loopback", source], arguments].concat();
        match Arguments::try_parse_from(typed).ok()?.command {
            Some(Command::Loopback(typed)) => {
                let plan = loopback(&typed).ok()?;
                Some(format!("{:?} {:?}", plan.job, plan.options))
            }
            other => panic!("{other:?}"),
        }
    }

    fn received(arguments: &[&str]) -> Result<ReceivePlan, Failure> {
        let typed = ["arraylift", "receive", "127.0.0.1:0"].iter().chain(arguments);
        match Arguments::try_parse_from(typed).expect("can be read").command {
            Some(Command::Receive(typed)) => receive(&typed),
            other => panic!("{other:?}"),
        }
    }

    fn sent(arguments: &[&str]) -> Result<SendPlan, Failure> {
        let typed = ["arraylift", "send", "range:0:10", "127.0.0.1:1"]
            .iter()
            .chain(arguments);
        match Arguments::try_parse_from(typed).expect("can be read").command {
            Some(Command::Send(typed)) => send(&typed),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_stands_after_into_says_what_it_is() {
        let folder = tempfile::tempdir().expect("folder");
        let there = folder.path().to_str().expect("utf-8");
        let sink = |into: &str| received(&["--into", into]).expect("valid").sink;
        assert_eq!(sink("memory"), SinkSpec::Memory);
        assert_eq!(sink("discard"), SinkSpec::Discard);
        assert_eq!(sink(there), SinkSpec::Folder(there.into()));
        assert_eq!(sink("new/"), SinkSpec::Folder("new/".into()));
        assert_eq!(sink("./memory"), SinkSpec::File("./memory".into()));
        assert_eq!(sink("shm:a"), SinkSpec::Shm(ShmName::new("a").expect("a name")));
        assert_eq!(sink("./shm:a"), SinkSpec::File("./shm:a".into()));
        assert_eq!(received(&[]).expect("valid").sink, SinkSpec::Folder(".".into()));
        let part = received(&["--into", "a.npy", "--at", "1kB"]).expect("valid").sink;
        assert_eq!(
            part,
            SinkSpec::Within {
                path: "a.npy".into(),
                at_bytes: 1000
            }
        );
    }

    #[test]
    fn a_file_takes_one_array_and_a_folder_many() {
        assert!(received(&["--into", "a.npy"]).expect("valid").once);
        assert!(received(&["--into", "shm:a"]).expect("valid").once);
        assert!(!received(&[]).expect("valid").once);
        assert!(received(&["--once"]).expect("valid").once);
    }

    #[test]
    fn contradictions_are_wrong_usage() {
        for wrong in [
            &["--chunk", "0"][..],
            &["--chunk", "4095"],
            &["--chunk", "65MiB"],
            &["--socket-buffer", "0"],
            &["--socket-buffer", "100"],
            &["--socket-buffer", "2GiB"],
            &["--timeout", "0"],
            &["--timeout", "0ms"],
            &["--timeout", "9000h"],
            &["--preview", "10001"],
        ] {
            assert!(matches!(sent(wrong), Err(Failure::Usage(_))), "{wrong:?}");
            assert!(matches!(received(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
        for wrong in [
            &["--at", "5"][..],
            &["--into", "-"],
            &["--at", "5", "--into", "memory"],
            &["--at", "5", "--into", "shm:a"],
            &["--at", "5", "--into", "/"],
            &["--wire", "raw"],
            &["--dtype", "f32"],
            &["--count", "4611686018427387904"],
            &["--into", "memory", "--receive-route", "splice"],
            &["--into", "discard", "--receive-route", "map"],
        ] {
            assert!(matches!(received(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
        assert!(matches!(
            sent(&["--wire", "raw", "--checksum", "crc32"]),
            Err(Failure::Usage(_))
        ));
        for wrong in [
            &["--streams", "2", "--wire", "npy"],
            &["--streams", "2", "--send-route", "copying"],
            &["--streams", "2", "--send-route", "zerocopy"],
        ] {
            assert!(matches!(sent(wrong), Err(Failure::Usage(_))), "{wrong:?}");
        }
    }

    #[test]
    fn a_small_b_is_bits_as_in_the_window() {
        let limit = |typed: &str| sent(&["--limit", typed]).expect("valid").options.limit_bytes_per_s;
        assert_eq!(limit("200 Mb/s"), Some(25_000_000));
        assert_eq!(limit("200MB/s"), Some(200_000_000));
    }

    #[test]
    fn checksums_are_on_unless_said_otherwise() {
        let kind = |arguments: &[&str]| sent(arguments).expect("valid").options.checksum;
        assert_eq!(kind(&[]), ChecksumKind::Crc64Nvme);
        assert_eq!(kind(&["--no-verify"]), ChecksumKind::None);
        assert_eq!(kind(&["--checksum", "none"]), ChecksumKind::None);
        assert_eq!(kind(&["--checksum", "crc32"]), ChecksumKind::Crc32);
    }

    #[test]
    fn a_count_is_of_f64_unless_said_otherwise() {
        let expect = |arguments: &[&str]| received(arguments).expect("valid").expect.map(|meta| meta.to_string());
        assert_eq!(expect(&["--count", "1e6"]).as_deref(), Some("f64 (1000000,)"));
        assert_eq!(
            expect(&["--shape", "3,4", "--dtype", "i32"]).as_deref(),
            Some("i32 (3, 4)")
        );
        assert_eq!(expect(&[]), None);
    }
}
