//! How much memory the control groups of this process leave it, the group's own and all above it, of version 1 and 2.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};

/// The two versions of control groups, by what they call the same things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A folder where a hierarchy of control groups is mounted.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    version: Version,
    /// The group that the mount begins with.
    group: String,
    folder: PathBuf,
}

/// Bytes of memory that the process may take before the kernel ends it for its control groups; `None` where none of them
/// has a limit. `root` is `/`, or a folder that stands for it. Sources: `cgroups(7)`, `proc_pid_mountinfo(5)`, the
/// kernel's pages on cgroup-v1/memory and cgroup-v2.
pub(super) fn available_bytes(root: &Path) -> Option<u64> {
    let groups = read_to_string(root.join("proc/self/cgroup")).ok()?;
    // Any of the many mounts may have a name that is no text.
    let mounts = std::fs::read(root.join("proc/self/mountinfo")).ok()?;
    let mounts = String::from_utf8_lossy(&mounts);
    let left = mounts.lines().filter_map(Mount::parse).filter_map(|mount| {
        let own = groups.lines().find_map(|line| mount.version.group_in(line))?;
        let below = below(&mount.group, own)?;
        let top = beneath(root, &mount.folder);
        // What is not there, such as the groups of a host seen from a container, has no limit to be read.
        let levels = below.ancestors().map(|level| top.join(level));
        levels.filter_map(|level| mount.version.left_in(&level)).min()
    });
    left.min()
}

impl Version {
    /// The group that a line of `/proc/self/cgroup` names, where it is of this version and counts memory.
    fn group_in(self, line: &str) -> Option<&str> {
        let (number, rest) = line.split_once(':')?;
        let (controllers, group) = rest.split_once(':')?;
        let is_it = match self {
            Self::One => controllers.split(',').any(|name| name == "memory"),
            Self::Two => number == "0" && controllers.is_empty(),
        };
        is_it.then_some(group)
    }

    /// What the limits of that group leave, counted as its users' tools do: what the page cache holds and nobody has
    /// looked at lately is free.
    fn left_in(self, group: &Path) -> Option<u64> {
        let (limits, usage, reclaimable): (&[&str], _, _) = match self {
            Self::One => (
                &["memory.limit_in_bytes"],
                "memory.usage_in_bytes",
                "total_inactive_file",
            ),
            Self::Two => (&["memory.max", "memory.high"], "memory.current", "inactive_file"),
        };
        let number = |name: &str| read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
        // "max" does not parse: no limit.
        let limit = limits.iter().filter_map(|name| number(name)).min()?;
        let used = number(usage)?.saturating_sub(counter(group, reclaimable).unwrap_or(0));
        Some(limit.saturating_sub(used))
    }
}

impl Mount {
    /// Reads a line of `/proc/self/mountinfo`: `36 35 0:33 GROUP FOLDER rw … - TYPE SOURCE rw,memory`.
    fn parse(line: &str) -> Option<Self> {
        let (mount, kind) = line.split_once(" - ")?;
        let mut kind = kind.split(' ');
        let version = match (kind.next()?, kind.nth(1)) {
            ("cgroup2", _) => Version::Two,
            ("cgroup", Some(options)) if options.split(',').any(|option| option == "memory") => Version::One,
            _ => return None,
        };
        let mut mount = mount.split(' ').skip(3);
        Some(Self {
            version,
            group: unescaped(mount.next()?),
            folder: unescaped(mount.next()?).into(),
        })
    }
}

/// Where the process's group is below the group that a mount begins with; both may begin with `..`, counted from the root
/// of a cgroup namespace. `None` where it is not below it.
fn below(mount: &str, own: &str) -> Option<PathBuf> {
    let (mount_ups, mount_names) = ups_and_names(mount);
    let (own_ups, own_names) = ups_and_names(own);
    if mount_ups > own_ups {
        // The mount begins above the namespace, whose names up there nobody tells: its first group is known alone.
        return mount_names.is_empty().then(PathBuf::new);
    }
    let below = own_names.strip_prefix(mount_names.as_slice())?;
    (mount_ups == own_ups).then(|| below.iter().collect())
}

fn ups_and_names(group: &str) -> (usize, Vec<&str>) {
    let parts = group.split('/').filter(|part| !part.is_empty());
    let (ups, names): (Vec<_>, Vec<_>) = parts.partition(|part| *part == "..");
    (ups.len(), names)
}

/// A counter of `memory.stat`.
fn counter(group: &Path, name: &str) -> Option<u64> {
    let stat = read_to_string(group.join("memory.stat")).ok()?;
    let line = stat
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.trim().parse().ok()
}

fn beneath(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// Procfs writes spaces, tabs, line ends and backslashes as three octal digits.
fn unescaped(text: &str) -> String {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes
        .iter()
        .fold(text.to_owned(), |text, (code, character)| text.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "36 31 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";
    const TWO: &str = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

    /// A folder that stands for `/`, with these files in it.
    fn system(groups: &str, mounts: &str, files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("folder");
        let files = files.iter().map(|(path, text)| (*path, *text));
        for (path, text) in [("proc/self/cgroup", groups), ("proc/self/mountinfo", mounts)]
            .into_iter()
            .chain(files)
        {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            std::fs::write(path, text).expect("write");
        }
        root
    }

    fn available(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Option<u64> {
        available_bytes(system(groups, mounts, files).path())
    }

    #[test]
    fn a_limit_of_the_group_above_counts_as_the_own_one_does() {
        let files = |own: &'static str, above: &'static str| {
            [
                ("sys/fs/cgroup/a/b/memory.max", own),
                ("sys/fs/cgroup/a/b/memory.current", "40\n"),
                ("sys/fs/cgroup/a/memory.max", above),
                ("sys/fs/cgroup/a/memory.current", "70\n"),
            ]
        };
        let left = |own, above| available("0::/a/b\n", TWO, &files(own, above));
        assert_eq!(left("max\n", "max\n"), None);
        assert_eq!(left("100\n", "max\n"), Some(60));
        assert_eq!(left("max\n", "100\n"), Some(30));
        assert_eq!(left("100\n", "80\n"), Some(10));
        assert_eq!(left("30\n", "max\n"), Some(0), "lowered below what is used already");
    }

    #[test]
    fn a_soft_limit_counts_and_what_the_page_cache_can_give_back_is_free() {
        let mut files = vec![
            ("sys/fs/cgroup/a/memory.max", "1000\n"),
            ("sys/fs/cgroup/a/memory.high", "500\n"),
            ("sys/fs/cgroup/a/memory.current", "450\n"),
        ];
        assert_eq!(available("0::/a\n", TWO, &files), Some(50));
        let stat = "anon 50\nworkingset_inactive_file 7\ninactive_file 300\nactive_file 100\n";
        files.push(("sys/fs/cgroup/a/memory.stat", stat));
        assert_eq!(available("0::/a\n", TWO, &files), Some(350));
    }

    #[test]
    fn limits_of_version_one_are_seen_at_each_level_beside_version_two() {
        let groups = "9:name=systemd:/s\n4:cpu,memory:/a/b\n0::/\n";
        let mounts = format!(
            "{ONE}41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
             32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
        );
        let none = "9223372036854771712\n";
        let files = |own, above| {
            [
                ("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", own),
                ("sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "10\n"),
                ("sys/fs/cgroup/memory/a/memory.limit_in_bytes", above),
                ("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "20\n"),
                (
                    "sys/fs/cgroup/memory/a/memory.stat",
                    "inactive_file 1\ntotal_inactive_file 5\n",
                ),
            ]
        };
        let left = |own, above| available(groups, &mounts, &files(own, above));
        assert_eq!(left("100\n", none), Some(90));
        assert_eq!(left(none, "100\n"), Some(85));
        assert!(left(none, none).is_some_and(|bytes| bytes > 1 << 60), "no limit at all");
    }

    #[test]
    fn a_container_finds_its_group_where_its_mount_begins() {
        let limit = |folder: &str| {
            let path = |name: &str| format!("{folder}/{name}");
            [
                (path("memory.limit_in_bytes"), "100\n"),
                (path("memory.usage_in_bytes"), "10\n"),
            ]
        };
        let left = |group: &str, mount: &str, folder: &str| {
            let mounts = ONE.replace(" / /sys", &format!(" {mount} /sys"));
            let files = limit(&format!("sys/fs/cgroup/memory{folder}"));
            let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
            available(&format!("4:memory:{group}\n"), &mounts, &files)
        };
        // With a namespace, or without one and the mount shows the container's own group.
        assert_eq!(left("/", "/", ""), Some(90));
        assert_eq!(left("/docker/1", "/docker/1", ""), Some(90));
        assert_eq!(left("/docker/1/x", "/docker/1", "/x"), Some(90));
        // The host's path, of which the mount shows nothing but its beginning.
        assert_eq!(left("/docker/1", "/", ""), Some(90));
        // Moved out of its namespace, or the mount is from without.
        assert_eq!(left("/../x", "/..", "/x"), Some(90));
        assert_eq!(left("/", "/../..", ""), Some(90));
        // Groups of others.
        assert_eq!(left("/docker/1", "/docker/12", ""), None);
        assert_eq!(left("/..", "/", ""), None);
        assert_eq!(left("/", "/../other", ""), None);
    }

    #[test]
    fn odd_lines_and_names_are_borne() {
        let mounts = format!(
            "\nno mount\n1 2 - cgroup2\n{}",
            TWO.replace("/sys/fs/cgroup", "/sys/a\\040b\\134")
        );
        let files = [
            ("sys/a b\\/c:d/memory.max", "9\n"),
            ("sys/a b\\/c:d/memory.current", "4\n"),
        ];
        assert_eq!(available("odd\n0::/c:d\n", &mounts, &files), Some(5));
        assert_eq!(available("", &mounts, &files), None);
        assert_eq!(available("0::/\n", "", &files), None);
        assert_eq!(available_bytes(Path::new("/no such folder")), None);
    }

    /// Reads only: a group that the test made would lie among those of whoever started it.
    #[test]
    fn the_groups_of_this_process_are_found_where_the_system_has_them() {
        let mounts = read_to_string("/proc/self/mountinfo").expect("procfs");
        let groups = read_to_string("/proc/self/cgroup").expect("procfs");
        let is_one = |mount: &Mount| mount.version == Version::One;
        let Some(mount) = mounts.lines().filter_map(Mount::parse).find(is_one) else {
            eprintln!("skipped: memory is not counted by control groups of version 1 here");
            return;
        };
        let own = groups.lines().find_map(|line| Version::One.group_in(line));
        let below = below(&mount.group, own.expect("a group")).expect("below the mount");
        let limit = read_to_string(mount.folder.join(below).join("memory.limit_in_bytes"));
        let limit: u64 = limit.expect("a limit").trim().parse().expect("a number");
        assert!(available_bytes(Path::new("/")).is_some_and(|left| left <= limit));
    }
}
