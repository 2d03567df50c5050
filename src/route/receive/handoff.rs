//! Takes memory or a file that a peer hands over, after checking what it really is.

use std::fs::File;
use std::os::fd::OwnedFd;

use crate::error::{Error, reason};
use crate::sys::{ReadError, SharedFile};
use crate::wire::Handoff;

/// An array in memory that another process handed over, and may still be able to change.
pub(crate) struct Handed {
    file: SharedFile,
    position: u64,
    sealed: bool,
}

impl Handed {
    /// The name for commands and screens.
    pub(crate) fn name() -> &'static str {
        "handoff"
    }

    /// Maps `len` bytes of what the descriptor is of, from byte `position` on. It reads none of them.
    pub(crate) fn take(
        descriptor: Option<OwnedFd>,
        position: u64,
        len: u64,
        offered: Option<Handoff>,
    ) -> Result<Self, Error> {
        let bad = |reason: String| Error::BadHandoff(reason);
        let Some(descriptor) = descriptor else {
            return Err(bad("no descriptor came with it".into()));
        };
        let file = File::from(descriptor);
        let metadata = file
            .metadata()
            .map_err(|error| bad(format!("its descriptor tells nothing: {}", reason(&error))))?;
        if !metadata.is_file() {
            return Err(bad("its descriptor is of neither memory nor a file".into()));
        }
        let there = metadata.len();
        let Some(end) = position.checked_add(len).filter(|end| *end <= there) else {
            return Err(bad(format!(
                "{len} bytes from byte {position} on were offered, and it has {there} in all"
            )));
        };
        let file = SharedFile::map(file, end).map_err(|error| match error.raw_os_error() {
            // This process has no addresses or mappings left, which is not the peer's fault.
            code if code == Some(rustix::io::Errno::NOMEM.raw_os_error()) => {
                Error::system("cannot map the memory that was handed over", &error)
            }
            _ => bad(format!("it cannot be mapped: {}", reason(&error))),
        })?;
        let sealed = file.is_sealed();
        if !sealed && offered == Some(Handoff::Sealed) {
            return Err(bad(
                "it was offered as sealed, and the other process can still change or shrink it".into(),
            ));
        }
        Ok(Self { file, position, sealed })
    }

    /// A note for the user, if there is one.
    pub(crate) fn note(&self) -> Option<&'static str> {
        (!self.sealed).then_some(UNSEALED)
    }

    /// The array's first bytes.
    pub(crate) fn copy_prefix(&self, out: &mut [u8]) -> Result<(), Error> {
        let gone = || Error::BadHandoff("it shrank while it was being taken over".into());
        let at = usize::try_from(self.position).map_err(|_| gone())?;
        self.file.copy_out(at, out).map_err(|error| match error {
            ReadError::Shrunk => gone(),
            ReadError::Io(error) => Error::system("cannot read the memory that was handed over", &error),
        })
    }
}

/// The note that both ends show.
pub(crate) const UNSEALED: &str = "not sealed: the other process can still change it";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;
    use crate::sys::MemoryFile;
    use std::os::fd::AsFd as _;

    fn memory(len: usize) -> MemoryFile {
        let mut memory = MemoryFile::new("arraylift-test", len as u64).expect("memory");
        let bytes: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).expect("small")).collect();
        memory.write(0, &bytes).expect("write");
        memory
    }

    fn taken(file: impl Into<OwnedFd>, position: u64, len: u64) -> Result<Handed, Error> {
        Handed::take(Some(file.into()), position, len, Some(Handoff::Sealed))
    }

    #[test]
    fn sealed_memory_is_taken_from_where_its_array_begins() {
        let handed = taken(memory(5000).seal().expect("seal"), 4097, 903).expect("taken");
        let mut prefix = [0; 3];
        handed.copy_prefix(&mut prefix).expect("readable");
        assert_eq!(prefix.map(usize::from), [4097 % 251, 4098 % 251, 4099 % 251]);
        assert_eq!(handed.note(), None);
    }

    #[test]
    fn a_file_is_taken_where_it_was_offered_as_one_and_the_result_says_what_it_is() {
        let file = tempfile::tempfile().expect("file");
        file.set_len(100).expect("length");
        let offered = Some(Handoff::Unsealed);
        let handed = Handed::take(Some(file.into()), 0, 100, offered).expect("taken");
        assert!(handed.note().is_some_and(|note| note.contains("not sealed")));
    }

    #[test]
    fn a_file_that_shrinks_before_it_is_looked_at_is_an_error_and_not_a_crash() {
        let file = tempfile::tempfile().expect("file");
        file.set_len(1 << 20).expect("length");
        let descriptor = file.try_clone().expect("clone").into();
        let handed = Handed::take(Some(descriptor), 1 << 19, 1 << 19, Some(Handoff::Unsealed)).expect("taken");
        file.set_len(0).expect("shrink");
        assert!(matches!(handed.copy_prefix(&mut [0; 10]), Err(Error::BadHandoff(_))));
    }

    #[test]
    fn what_is_not_what_was_offered_is_the_peers_fault() {
        let sealed = || memory(5000).seal().expect("seal");
        let write_only = tempfile::NamedTempFile::new().expect("file");
        write_only.as_file().set_len(5000).expect("length");
        let write_only = std::fs::OpenOptions::new()
            .write(true)
            .open(write_only.path())
            .expect("open");
        let unsealed = tempfile::tempfile().expect("file");
        unsealed.set_len(5000).expect("length");
        let (socket, _other) = std::os::unix::net::UnixStream::pair().expect("pair");
        let device = File::open("/dev/zero").expect("device");
        let folder = File::open("/tmp").expect("folder");
        for (wrong, hint) in [
            (taken(sealed(), 0, 5001), "it has 5000"),
            (taken(sealed(), 1, 5000), "it has 5000"),
            (taken(sealed(), u64::MAX, 2), "it has 5000"),
            (taken(unsealed, 0, 5000), "sealed"),
            (taken(write_only, 0, 5000), "mapped"),
            (
                taken(socket.as_fd().try_clone_to_owned().expect("clone"), 0, 1),
                "neither",
            ),
            (taken(device, 0, 1), "neither"),
            (taken(folder, 0, 1), "neither"),
            (Handed::take(None, 0, 1, Some(Handoff::Sealed)), "no descriptor"),
        ] {
            let error = wrong.err().expect(hint);
            assert_eq!(error.fault(), Fault::Peer, "{error}");
            assert!(error.to_string().contains(hint), "{error} has no {hint}");
        }
    }
}
