//! From what is typed to what can run: every mistake beside its field, or a recipe.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::array::{ArrayMeta, Dtype, Number, Order, Range, Shape, parse_count};
use crate::route::{ReceiveRouteChoice, SendRouteChoice, why_no_handoff};
use crate::transfer::Url;
use crate::transfer::{Endpoint, Options, Origin, ShmName, Side, SinkSpec, SourceInfo, SourceSpec, expand};
use crate::wire::{ChecksumKind, WireChoice};

use super::form::{EndpointKind, Field, Form, SinkKind, SourceKind};
use super::{format, words};

/// What is known about the paths that are typed; found out off the UI thread.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Paths {
    /// The source's path, and what is there: one file or more.
    pub source: Option<(String, Result<Vec<FileInfo>, String>)>,
    /// The sink's path, and what is there.
    pub sink: Option<(String, SinkPlace)>,
    /// Bytes of memory that could be had, where that is known.
    pub free_memory_bytes: Option<u64>,
}

/// What a source file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct FileInfo {
    /// Where it is.
    pub origin: Origin,
    /// Its name, without folders.
    pub name: String,
    /// What it is.
    pub meta: ArrayMeta,
}

impl FileInfo {
    /// What was found at an origin.
    #[must_use]
    pub fn new(origin: Origin, info: SourceInfo) -> Self {
        Self {
            origin,
            name: info.name,
            meta: info.meta,
        }
    }
}

/// What is at the path of a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkPlace {
    /// Nothing yet, in a folder that is there.
    Free,
    /// A folder.
    Folder,
    /// A file, which is never overwritten.
    File,
    /// Not even a folder to put it in.
    NoFolder,
    /// It cannot be written, and why.
    Refused(String),
}

/// Nobody means less: a number without a unit is bytes a second.
const LEAST_LIMIT: u64 = 1000;

/// Something that can be started, and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What it does.
    pub what: What,
    /// How.
    pub options: Options,
    /// Whether it begins again whenever it is done.
    pub repeat: bool,
    /// The array's name on the screen.
    pub name: String,
    /// The array, where it is known before the peer has said it.
    pub meta: Option<ArrayMeta>,
}

/// What a recipe does.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "as in `transfer::Job`")]
pub enum What {
    Loopback {
        source: SourceSpec,
        sink: SinkSpec,
    },
    Send {
        source: SourceSpec,
        to: Endpoint,
    },
    Receive {
        at: Endpoint,
        sink: SinkSpec,
        expect: Option<ArrayMeta>,
    },
    Fetch {
        url: Url,
        sink: SinkSpec,
    },
    /// Another process does it, and this window only looks on.
    Elsewhere {
        /// Which process.
        pid: u32,
        /// The end that it is.
        side: Side,
    },
}

impl What {
    /// The ends that are here.
    #[must_use]
    pub fn sides(&self) -> &'static [Side] {
        match self {
            Self::Loopback { .. } => &[Side::Sender, Side::Receiver],
            Self::Send { .. } | Self::Elsewhere { side: Side::Sender, .. } => &[Side::Sender],
            Self::Receive { .. } | Self::Fetch { .. } | Self::Elsewhere { .. } => &[Side::Receiver],
        }
    }

    /// The other process that does it, if any.
    #[must_use]
    pub fn elsewhere(&self) -> Option<u32> {
        match self {
            Self::Elsewhere { pid, .. } => Some(*pid),
            _ => None,
        }
    }
}

/// What a form comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// What is wrong, beside which field.
    pub mistakes: BTreeMap<Field, String>,
    /// The array in words: `50,000,000 numbers, 400 MB`.
    pub summary: Option<String>,
    /// Whether a path is still being looked at.
    pub pending: bool,
    /// What Start starts; nothing while there are mistakes.
    pub recipe: Option<Recipe>,
    /// What it starts after that, one file each, where there are several.
    pub more: Vec<Recipe>,
}

/// Checks everything that is typed.
#[must_use]
pub fn check(form: &Form, paths: &Paths) -> Checked {
    let mut checker = Checker {
        form,
        paths,
        mistakes: BTreeMap::new(),
        summary: None,
        pending: false,
        more: Vec::new(),
    };
    let options = checker.options();
    let made = checker.what();
    if let Some(options) = &options {
        checker.check_routes(options);
    }
    let Checker {
        mistakes,
        summary,
        pending,
        more: files,
        ..
    } = checker;
    let recipe = match (mistakes.is_empty() && !pending, made, options) {
        (true, Some((what, name, meta)), Some(options)) => Some(Recipe {
            what,
            options,
            repeat: form.repeat,
            name,
            meta,
        }),
        _ => None,
    };
    let more = recipe
        .iter()
        .flat_map(|first| files.iter().map(|file| first.with(file)))
        .collect();
    Checked {
        mistakes,
        summary,
        pending,
        recipe,
        more,
    }
}

/// The path of a file as it is typed, with `~` for the home folder.
#[must_use]
pub fn typed_path(text: &str) -> PathBuf {
    let text = text.trim();
    match (text.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(text),
    }
}

/// What is sent by what is typed as its path: a file, several as a folder or a pattern, or shared memory as `shm:NAME`.
pub fn typed_origins(text: &str) -> Result<Vec<Origin>, Error> {
    let one = typed_origin(text)?;
    let Origin::File { path, .. } = &one else {
        return Ok(vec![one]);
    };
    let file = |path| Origin::File { path, dtype: None };
    Ok(match expand(path.as_os_str())? {
        Some(files) => files.into_iter().map(file).collect(),
        None => vec![one],
    })
}

/// What is sent by what is typed as its path: a file, or shared memory as `shm:NAME`.
fn typed_origin(text: &str) -> Result<Origin, Error> {
    let dtype = None;
    Ok(match ShmName::parse(text.trim()) {
        Some(name) => Origin::Shm { name: name?, dtype },
        None => Origin::File {
            path: typed_path(text),
            dtype,
        },
    })
}

/// What is made new by what is typed as its path: a file, or shared memory as `shm:NAME`.
pub fn typed_new_sink(text: &str) -> Result<SinkSpec, Error> {
    Ok(match ShmName::parse(text.trim()) {
        Some(name) => SinkSpec::Shm(name?),
        None => SinkSpec::File(typed_path(text)),
    })
}

/// How an array is put in words on the screen: `f64 50,000,000 · 400 MB`.
#[must_use]
pub fn in_words(dtype: &str, shape: &[u64], total_bytes: Option<u64>) -> String {
    let Some(total_bytes) = total_bytes else {
        return "as long as it comes".to_owned();
    };
    format!("{dtype} {} · {}", format::shape(shape), format::bytes(total_bytes))
}

struct Checker<'a> {
    form: &'a Form,
    paths: &'a Paths,
    mistakes: BTreeMap<Field, String>,
    summary: Option<String>,
    pending: bool,
    /// The files after the first one.
    more: Vec<FileInfo>,
}

impl Recipe {
    /// The same for another file.
    fn with(&self, file: &FileInfo) -> Self {
        let mut recipe = self.clone();
        (recipe.name, recipe.meta) = (file.name.clone(), Some(file.meta.clone()));
        if let What::Loopback { source, .. } | What::Send { source, .. } = &mut recipe.what {
            source.origin = file.origin.clone();
        }
        recipe
    }
}

impl Checker<'_> {
    fn what(&mut self) -> Option<(What, String, Option<ArrayMeta>)> {
        if let Some(url) = self.form.url() {
            return self.fetched(url);
        }
        let source = if self.form.sends() { self.source() } else { None };
        let sink = if self.form.receives() { self.sink() } else { None };
        match self.form.endpoint {
            EndpointKind::ThisMachine => {
                let ((source, name, meta), sink) = (source?, sink?);
                self.check_memory(&sink, &meta);
                Some((What::Loopback { source, sink }, name, Some(meta)))
            }
            EndpointKind::SendTo => {
                let to = self.endpoint(Field::SendTo, &self.form.send_to);
                let ((source, name, meta), to) = (source?, to?);
                Some((What::Send { source, to }, name, Some(meta)))
            }
            EndpointKind::ReceiveAt => {
                let at = self.endpoint(Field::ReceiveAt, &self.form.receive_at);
                let expect = if self.form.needs_expectation() {
                    Some(self.expectation()?)
                } else {
                    None
                };
                let name = "from a sender".to_owned();
                Some((
                    What::Receive {
                        at: at?,
                        sink: sink?,
                        expect: expect.clone(),
                    },
                    name,
                    expect,
                ))
            }
        }
    }

    /// What is typed as the path is on the web.
    fn fetched(&mut self, url: Result<Url, Error>) -> Option<(What, String, Option<ArrayMeta>)> {
        if self.form.endpoint == EndpointKind::SendTo {
            self.mistake(
                Field::Path,
                "a file on the web is not sent on: fetch it to this machine first",
            );
            return None;
        }
        let sink = self.sink();
        let url = url.map_err(|error| self.mistake(Field::Path, error)).ok()?;
        self.summary = Some(format!("from {}, as it is there", url.server()));
        let name = url.file_name().unwrap_or_else(|| url.server());
        let sink = sink?;
        Some((What::Fetch { url, sink }, name, None))
    }

    fn source(&mut self) -> Option<(SourceSpec, String, ArrayMeta)> {
        let (origin, name, meta) = match self.form.source {
            SourceKind::Range => {
                let range = self.range()?;
                let name = format!("range {} … {}", short(&self.form.from), short(&self.form.to));
                let meta = range.meta().clone();
                (Origin::Range(range), name, meta)
            }
            SourceKind::File => self.file()?,
        };
        self.summary = Some(match self.form.source {
            SourceKind::Range => {
                let numbers = if meta.element_count() == 1 { "number" } else { "numbers" };
                format!(
                    "{} {numbers}, {}",
                    format::count(meta.element_count()),
                    format::bytes(meta.byte_len())
                )
            }
            SourceKind::File if !self.more.is_empty() => {
                let bytes = self.more.iter().map(|file| file.meta.byte_len()).sum::<u64>() + meta.byte_len();
                let files = format::count(self.more.len() as u64 + 1);
                format!("{files} files, {}", format::bytes(bytes))
            }
            SourceKind::File => in_words(&meta.dtype().name(), meta.shape().dimensions(), Some(meta.byte_len())),
        });
        Some((SourceSpec { origin, slice: None }, name, meta))
    }

    fn range(&mut self) -> Option<Range> {
        let form = self.form;
        let from = self.number(Field::From, &form.from);
        let to = self.number(Field::To, &form.to);
        let step = self.number(Field::Step, &form.step);
        let dtype = Dtype::from_name(&form.dtype)
            .map_err(|error| self.mistake(Field::Dtype, error))
            .ok();
        let (from, to, step, dtype) = (from?, to?, step?, dtype?);
        if step.to_f64() == 0.0 {
            self.mistake(Field::Step, "a step of 0 never gets anywhere");
            return None;
        }
        Range::new(from, to, step, dtype)
            .map_err(|error| {
                let field = match &error {
                    crate::array::RangeError::NotFinite(number)
                    | crate::array::RangeError::NotWhole { number, .. }
                    | crate::array::RangeError::OutOfBounds { number, .. } => {
                        [(Field::From, from), (Field::Step, step)]
                            .into_iter()
                            .find_map(|(field, typed)| {
                                (typed.to_f64().total_cmp(&number.to_f64()).is_eq()).then_some(field)
                            })
                            .unwrap_or(Field::To)
                    }
                    crate::array::RangeError::Dtype(_) => Field::Dtype,
                    _ => Field::To,
                };
                self.mistake(field, error);
            })
            .ok()
    }

    fn file(&mut self) -> Option<(Origin, String, ArrayMeta)> {
        let typed = self.form.path.trim();
        if typed.is_empty() {
            self.mistake(Field::Path, "choose a file, or type its path");
            return None;
        }
        match &self.paths.source {
            Some((path, Ok(files))) if path == typed => {
                let (first, more) = files.split_first()?;
                self.more = more.to_vec();
                Some((first.origin.clone(), first.name.clone(), first.meta.clone()))
            }
            Some((path, Err(message))) if path == typed => {
                self.mistakes.insert(Field::Path, message.clone());
                None
            }
            _ => {
                self.pending = true;
                None
            }
        }
    }

    fn sink(&mut self) -> Option<SinkSpec> {
        let typed = self.form.sink_path.trim();
        match self.form.sink {
            SinkKind::Memory => return Some(SinkSpec::Memory),
            SinkKind::Discard => return Some(SinkSpec::Discard),
            SinkKind::File if typed.is_empty() => {
                self.mistake(Field::SinkPath, "choose a folder, or type the path of a new file");
                return None;
            }
            SinkKind::File => {}
        }
        match &self.paths.sink {
            Some((path, place)) if path == typed => match place {
                SinkPlace::Free if !self.more.is_empty() => {
                    self.mistake(Field::SinkPath, "one file takes one of them: choose a folder");
                    None
                }
                SinkPlace::Free => typed_new_sink(typed).ok(),
                SinkPlace::Folder => Some(SinkSpec::Folder(typed_path(typed))),
                SinkPlace::File => {
                    self.mistake(
                        Field::SinkPath,
                        "this file exists and is never overwritten: type another name",
                    );
                    None
                }
                SinkPlace::NoFolder => {
                    self.mistake(Field::SinkPath, "there is no such folder");
                    None
                }
                SinkPlace::Refused(why) => {
                    self.mistake(Field::SinkPath, why);
                    None
                }
            },
            _ => {
                self.pending = true;
                None
            }
        }
    }

    /// Routes that contradict each other, the sink or the endpoint.
    fn check_routes(&mut self, options: &Options) {
        let form = self.form;
        let into_file = form.sink == SinkKind::File;
        if form.receives() && options.receive_route.needs_file() && !into_file {
            let text = format!(
                "{} leads into a file: receive into one, or choose auto",
                form.receive_route
            );
            self.mistake(Field::ReceiveRoute, text);
        }
        if form.sends() && options.send_route == SendRouteChoice::Handoff {
            let unix = match form.endpoint {
                EndpointKind::ThisMachine => true,
                // Any other mistake in it is named beside it.
                _ => !matches!(Endpoint::parse(form.send_to.trim()), Ok(Endpoint::Tcp(_))),
            };
            let receiving = form.receives().then_some((options.receive_route, into_file));
            if let Some(text) = why_no_handoff(options.wire, unix, receiving) {
                self.mistake(Field::SendRoute, text);
            }
        }
    }

    /// An array that memory cannot hold is refused before it is asked for.
    fn check_memory(&mut self, sink: &SinkSpec, meta: &ArrayMeta) {
        if let (SinkSpec::Memory | SinkSpec::Shm(_), Some(available)) = (sink, self.paths.free_memory_bytes)
            && meta.byte_len() > available
        {
            let text = words::not_enough_memory(meta.byte_len(), available);
            self.mistake(Field::Sink, text);
        }
    }

    fn expectation(&mut self) -> Option<ArrayMeta> {
        let form = self.form;
        let dtype = Dtype::from_name(&form.expect_dtype)
            .map_err(|error| self.mistake(Field::ExpectDtype, error))
            .ok();
        let typed = form.expect_shape.trim();
        let shape = match parse_count(&without_commas(typed)) {
            Ok(count) => Some(Shape::vector(count)),
            // Not one number: then a shape, such as 3,4.
            Err(_) => Shape::parse(typed)
                .map_err(|error| self.mistake(Field::ExpectShape, error))
                .ok(),
        };
        ArrayMeta::new(dtype?, shape?, Order::C)
            .map_err(|error| self.mistake(Field::ExpectShape, error))
            .ok()
    }

    fn streams(&mut self) -> Option<u16> {
        let most = Options::STREAMS_MAX;
        let typed = self.form.streams.trim().parse().ok();
        let streams = typed.filter(|streams| (1..=most).contains(streams));
        if streams.is_none() {
            self.mistake(Field::Streams, format!("a number from 1 to {most} is needed"));
        }
        streams
    }

    fn options(&mut self) -> Option<Options> {
        let form = self.form;
        let checksum = if form.verify {
            ChecksumKind::default()
        } else {
            ChecksumKind::None
        };
        let chunk = chunk_bytes(&form.chunk, checksum)
            .map_err(|error| self.mistake(Field::Chunk, error))
            .ok();
        let limit = format::parse_rate(&form.limit)
            .and_then(|limit| match limit {
                Some(limit) if limit < LEAST_LIMIT => Err(format!(
                    "that is {}: add a unit, such as {limit} MB/s",
                    format::rate(limit as f64)
                )),
                limit => Ok(limit),
            })
            .map_err(|error| self.mistake(Field::Limit, error))
            .ok();
        let preview = parse_count(form.preview.trim())
            .ok()
            .and_then(|count| usize::try_from(count).ok())
            .filter(|count| *count <= 1000);
        if preview.is_none() {
            self.mistake(Field::Preview, "a number from 0 to 1000 is needed");
        }
        let timeout = format::parse_duration(&form.timeout)
            .map_err(|error| self.mistake(Field::Timeout, error))
            .ok();
        // A receiver takes as many as the sender offers.
        let streams = if form.sends() { self.streams() } else { Some(1) };
        let options = Options {
            streams: streams?,
            wire: WireChoice::ALL
                .into_iter()
                .find(|wire| wire.name() == form.wire)
                .unwrap_or_default(),
            send_route: SendRouteChoice::ALL
                .into_iter()
                .find(|route| route.name() == form.send_route)
                .unwrap_or_default(),
            receive_route: ReceiveRouteChoice::ALL
                .into_iter()
                .find(|route| route.name() == form.receive_route)
                .unwrap_or_default(),
            chunk_bytes: chunk?,
            limit_bytes_per_s: limit?,
            preview_elements: preview?,
            checksum,
            timeout: timeout?,
            ..Options::default()
        };
        options
            .check()
            .map_err(|error| self.mistake(Field::Streams, error))
            .ok()?;
        Some(options)
    }

    fn endpoint(&mut self, field: Field, typed: &str) -> Option<Endpoint> {
        if typed.trim().is_empty() {
            self.mistake(field, "an address is needed, such as 192.168.1.7:25000");
            return None;
        }
        Endpoint::parse(typed.trim())
            .map_err(|error| self.mistake(field, error))
            .ok()
    }

    fn number(&mut self, field: Field, typed: &str) -> Option<Number> {
        let plain = without_commas(typed);
        match plain.parse::<Number>() {
            Ok(number) if number.to_f64().is_finite() => Some(number),
            Ok(_) => {
                self.mistake(field, "must be finite");
                None
            }
            Err(_) if plain.is_empty() => {
                self.mistake(field, "a number is needed");
                None
            }
            Err(error) => {
                self.mistake(field, error);
                None
            }
        }
    }

    fn mistake(&mut self, field: Field, text: impl std::fmt::Display) {
        self.mistakes.entry(field).or_insert_with(|| text.to_string());
    }
}

fn without_commas(typed: &str) -> String {
    typed.trim().chars().filter(|c| *c != ',').collect()
}

/// A typed number as it fits into a name: `3.5e9` rather than `3,500,000,000`.
/// The chunk that was typed, or where it is left to us the one that suits.
fn chunk_bytes(typed: &str, checksum: ChecksumKind) -> Result<usize, String> {
    if matches!(typed.trim(), "" | "auto") {
        return Ok(Options::chunk_bytes_for(checksum));
    }
    match usize::try_from(format::parse_bytes(typed)?) {
        Ok(bytes) if (4096..=1 << 30).contains(&bytes) => Ok(bytes),
        _ => Err("a chunk is between 4 KiB and 1 GiB, or auto".to_owned()),
    }
}

fn short(typed: &str) -> String {
    let plain = without_commas(typed).replace('_', "");
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let figures = digits.trim_end_matches('0');
    let power = digits.len().saturating_sub(1);
    if digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit()) && figures.len() <= 3 && !figures.is_empty() {
        let sign = if plain.starts_with('-') { "-" } else { "" };
        let (whole, fraction) = figures.split_at(1);
        let point = if fraction.is_empty() { "" } else { "." };
        return format!("{sign}{whole}{point}{fraction}e{power}");
    }
    plain
}

#[cfg(test)]
mod tests;
