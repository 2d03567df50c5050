//! The languages that the window speaks. The command line is English: scripts read it.

use serde::{Deserialize, Serialize};

/// A language of the window. It is named by its tag (BCP 47).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Chinese, in simplified characters.
    #[serde(rename = "zh-CN")]
    Chinese,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Its tag: `en`, `zh-CN`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// Its name in itself, which who speaks it finds in any language.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "简体中文",
        }
    }

    /// The language of a POSIX environment, of whose variables `read` gives the values: the first that is set of
    /// `LC_ALL`, `LC_MESSAGES` and `LANG` decides (POSIX.1-2024, 8.2). English where it names another language or none.
    pub fn of_environment(read: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| read(name).filter(|value| !value.is_empty());
        let mut locales = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(set);
        locales.next().map_or(Self::English, |locale| Self::of_locale(&locale))
    }

    /// The language of a locale, `zh_CN.UTF-8`. Traditional characters are not what these are.
    fn of_locale(locale: &str) -> Self {
        let locale = locale.split(['.', '@']).next().unwrap_or_default();
        let mut parts = locale.split(['_', '-']);
        let is_chinese = parts.next().is_some_and(|language| language.eq_ignore_ascii_case("zh"));
        let is_traditional = |part: &str| {
            ["Hant", "TW", "HK", "MO"]
                .iter()
                .any(|name| part.eq_ignore_ascii_case(name))
        };
        if is_chinese && !parts.any(is_traditional) {
            Self::Chinese
        } else {
            Self::English
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let of = |set: &[(&str, &str)]| {
            let value = |name: &str| {
                set.iter()
                    .find(|(set, _)| *set == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            Language::of_environment(value)
        };
        assert_eq!(of(&[]), Language::English);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8")]), Language::Chinese);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")]), Language::Chinese);
        assert_eq!(of(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")]), Language::English);
        assert_eq!(
            of(&[("LANG", "de_DE.UTF-8"), ("LC_MESSAGES", "zh_CN")]),
            Language::Chinese
        );
    }

    #[test]
    fn a_locale_is_chinese_where_its_characters_are_simplified() {
        for locale in ["zh", "zh_CN", "zh_CN.GB18030", "zh_SG.UTF-8", "zh-Hans", "ZH_cn@pinyin"] {
            assert_eq!(Language::of_locale(locale), Language::Chinese, "{locale}");
        }
        for locale in [
            "",
            "C",
            "C.UTF-8",
            "en_US.UTF-8",
            "zha_CN",
            "zh_TW.UTF-8",
            "zh-Hant",
            "ja_JP",
        ] {
            assert_eq!(Language::of_locale(locale), Language::English, "{locale}");
        }
    }
}
