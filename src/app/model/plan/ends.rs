//! Reads where the array comes from and where it lands.

use super::super::error_text;
use super::super::form::{EndpointKind, Field, Form, SinkKind, SourceKind};
use super::super::format;
use super::super::sources::{FileInfo, TreeInfo};
use super::super::typed_text;
use super::{Checker, PathLookup, SinkPathStatus, in_words};
use crate::Error;
use crate::app::words::say;
use crate::array::{ArrayMeta, Dtype, Number, Order, Range, RangeError, Shape};
use crate::transfer::{Endpoint, Job, Origin, SinkSpec, SourceSpec, TreeSpec, Trust, Url};
use crate::units::parse_count;

/// A job with what is known of its array.
pub(super) struct Ends {
    pub(super) job: Job<Endpoint>,
    pub(super) name: String,
    pub(super) meta: Option<ArrayMeta>,
}

/// What is sent.
struct Sent {
    origin: Origin,
    name: String,
    /// What it is, where it is an array.
    meta: Option<ArrayMeta>,
}

impl Checker<'_> {
    /// Both ends, or what is here of them.
    pub(super) fn ends(&mut self) -> Option<Ends> {
        if let Some(url) = self.form.url() {
            return self.fetched(url);
        }
        let source = if self.form.sends() { self.source() } else { None };
        let sink = if self.form.receives() { self.sink() } else { None };
        match self.form.endpoint {
            EndpointKind::ThisMachine => {
                let (sent, sink) = (source?, sink?);
                if let Some(meta) = &sent.meta {
                    self.check_memory(&sink, meta);
                }
                Some(sent.by(|source| Job::Loopback { source, sink }))
            }
            EndpointKind::SendTo => {
                let to = self.endpoint(Field::SendTo, &self.form.send_to);
                let (sent, to) = (source?, to?);
                Some(sent.by(|source| Job::Send { source, to }))
            }
            EndpointKind::ReceiveAt => {
                let from = self.endpoint(Field::ReceiveAt, &self.form.receive_at);
                let expect = if self.form.needs_expectation() {
                    Some(self.expectation()?)
                } else {
                    None
                };
                Some(Ends {
                    name: say!("plan-from-a-sender").to_owned(),
                    meta: expect.clone(),
                    job: Job::Receive {
                        from: from?,
                        sink: sink?,
                        expect,
                    },
                })
            }
        }
    }

    /// What is typed as the path is on the web.
    fn fetched(&mut self, url: Result<Url, Error>) -> Option<Ends> {
        if self.form.endpoint == EndpointKind::SendTo {
            self.mistake(Field::Path, say!("plan-not-sent-on"));
            return None;
        }
        let sink = self.sink();
        let url = url
            .map_err(|error| self.mistake(Field::Path, error_text::of(&error)))
            .ok()?;
        self.summary = Some(say!("plan-from-web", server = url.server()));
        let name = url.file_name().unwrap_or_else(|| url.server());
        let (sink, trust) = (sink?, Trust::system());
        Some(Ends {
            job: Job::Fetch { url, trust, sink },
            name,
            meta: None,
        })
    }

    fn source(&mut self) -> Option<Sent> {
        let first = match self.form.source {
            SourceKind::Range => self.range()?,
            SourceKind::File => {
                let first = self.file();
                if let Some(tree) = self.sources.as_ref().and_then(|sources| sources.tree()) {
                    self.summary = Some(tree.in_words());
                    return Some(self.form.sent_tree(tree));
                }
                first?
            }
        };
        let (meta, bytes) = (&first.meta, first.meta.byte_len());
        self.summary = Some(match self.form.source {
            SourceKind::Range => {
                let count = meta.element_count();
                say!("plan-numbers", count = count, bytes = format::bytes(bytes))
            }
            SourceKind::File
                if let Some(sources) = &self.sources
                    && sources.files().len() > 1 =>
            {
                let (count, bytes) = (sources.files().len(), format::bytes(sources.total_bytes()));
                say!("plan-files", count = count, bytes = bytes)
            }
            SourceKind::File => in_words(&meta.dtype().name(), meta.shape().dimensions(), Some(bytes)),
        });
        Some(Sent {
            origin: first.origin,
            name: first.name,
            meta: Some(first.meta),
        })
    }

    fn range(&mut self) -> Option<FileInfo> {
        let form = self.form;
        let dtype = self.dtype(Field::Dtype, &form.dtype);
        // A mistake in a number is shown whatever the dtype is.
        let read_as = dtype.clone().filter(Dtype::is_numeric_range).unwrap_or_else(Dtype::f64);
        let from = self.number(Field::From, &form.from, &read_as);
        let to = self.number(Field::To, &form.to, &read_as);
        let step = self.number(Field::Step, &form.step, &read_as);
        let (from, to, step, dtype) = (from?, to?, step?, dtype?);
        if step.to_f64() == 0.0 {
            self.mistake(Field::Step, say!("plan-step-0"));
            return None;
        }
        let range = Range::new(from, to, step, dtype)
            .map_err(|error| self.mistake(blamed_field(&error, from, step), typed_text::of_range(&error)))
            .ok()?;
        Some(FileInfo {
            name: say!("plan-range", from = short(&form.from), to = short(&form.to)),
            meta: range.meta().clone(),
            origin: Origin::Range(range),
        })
    }

    fn file(&mut self) -> Option<FileInfo> {
        let Some(place) = self.form.source_place() else {
            self.mistake(Field::Path, say!("plan-no-path"));
            return None;
        };
        match PathLookup::at(self.paths.source.as_ref(), &place) {
            Some(Ok(sources)) => {
                self.sources = Some(sources.clone());
                sources.files().first().cloned()
            }
            Some(Err(message)) => {
                self.mistake(Field::Path, message);
                None
            }
            None => {
                self.pending = true;
                None
            }
        }
    }

    fn sink(&mut self) -> Option<SinkSpec> {
        match self.form.sink {
            SinkKind::Memory | SinkKind::Discard if self.is_tree() => {
                self.mistake(Field::Sink, say!("plan-tree-sink"));
                None
            }
            SinkKind::Memory => Some(SinkSpec::Memory),
            SinkKind::Discard => Some(SinkSpec::Discard),
            SinkKind::File => self.sink_path(),
        }
    }

    fn sink_path(&mut self) -> Option<SinkSpec> {
        let Some(place) = self.form.sink_place() else {
            self.mistake(Field::SinkPath, say!("plan-no-sink-path"));
            return None;
        };
        let mistake = match PathLookup::at(self.paths.sink.as_ref(), &place) {
            Some(SinkPathStatus::Free) if self.is_tree() => say!("plan-no-folder"),
            Some(SinkPathStatus::File) if self.is_tree() => say!("plan-tree-into-file"),
            Some(SinkPathStatus::Free) if self.file_count() == 1 => return place.new_sink().ok(),
            Some(SinkPathStatus::Folder) => return Some(SinkSpec::Folder(place.path())),
            Some(SinkPathStatus::Free) => say!("plan-several-in-one"),
            Some(SinkPathStatus::File) => say!("plan-sink-exists"),
            Some(SinkPathStatus::NoFolder) => say!("plan-no-folder"),
            Some(SinkPathStatus::Refused(why)) => why,
            None => {
                self.pending = true;
                return None;
            }
        };
        self.mistake(Field::SinkPath, mistake);
        None
    }

    /// An array that memory cannot hold is refused before it starts. Of several files each says so itself.
    fn check_memory(&mut self, sink: &SinkSpec, meta: &ArrayMeta) {
        if self.file_count() > 1 {
            return;
        }
        if let (SinkSpec::Memory | SinkSpec::Shm(_), Some(available)) = (sink, self.paths.free_memory_bytes)
            && meta.byte_len() > available
        {
            let text = error_text::not_enough_memory(meta.byte_len(), available);
            self.mistake(Field::Sink, text);
        }
    }

    /// What a sender sends that does not say it.
    fn expectation(&mut self) -> Option<ArrayMeta> {
        let form = self.form;
        let dtype = self.dtype(Field::ExpectDtype, &form.expect_dtype);
        let typed = form.expect_shape.trim();
        let shape = match parse_count(typed) {
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

    fn endpoint(&mut self, field: Field, typed: &str) -> Option<Endpoint> {
        if typed.trim().is_empty() {
            self.mistake(field, say!("plan-no-address"));
            return None;
        }
        Endpoint::parse(typed.trim())
            .map_err(|error| self.mistake(field, error_text::of(&error)))
            .ok()
    }

    fn dtype(&mut self, field: Field, typed: &str) -> Option<Dtype> {
        Dtype::from_name(typed).map_err(|error| self.mistake(field, error)).ok()
    }

    fn number(&mut self, field: Field, typed: &str, dtype: &Dtype) -> Option<Number> {
        let typed = typed.trim();
        match Range::read(typed, dtype) {
            Ok(number) if number.to_f64().is_finite() => return Some(number),
            Ok(_) => self.mistake(field, say!("plan-not-finite")),
            Err(_) if typed.is_empty() => self.mistake(field, say!("plan-no-number")),
            Err(error) => self.mistake(field, typed_text::of_range(&error)),
        }
        None
    }
}

impl Sent {
    fn by(self, job: impl FnOnce(SourceSpec) -> Job<Endpoint>) -> Ends {
        Ends {
            job: job(SourceSpec::new(self.origin)),
            name: self.name,
            meta: self.meta,
        }
    }
}

impl Form {
    /// A tree as it is to be sent.
    fn sent_tree(&self, tree: &TreeInfo) -> Sent {
        let spec = TreeSpec {
            roots: tree.roots.to_vec(),
            excludes: Self::globs(&self.exclude),
            includes: Self::globs(&self.include),
            replace: self.replace,
            ..TreeSpec::default()
        };
        Sent {
            origin: Origin::Tree(spec),
            name: tree.name.clone(),
            meta: None,
        }
    }
}

impl TreeInfo {
    /// What was seen of it: `1,234 files in 56 folders, 7.80 GB`, or `more than` that.
    fn in_words(&self) -> String {
        let bytes = format::bytes(self.bytes);
        let folders = match self.folders {
            0 => String::new(),
            count => say!("plan-tree-folders", count = count),
        };
        if self.is_all {
            say!("plan-tree", count = self.files, folders = folders, bytes = bytes)
        } else {
            say!("plan-tree-more", count = self.files, folders = folders, bytes = bytes)
        }
    }
}

/// The field of a range that an error is about.
fn blamed_field(error: &RangeError, from: Number, step: Number) -> Field {
    match error {
        RangeError::NotFinite(number)
        | RangeError::NotWhole { number, .. }
        | RangeError::OutOfBounds { number, .. } => {
            let is_it = |typed: Number| typed.to_f64().total_cmp(&number.to_f64()).is_eq();
            match (is_it(from), is_it(step)) {
                (true, _) => Field::From,
                (_, true) => Field::Step,
                _ => Field::To,
            }
        }
        RangeError::Dtype(_) => Field::Dtype,
        _ => Field::To,
    }
}

/// A typed number as it fits into a name: `3.5e9` rather than `3,500,000,000`.
pub(super) fn short(typed: &str) -> String {
    let plain = typed.trim().replace(['_', ','], "");
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
