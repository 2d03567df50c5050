//! What a disk has room for.

use std::fmt;

use crate::units;

/// The room of a disk, when an array was refused for want of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiskRoom {
    /// Bytes that are free.
    pub free_bytes: u64,
    /// Of them, bytes that are promised to arrays which are still on their way.
    pub promised_bytes: u64,
    /// Of them, bytes that have to stay free.
    pub kept_bytes: u64,
}

impl DiskRoom {
    /// Whether so many bytes fit as it is.
    pub(crate) fn holds(&self, bytes: u64) -> bool {
        bytes <= self.most_bytes().saturating_sub(self.promised_bytes)
    }

    /// Whether so many bytes would fit if all that is promised were given back.
    pub(crate) fn could_hold(&self, bytes: u64) -> bool {
        bytes <= self.most_bytes()
    }

    fn most_bytes(&self) -> u64 {
        self.free_bytes.saturating_sub(self.kept_bytes)
    }
}

impl fmt::Display for DiskRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let free = units::bytes(self.free_bytes);
        let promised = format!("{} are promised to others", units::bytes(self.promised_bytes));
        let kept = format!("{} have to stay so", units::bytes(self.kept_bytes));
        match (self.promised_bytes, self.kept_bytes) {
            (0, 0) => write!(f, "{free} are free there"),
            (0, _) => write!(f, "of {free} that are free there {kept}"),
            (_, 0) => write!(f, "of {free} that are free there {promised}"),
            _ => write!(f, "of {free} that are free there {promised} and {kept}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fit_is_told_from_what_never_will() {
        let room = DiskRoom {
            free_bytes: 100,
            promised_bytes: 60,
            kept_bytes: 10,
        };
        for (bytes, fits, could_fit) in [
            (30, true, true),
            (31, false, true),
            (90, false, true),
            (91, false, false),
        ] {
            assert_eq!(
                (room.holds(bytes), room.could_hold(bytes)),
                (fits, could_fit),
                "{bytes}"
            );
        }
        assert_eq!(
            room.to_string(),
            "of 100 B that are free there 60 B are promised to others and 10 B have to stay so"
        );
    }
}
