//! The texts of one language, read from its file once.

use std::collections::HashMap;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::Entry;
use unic_langid::LanguageIdentifier;

use crate::app::model::format::count;
use crate::language::Language;

/// All texts of a language.
pub(super) struct Table {
    bundle: FluentBundle<FluentResource>,
    /// Those that are the same whenever they are said.
    plain: HashMap<String, String>,
    /// The keys of what the library says in fixed words, by these.
    said: HashMap<String, String>,
}

/// The file of a language.
pub(super) fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("../../../assets/words/en.ftl"),
        Language::Chinese => include_str!("../../../assets/words/zh-CN.ftl"),
    }
}

impl Table {
    pub(super) fn of(language: Language) -> Self {
        // What of the file is wrong is left out; a test finds it.
        let resource = FluentResource::try_new(source(language).to_owned()).unwrap_or_else(|(resource, _)| resource);
        let keys: Vec<String> = resource
            .entries()
            .filter_map(|entry| match entry {
                Entry::Message(message) => Some(message.id.name.to_owned()),
                _ => None,
            })
            .collect();
        let tag: LanguageIdentifier = language.tag().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![tag]);
        // Both languages are written from left to right: the marks would only be boxes in some fonts.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(|value, _| match value {
            FluentValue::Number(number) => Some(count(number.into())),
            _ => None,
        }));
        bundle.add_resource_overriding(resource);
        let mut table = Self {
            bundle,
            plain: HashMap::new(),
            said: HashMap::new(),
        };
        let said = |key: String| {
            let mut errors = Vec::new();
            let pattern = table.bundle.get_message(&key)?.value()?;
            let text = table.bundle.format_pattern(pattern, None, &mut errors).into_owned();
            errors.is_empty().then_some((key, text))
        };
        table.plain = keys.into_iter().filter_map(said).collect();
        let of_library = table.plain.iter().filter(|(key, _)| key.starts_with("said-"));
        table.said = of_library.map(|(key, text)| (text.clone(), key.clone())).collect();
        table
    }

    /// A text that takes no arguments.
    pub(super) fn plain(&self, key: &str) -> Option<&str> {
        self.plain.get(key).map(String::as_str)
    }

    /// The key of what the library says in these words.
    pub(super) fn key_of(&self, text: &str) -> Option<&str> {
        self.said.get(text).map(String::as_str)
    }

    /// A text with its arguments.
    pub(super) fn filled(&self, key: &str, arguments: &FluentArgs<'_>) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        // One that is missing stands there by its name.
        let text = self.bundle.format_pattern(pattern, Some(arguments), &mut Vec::new());
        Some(text.into_owned())
    }
}
