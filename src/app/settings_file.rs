//! The file in which settings outlast the window: as a whole and on disk, or as it was before.

use std::path::{Path, PathBuf};

use super::model::settings::Settings;
use crate::app::words::say;
use crate::error::reason;
use crate::own_file;

/// Where this user's settings are kept: `settings.json` in `arraylift` in `$XDG_DATA_HOME` (XDG Base Directory
/// Specification). `None` where this user has no folder for it.
pub(super) fn path() -> Option<PathBuf> {
    Some(eframe::storage_dir("arraylift")?.join("settings.json"))
}

/// The settings that were kept; `None` where there are none, or none that can be read.
pub(super) fn read(path: &Path) -> Option<Settings> {
    let text = std::fs::read_to_string(path).ok()?;
    serde_json::from_str(&text).ok()
}

/// Keeps the settings. It waits for the disk.
///
/// # Errors
/// Why they are not kept, in one line; those that were kept before still are.
pub(super) fn write(path: &Path, settings: &Settings) -> Result<(), String> {
    let failed = |why: String| say!("error-settings-not-kept", path = path.display().to_string(), why = why);
    let text = serde_json::to_string_pretty(settings).map_err(|error| failed(error.to_string()))?;
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    folder
        .and_then(|()| own_file::replace(path, 0o600, text.as_bytes()))
        .map_err(|error| failed(reason(&error).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_outlast_the_window_and_a_write_that_fails_leaves_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arraylift/settings.json");
        assert_eq!(read(&path), None);
        let settings = Settings {
            form_open: false,
            ..Settings::default()
        };
        write(&path, &settings).unwrap();
        assert_eq!(read(&path), Some(settings.clone()));
        // The folder has a file's place: nothing can be made there.
        let nowhere = path.join("settings.json");
        let why = write(&nowhere, &Settings::default()).unwrap_err();
        assert!(why.starts_with("what was typed is not kept in "), "{why}");
        assert_eq!(read(&path), Some(settings));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        std::fs::write(&path, "{\"form_open\": fal").unwrap();
        assert_eq!(read(&path), None, "half a file is none");
    }
}
