//! What the window remembers from one run to the next.

use serde::{Deserialize, Deserializer, Serialize};

use super::form::Form;
use super::format::RateScale;
use super::plot_view::PlotView;
use crate::app::words::say;
use crate::language::Language;

/// Light or dark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ThemeChoice {
    /// As the system has it.
    #[default]
    System,
    /// Dark, always.
    Dark,
    /// Light, always.
    Light,
}

impl ThemeChoice {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::System, Self::Dark, Self::Light];

    /// Its name on the screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::System => say!("settings-system"),
            Self::Dark => say!("settings-dark"),
            Self::Light => say!("settings-light"),
        }
    }
}

/// Everything that is kept. A field that is new or missing takes its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a box to tick or a fold")]
pub struct Settings {
    /// Light or dark.
    pub theme: ThemeChoice,
    /// The language of the window; nothing: that of the system.
    #[serde(deserialize_with = "known_language")]
    pub language: Option<Language>,
    /// So many transfers run at once, and the others wait; nothing: all of them.
    pub at_once: Option<usize>,
    /// What rates are counted in.
    pub(crate) rates: RateScale,
    /// Whether New transfer is open.
    pub form_open: bool,
    /// Whether things on the screen move in steps.
    pub reduced_motion: bool,
    /// Whether the desktop is told what ends while the window is not in front.
    pub notifies: bool,
    /// Whether a send that broke is tried again by itself.
    pub retries: bool,
    /// Whether Advanced is unfolded.
    pub advanced_open: bool,
    /// How plots are looked at.
    pub plot: PlotView,
    /// What is typed.
    pub form: Form,
}

/// A language that this version does not speak is that of the system, so that the rest of what was kept is not lost.
fn known_language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Language>, D::Error> {
    let tag = Option::<String>::deserialize(deserializer)?;
    let known = |tag: String| Language::ALL.into_iter().find(|language| language.tag() == tag);
    Ok(tag.and_then(known))
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            at_once: None,
            language: None,
            theme: ThemeChoice::System,
            rates: RateScale::default(),
            form_open: false,
            reduced_motion: false,
            notifies: true,
            retries: true,
            advanced_open: false,
            plot: PlotView::default(),
            form: Form::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::SendRouteChoice;
    use crate::wire::WireChoice;

    #[test]
    fn settings_of_another_version_keep_what_they_can() {
        let settings: Settings = serde_json::from_str(r#"{"theme":"Light","gone":1,"form":{"to":"12"}}"#).unwrap();
        assert_eq!(settings.theme, ThemeChoice::Light);
        assert_eq!((settings.form.from.as_str(), settings.form.to.as_str()), ("0", "12"));
        assert!(!settings.form_open && !settings.reduced_motion);
    }

    #[test]
    fn a_route_is_kept_by_its_name_and_an_unknown_one_is_the_default() {
        let read = |text: &str| serde_json::from_str::<Settings>(text).unwrap().form;
        let form = read(r#"{"form":{"send_route":"handoff","wire":"of tomorrow","to":"12"}}"#);
        assert_eq!(
            (form.send_route, form.wire),
            (SendRouteChoice::Handoff, WireChoice::Auto)
        );
        assert_eq!(form.to, "12");
        let text = serde_json::to_string(&form).unwrap();
        assert!(text.contains(r#""send_route":"handoff""#), "{text}");
    }

    #[test]
    fn a_language_that_is_not_spoken_is_that_of_the_system() {
        let read = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        assert_eq!(read(r#"{"language":"zh-CN"}"#).language, Some(Language::Chinese));
        let settings = read(r#"{"language":"tlh","theme":"Light"}"#);
        assert_eq!((settings.language, settings.theme), (None, ThemeChoice::Light));
    }

    #[test]
    fn settings_come_back_as_they_were() {
        let mut settings = Settings {
            theme: ThemeChoice::Dark,
            language: Some(Language::Chinese),
            form_open: true,
            ..Settings::default()
        };
        settings.form.path = "/data/a.npy".to_owned();
        let text = serde_json::to_string(&settings).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings);
    }
}
