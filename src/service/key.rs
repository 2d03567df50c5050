//! A key that a service and its workers share, and how each shows the other that it has it without saying it.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Reason, reason};
use crate::own_file;

/// A key that is made here.
const KEY_BYTES: usize = 32;
/// A shorter one could be guessed, and a longer one is no key.
const KEY_BYTES_LIMITS: std::ops::RangeInclusive<usize> = 16..=4096;

/// HMAC-SHA-256 fills shorter keys up with zeros to this.
const BLOCK_BYTES: usize = 64;

/// A key file's content, hashed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; BLOCK_BYTES]);

/// Random bytes that an answer has to be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Challenge([u8; 32]);

/// HMAC-SHA-256 over the challenge and the answering end's name: RFC 2104.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer(Vec<u8>);

/// Which end answers: an answer cannot be sent back to who gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Service,
    Worker,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads a key file, which nobody else may be able to read.
    ///
    /// # Errors
    /// Where there is none, or others could read it, or it is too short.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        read_key_file(path, *KEY_BYTES_LIMITS.start()).map(|key| Self::of(&key))
    }

    /// Reads a key file, or makes one that its user alone can read.
    ///
    /// # Errors
    /// As [`Key::load`], and where none can be made.
    pub(crate) fn load_or_make(path: &Path) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::SinkUnwritable {
            path: path.into(),
            reason: reason(&error),
        };
        let key = random_bytes::<KEY_BYTES>().map_err(failed)?;
        match own_file::create(path, 0o600, &key) {
            Ok(()) => Ok(Self::of(&key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(failed(error)),
        }
    }

    fn of(content: &[u8]) -> Self {
        let mut key = [0; BLOCK_BYTES];
        let hash = Sha256::digest(content);
        key[..hash.len()].copy_from_slice(&hash);
        Self(key)
    }

    pub(super) fn answer(&self, challenge: &Challenge, end: End) -> Answer {
        Answer(self.code(challenge, end).finalize().into_bytes().to_vec())
    }

    /// Whether whoever gave the answer has the key; takes as long for every wrong one.
    pub(super) fn accepts(&self, challenge: &Challenge, end: End, answer: &Answer) -> bool {
        self.code(challenge, end).verify_slice(&answer.0).is_ok()
    }

    fn code(&self, challenge: &Challenge, end: End) -> Hmac<Sha256> {
        let mut code = Hmac::<Sha256>::new((&self.0).into());
        code.update(match end {
            End::Service => b"arraylift service",
            End::Worker => b"arraylift worker",
        });
        code.update(&challenge.0);
        code
    }
}

impl Challenge {
    /// One that was never given before.
    pub(super) fn new() -> Result<Self, Error> {
        let drawn = random_bytes().map_err(|error| Error::system("cannot draw a challenge", &error))?;
        Ok(Self(drawn))
    }
}

/// What a key file has, which nobody else may be able to read: so many bytes at least.
pub(super) fn read_key_file(path: &Path, least: usize) -> Result<Vec<u8>, Error> {
    let unreadable = |reason: Reason| Error::SourceUnreadable {
        path: path.into(),
        reason,
    };
    let failed = |error: io::Error| unreadable(reason(&error));
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let own = rustix::process::geteuid().as_raw();
    if metadata.mode() & 0o077 != 0 || ![own, 0].contains(&metadata.uid()) {
        return Err(unreadable("a key that others can read is none: chmod 600 it".into()));
    }
    let mut key = Vec::new();
    let most = u64::try_from(*KEY_BYTES_LIMITS.end()).unwrap_or(u64::MAX);
    file.take(most + 1).read_to_end(&mut key).map_err(failed)?;
    if !(least..=*KEY_BYTES_LIMITS.end()).contains(&key.len()) {
        let most = KEY_BYTES_LIMITS.end();
        let text = format!("a key has {least} to {most} bytes, and this has {}", key.len());
        return Err(unreadable(text.into()));
    }
    Ok(key)
}

pub(super) fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_who_has_the_key_is_accepted_and_nobody_with_an_answer_of_ones_own() {
        let (key, other) = (Key::of(b"one"), Key::of(b"another"));
        let challenge = Challenge::new().expect("random");
        let answer = key.answer(&challenge, End::Worker);
        assert!(key.accepts(&challenge, End::Worker, &answer));
        assert!(!key.accepts(&challenge, End::Service, &answer));
        assert!(!other.accepts(&challenge, End::Worker, &answer));
        assert!(!key.accepts(&Challenge::new().expect("random"), End::Worker, &answer));
        assert!(!key.accepts(&challenge, End::Worker, &Answer(Vec::new())));
    }

    #[test]
    fn a_key_is_made_for_its_user_alone_and_read_again_as_it_is() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        assert!(matches!(Key::load(&path), Err(Error::SourceUnreadable { .. })));
        let key = Key::load_or_make(&path).expect("made");
        assert_eq!(
            std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(Key::load_or_make(&path).expect("read"), key);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("ours");
        assert!(matches!(Key::load(&path), Err(Error::SourceUnreadable { reason, .. }) if reason.contains("chmod")));
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("ours");
        std::fs::write(&path, "short").expect("written");
        assert!(matches!(Key::load(&path), Err(Error::SourceUnreadable { reason, .. }) if reason.contains("has 5")));
    }

    #[test]
    fn answers_are_those_of_the_rfc() {
        // RFC 4231, test case 2: what the crate computes, without our ends' names.
        let mut code = Hmac::<Sha256>::new_from_slice(b"Jefe").expect("any length");
        code.update(b"what do ya want for nothing?");
        let expected = 0x5bdc_c146_bf60_754e_6a04_2426_0895_75c7_u128;
        let found = code.finalize().into_bytes();
        assert_eq!(found[..16], expected.to_be_bytes());
    }
}
