//! Users of this machine by name and number: `getpwnam(3)`, `getpwuid(3)`.

use std::ffi::{CStr, CString};
use std::ptr;

/// Longer entries than this are not read.
const ENTRY_BYTES: usize = 64 << 10;

/// The number of the user of that name; `None` where there is none, or nobody says so.
pub(crate) fn user_id(name: &str) -> Option<u32> {
    let name = CString::new(name).ok()?;
    look_up(
        // SAFETY: all pointers are to live values, the buffer has the length that is given, and the entry's strings
        // point into it.
        |entry, buffer, found| unsafe {
            libc::getpwnam_r(name.as_ptr(), entry, buffer.as_mut_ptr(), buffer.len(), found)
        },
        |entry| Some(entry.pw_uid),
    )
}

/// The name of the user of that number; `None` where it has none, or nobody says so.
pub(crate) fn user_name(id: u32) -> Option<String> {
    look_up(
        // SAFETY: all pointers are to live values, the buffer has the length that is given, and the entry's strings
        // point into it.
        |entry, buffer, found| unsafe { libc::getpwuid_r(id, entry, buffer.as_mut_ptr(), buffer.len(), found) },
        |entry| {
            if entry.pw_name.is_null() {
                return None;
            }
            // SAFETY: it is a string that ends with a zero, in the buffer, which lives while this is read.
            let name = unsafe { CStr::from_ptr(entry.pw_name) };
            name.to_str().ok().map(str::to_owned)
        },
    )
}

fn look_up<T>(
    ask: impl Fn(*mut libc::passwd, &mut [libc::c_char], *mut *mut libc::passwd) -> libc::c_int,
    read: impl FnOnce(&libc::passwd) -> Option<T>,
) -> Option<T> {
    // SAFETY: passwd is plain data for which all zeroes is valid.
    let mut entry: libc::passwd = unsafe { std::mem::zeroed() };
    let mut buffer = vec![0; ENTRY_BYTES];
    let mut found = ptr::null_mut();
    let code = ask(&raw mut entry, &mut buffer, &raw mut found);
    if code != 0 || found.is_null() {
        return None;
    }
    read(&entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_by_name_and_number_and_others_are_not() {
        assert_eq!((user_id("root"), user_name(0).as_deref()), (Some(0), Some("root")));
        assert_eq!(user_id("no such user"), None);
        assert_eq!(user_id("a\0b"), None);
        assert_eq!(user_name(4_000_000_000), None);
    }
}
