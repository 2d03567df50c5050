//! The file that keeps the ceilings of this machine and kernel, so that they are measured once.

use std::ffi::OsString;
use std::path::PathBuf;

use super::rates::Ceilings;
use crate::compare::machine::Machine;
use crate::own_file;

/// The ceilings that were measured earlier on this machine and kernel. It reads one small file.
#[must_use]
pub(crate) fn read_cached() -> Option<Ceilings> {
    usable(&std::fs::read_to_string(path()?).ok()?, &Machine::this())
}

/// Keeps ceilings for [`read_cached`]. If they cannot be written, they are measured again next time.
pub(super) fn write(ceilings: &Ceilings) {
    let kept = || -> Option<()> {
        let path = path()?;
        std::fs::create_dir_all(path.parent()?).ok()?;
        own_file::replace(&path, 0o666, &serde_json::to_vec_pretty(ceilings).ok()?).ok()
    };
    let _ = kept();
}

fn path() -> Option<PathBuf> {
    path_in(std::env::var_os("XDG_CACHE_HOME"), std::env::var_os("HOME"))
}

/// The XDG Base Directory Specification: a path that is not absolute is to be ignored.
fn path_in(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let cache = cache.and_then(absolute);
    let cache = cache.or_else(|| Some(home.and_then(absolute)?.join(".cache")))?;
    Some(cache.join("arraylift/ceilings.json"))
}

/// More than any machine moves in a second.
const RATE_MAX: f64 = 1e15;

/// Reads a cached text; `None` if it was measured on another machine or cannot be read.
fn usable(text: &str, machine: &Machine) -> Option<Ceilings> {
    let ceilings: Ceilings = serde_json::from_str(text).ok()?;
    let disks = ceilings.disks.values();
    let mut rates = disks
        .flat_map(|disk| [disk.write_bytes_per_s, disk.read_bytes_per_s])
        .chain([ceilings.memcpy_bytes_per_s, ceilings.sendfile_bytes_per_s]);
    // The file may hold anything.
    let is_sound = rates.all(|rate| rate > 0.0 && rate < RATE_MAX);
    (is_sound && ceilings.version == Ceilings::VERSION && ceilings.machine == *machine).then_some(ceilings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_cache_lies_where_the_user_keeps_caches() {
        let at = |cache: Option<&str>, home: Option<&str>| path_in(cache.map(Into::into), home.map(Into::into));
        assert_eq!(
            at(Some("/c"), Some("/h")).as_deref(),
            Some(Path::new("/c/arraylift/ceilings.json"))
        );
        let at_home = Some(Path::new("/h/.cache/arraylift/ceilings.json"));
        assert_eq!(at(None, Some("/h")).as_deref(), at_home);
        assert_eq!(at(Some("relative"), Some("/h")).as_deref(), at_home);
        assert_eq!(at(None, None), None);
    }

    #[test]
    fn what_another_machine_or_version_measured_is_not_used() {
        let mine = Ceilings {
            version: Ceilings::VERSION,
            machine: Machine::this(),
            measured_unix_s: 5,
            memcpy_bytes_per_s: 1.5e10,
            sendfile_bytes_per_s: 9e9,
            disks: [].into(),
        };
        let text = |ceilings: &Ceilings| serde_json::to_string(ceilings).expect("json");
        assert_eq!(usable(&text(&mine), &mine.machine), Some(mine.clone()));
        let other_kernel = Machine {
            kernel: "1.0".into(),
            ..mine.machine.clone()
        };
        assert_eq!(usable(&text(&mine), &other_kernel), None);
        for rate in [0.0, -1.0, 1e308] {
            let unsound = Ceilings {
                memcpy_bytes_per_s: rate,
                ..mine.clone()
            };
            assert_eq!(usable(&text(&unsound), &mine.machine), None, "{rate}");
        }
        let later = Ceilings {
            version: 2,
            ..mine.clone()
        };
        assert_eq!(usable(&text(&later), &mine.machine), None);
        assert_eq!(usable("{", &mine.machine), None);
    }
}
