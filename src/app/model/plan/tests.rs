use super::ends::short;
use super::*;
use crate::app::model::form::{EndpointKind, SinkKind, SourceKind};
use crate::array::Dtype;
use crate::route::{ReceiveRouteChoice, SendRouteChoice};
use crate::transfer::{Origin, Side, SinkSpec, StatsChoice};
use crate::wire::{ChecksumKind, WireChoice};

fn checked(change: impl FnOnce(&mut Form)) -> CheckedForm {
    let mut form = Form::default();
    change(&mut form);
    check(&form, &Paths::default())
}

#[test]
fn the_form_opens_ready_with_400_mb() {
    let checked = checked(|_| {});
    assert_eq!(checked.mistakes, BTreeMap::new());
    assert_eq!(checked.summary.as_deref(), Some("50,000,000 numbers, 400 MB"));
    let recipe = checked.recipe.unwrap();
    assert_eq!(recipe.name, "range 0 … 5e7");
    assert_eq!(recipe.meta.unwrap().byte_len(), 400_000_000);
    // A window draws what the values are.
    let options = Options {
        stats: StatsChoice::Live,
        ..Options::default()
    };
    assert_eq!(recipe.options, options);
    assert!(matches!(
        recipe.job,
        Job::Loopback {
            sink: SinkSpec::Memory,
            ..
        }
    ));
}

#[test]
fn every_mistake_is_named_beside_its_field() {
    type Change = fn(&mut Form);
    let table: [(Field, Change); 23] = [
        (Field::From, |form| form.from = "one".to_owned()),
        (Field::From, |form| form.from = "inf".to_owned()),
        (Field::To, |form| form.to = String::new()),
        (Field::To, |form| form.to = "1e30".to_owned()),
        (Field::Step, |form| form.step = "0".to_owned()),
        (Field::Step, |form| form.step = "nan".to_owned()),
        (Field::Dtype, |form| form.dtype = "f65".to_owned()),
        (Field::Path, |form| form.source = SourceKind::File),
        (Field::SinkPath, |form| form.sink = SinkKind::File),
        (Field::Chunk, |form| form.chunk = "0".to_owned()),
        (Field::Streams, |form| form.streams = "0".to_owned()),
        (Field::Streams, |form| form.streams = "17".to_owned()),
        (Field::Streams, |form| {
            form.streams = "2".to_owned();
            form.wire = WireChoice::Raw;
        }),
        (Field::Limit, |form| form.limit = "fast".to_owned()),
        (Field::Preview, |form| form.preview = "1e9".to_owned()),
        (Field::Timeout, |form| form.timeout = "soon".to_owned()),
        (Field::SendTo, |form| {
            form.endpoint = EndpointKind::SendTo;
            form.send_to = "nowhere".to_owned();
        }),
        (Field::ReceiveRoute, |form| {
            form.receive_route = ReceiveRouteChoice::Splice;
        }),
        (Field::ReceiveRoute, |form| {
            form.receive_route = ReceiveRouteChoice::Map;
            form.sink = SinkKind::Discard;
        }),
        (Field::SendRoute, |form| {
            form.send_route = SendRouteChoice::Handoff;
            form.endpoint = EndpointKind::SendTo;
        }),
        (Field::SendRoute, |form| {
            form.send_route = SendRouteChoice::Handoff;
            form.wire = WireChoice::Npy;
        }),
        (Field::SendRoute, |form| {
            form.send_route = SendRouteChoice::Handoff;
            form.receive_route = ReceiveRouteChoice::Recv;
        }),
        (Field::SendTo, |form| {
            form.send_route = SendRouteChoice::Handoff;
            form.endpoint = EndpointKind::SendTo;
            form.send_to = String::new();
        }),
    ];
    for (field, change) in table {
        let checked = checked(change);
        assert_eq!(
            checked.mistakes.keys().copied().collect::<Vec<_>>(),
            [field],
            "{:?}",
            checked.mistakes
        );
        assert!(checked.recipe.is_none());
    }
}

#[test]
fn several_mistakes_are_all_named() {
    let checked = checked(|form| {
        form.from = "x".to_owned();
        form.step = "y".to_owned();
        form.chunk = "z".to_owned();
    });
    assert_eq!(checked.mistakes.len(), 3);
}

#[test]
fn a_chunk_that_is_left_to_us_is_what_suits_this_processor() {
    for (typed, verify, expected) in [
        ("auto", true, Options::chunk_bytes_for(ChecksumKind::default())),
        (" ", false, Options::chunk_bytes_for(ChecksumKind::None)),
        ("3 MiB", false, 3 << 20),
    ] {
        let checked = checked(|form| {
            form.chunk = typed.to_owned();
            form.verify = verify;
        });
        let chunk_bytes = checked.recipe.expect("a plan").options.chunk_bytes;
        assert_eq!(chunk_bytes, expected, "{typed:?}, verified: {verify}");
    }
}

#[test]
fn an_empty_range_and_a_negative_step_are_fine() {
    assert_eq!(
        checked(|form| form.to = "0".to_owned()).summary.as_deref(),
        Some("0 numbers, 0 B")
    );
    let down = checked(|form| {
        form.from = "10".to_owned();
        form.to = "0".to_owned();
        form.step = "-2.5".to_owned();
    });
    assert_eq!(down.summary.as_deref(), Some("4 numbers, 32 B"));
    assert!(down.recipe.is_some());
}

#[test]
fn a_file_is_pending_until_it_was_looked_at() {
    let mut form = Form {
        source: SourceKind::File,
        path: "/data/a.npy".to_owned(),
        ..Form::default()
    };
    let mut paths = Paths::default();
    let waiting = check(&form, &paths);
    assert!(waiting.pending && waiting.recipe.is_none() && waiting.mistakes.is_empty());

    let meta = ArrayMeta::vector(Dtype::u8(), 1000).unwrap();
    paths.source = Some(found(&form.path, Ok(sources(vec![file("/data/a.npy", meta.clone())]))));
    let known = check(&form, &paths);
    assert_eq!(known.summary.as_deref(), Some("u8 1,000 · 1.00 kB"));
    assert_eq!(known.recipe.unwrap().name, "a.npy");

    paths.source = Some(found(&form.path, Err("there is no file".to_owned())));
    assert_eq!(check(&form, &paths).mistakes[&Field::Path], "there is no file");

    form.path = "/data/b.npy".to_owned();
    assert!(check(&form, &paths).pending, "another path is another question");
}

/// What the worker has found at a path.
fn found<T>(typed: &str, found: T) -> PathLookup<T> {
    let place = Place::Typed(typed.to_owned());
    PathLookup { place, found }
}

fn sources(files: Vec<FileInfo>) -> Sources {
    Sources::new(files, Vec::new(), Vec::new())
}

fn file(path: &str, meta: ArrayMeta) -> FileInfo {
    let (path, dtype) = (std::path::PathBuf::from(path), None);
    FileInfo {
        name: path.file_name().expect("a name").to_string_lossy().into_owned(),
        origin: Origin::File { path, dtype },
        meta,
    }
}

#[test]
fn a_pattern_is_its_files_each_with_a_transfer_of_its_own() {
    let meta = |count| ArrayMeta::vector(Dtype::u8(), count).unwrap();
    let mut form = Form {
        source: SourceKind::File,
        path: "/data/*".to_owned(),
        ..Form::default()
    };
    let files = vec![file("/data/a.npy", meta(1000)), file("/data/b.npy", meta(500))];
    let mut paths = Paths {
        source: Some(found(&form.path, Ok(sources(files)))),
        ..Paths::default()
    };
    let known = check(&form, &paths);
    assert_eq!(known.summary.as_deref(), Some("2 files, 1.50 kB"));
    let names: Vec<String> = known
        .recipe
        .iter()
        .cloned()
        .chain(known.further())
        .map(|recipe| recipe.name)
        .collect();
    assert_eq!(names, ["a.npy", "b.npy"]);
    let second = known.further().next().expect("a second one");
    let Job::Loopback { source, .. } = &second.job else {
        panic!("both ends here")
    };
    assert_eq!(source.origin, file("/data/b.npy", meta(1)).origin);
    // One new file has no place for two.
    (form.sink, form.sink_path) = (SinkKind::File, "/new".to_owned());
    paths.sink = Some(found(&form.sink_path, SinkPathStatus::Free));
    assert!(check(&form, &paths).mistakes[&Field::SinkPath].contains("choose a folder"));
}

#[test]
fn a_url_is_fetched_and_not_sent_on() {
    let mut form = Form {
        source: SourceKind::File,
        path: " https://a.example/x/big.npy".to_owned(),
        ..Form::default()
    };
    let known = check(&form, &Paths::default());
    assert_eq!(known.summary.as_deref(), Some("from a.example:443, as it is there"));
    let recipe = known.recipe.expect("nothing has to be looked at");
    assert_eq!(
        (recipe.name.as_str(), recipe.job.sides()),
        ("big.npy", &[Side::Receiver][..])
    );
    assert!(matches!(
        recipe.job,
        Job::Fetch {
            sink: SinkSpec::Memory,
            ..
        }
    ));
    form.path = "http://".to_owned();
    assert!(check(&form, &Paths::default()).mistakes[&Field::Path].contains("no URL"));
    form.path = "http://a/b".to_owned();
    form.endpoint = EndpointKind::SendTo;
    assert!(check(&form, &Paths::default()).mistakes[&Field::Path].contains("fetch it to this machine first"));
}

#[test]
fn a_sink_is_what_its_path_is() {
    let form = Form {
        sink: SinkKind::File,
        sink_path: "/data".to_owned(),
        ..Form::default()
    };
    let placed = |status| {
        check(
            &form,
            &Paths {
                sink: Some(found("/data", status)),
                ..Paths::default()
            },
        )
    };
    let sink = |checked: CheckedForm| match checked.recipe.map(|recipe| recipe.job) {
        Some(Job::Loopback { sink, .. }) => Some(sink),
        _ => None,
    };
    assert_eq!(
        sink(placed(SinkPathStatus::Folder)),
        Some(SinkSpec::Folder("/data".into()))
    );
    assert_eq!(sink(placed(SinkPathStatus::Free)), Some(SinkSpec::File("/data".into())));
    for status in [
        SinkPathStatus::File,
        SinkPathStatus::NoFolder,
        SinkPathStatus::Refused("no".to_owned()),
    ] {
        assert!(placed(status).mistakes.contains_key(&Field::SinkPath));
    }
}

#[test]
fn what_memory_cannot_hold_is_said_before_start() {
    let with = |sink, free| {
        let form = Form {
            sink,
            ..Form::default()
        };
        let paths = Paths {
            free_memory_bytes: Some(free),
            ..Paths::default()
        };
        check(&form, &paths)
    };
    let refused = with(SinkKind::Memory, 399_999_999);
    assert_eq!(
        refused.mistakes[&Field::Sink],
        "400 MB of memory are needed and 400 MB are free: receive into a file, or discard"
    );
    assert!(refused.recipe.is_none());
    assert!(with(SinkKind::Memory, 400_000_000).recipe.is_some());
    assert!(with(SinkKind::Discard, 0).recipe.is_some());
}

#[test]
fn a_limit_says_how_it_is_read() {
    let limited = |limit: &str| checked(|form| form.limit = limit.to_owned());
    assert_eq!(
        limited("30").mistakes[&Field::Limit],
        "that is 30 B/s: add a unit, such as 30MB/s"
    );
    assert!(limited("30 MB").recipe.is_some() && limited("").recipe.is_some());
    let form = Form {
        limit: "5000".to_owned(),
        ..Form::default()
    };
    assert_eq!(form.limit_in_words().as_deref(), Some("= 5.00 kB/s"));
    assert!(limited("30 B/s").recipe.is_some(), "it has its unit");
    assert_eq!(Form::default().limit_in_words(), None);
}

#[test]
fn values_are_read_and_bounded_as_at_the_prompt() {
    let options = |change: fn(&mut Form)| checked(change).recipe.expect("a plan").options;
    let bits = options(|form| form.limit = "200 Mb/s".to_owned());
    assert_eq!(bits.limit_bytes_per_s, Some(25_000_000));
    assert_eq!(options(|form| form.timeout = "1h".to_owned()).timeout.as_secs(), 3600);
    assert_eq!(
        options(|form| form.preview = "10,000".to_owned()).preview_elements,
        10_000
    );
    let chunk = checked(|form| form.chunk = "65 MiB".to_owned());
    assert_eq!(chunk.mistakes[&Field::Chunk], "a chunk has from 4KiB to 64MiB");
    let timeout = checked(|form| form.timeout = "9000 h".to_owned());
    assert!(timeout.mistakes.contains_key(&Field::Timeout));
    let comma = checked(|form| form.to = "1,5".to_owned());
    assert!(comma.mistakes.contains_key(&Field::To));
}

#[test]
fn receiving_needs_no_source_and_raw_needs_what_comes() {
    let receive = |wire: WireChoice, shape: &str| {
        checked(|form| {
            form.endpoint = EndpointKind::ReceiveAt;
            form.source = SourceKind::File;
            form.wire = wire;
            form.expect_shape = shape.to_owned();
        })
    };
    assert!(matches!(
        receive(WireChoice::Auto, "").recipe.unwrap().job,
        Job::Receive { expect: None, .. }
    ));
    assert_eq!(
        receive(WireChoice::Raw, "50,000,000")
            .recipe
            .unwrap()
            .meta
            .unwrap()
            .byte_len(),
        400_000_000
    );
    assert!(
        receive(WireChoice::Raw, "many")
            .mistakes
            .contains_key(&Field::ExpectShape)
    );
}

#[test]
fn names_of_ranges_are_short() {
    for (typed, name) in [
        ("3,500,000,000", "3.5e9"),
        ("50_000_000", "5e7"),
        ("12345678", "12345678"),
        ("-100000", "-1e5"),
        ("0.5", "0.5"),
        ("000000", "000000"),
    ] {
        assert_eq!(short(typed), name);
    }
}

#[test]
fn a_handoff_goes_to_this_machine_or_over_a_unix_socket() {
    for (endpoint, to) in [
        (EndpointKind::ThisMachine, ""),
        (EndpointKind::SendTo, "unix:/run/arrays"),
    ] {
        let checked = checked(|form| {
            form.send_route = SendRouteChoice::Handoff;
            form.endpoint = endpoint;
            form.send_to = to.to_owned();
        });
        assert_eq!(checked.mistakes, BTreeMap::new());
        assert_eq!(checked.recipe.unwrap().options.send_route, SendRouteChoice::Handoff);
    }
}

#[test]
fn every_route_of_the_engine_can_be_chosen_by_its_name() {
    for route in SendRouteChoice::ALL {
        let checked = checked(|form| form.send_route = route);
        assert_eq!(checked.recipe.unwrap().options.send_route, route);
    }
}
