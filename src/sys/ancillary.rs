//! Descriptors that travel beside the bytes of a Unix socket: `SCM_RIGHTS`, `unix(7)`.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};

/// Room for a few descriptors more than the one that is wanted: the kernel keeps what finds no room to itself.
const RECEIVED_MAX: usize = 4;

/// Sends bytes, and with the first of them a descriptor; returns how many bytes went.
pub(crate) fn send_with_descriptor(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    descriptor: BorrowedFd<'_>,
) -> io::Result<usize> {
    let descriptors = [descriptor];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )?)
}

/// Receives bytes and the first descriptor that came with them, if any; further ones are closed. No descriptor that is
/// received here is passed on to a program that this process starts.
pub(crate) fn receive_with_descriptor(socket: BorrowedFd<'_>, into: &mut [u8]) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(RECEIVED_MAX))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let received = recvmsg(socket, &mut [IoSliceMut::new(into)], &mut ancillary, flags)?;
    let mut first = None;
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            // Each that is not kept closes as it is passed over.
            descriptors.for_each(|descriptor| _ = first.get_or_insert(descriptor));
        }
    }
    Ok((received.bytes, first))
}

/// Whether this process may receive descriptors at all: a sandbox can refuse it. Takes nothing and does not wait.
pub(crate) fn may_receive_descriptor(socket: BorrowedFd<'_>) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut [0])],
        &mut RecvAncillaryBuffer::default(),
        flags,
    ) {
        Ok(_) | Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Seek as _, Write as _};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;

    fn file_with(content: &[u8]) -> std::fs::File {
        let mut file = tempfile::tempfile().expect("file");
        file.write_all(content).expect("write");
        file
    }

    #[test]
    fn a_descriptor_arrives_with_its_bytes_and_is_not_inherited() {
        let (a, b) = UnixStream::pair().expect("pair");
        let file = file_with(b"content");
        assert!(may_receive_descriptor(b.as_fd()), "nothing has come, and it may");
        assert_eq!(
            send_with_descriptor(a.as_fd(), b"hello", file.as_fd()).expect("sent"),
            5
        );
        assert!(may_receive_descriptor(b.as_fd()), "asking takes nothing");
        let mut bytes = [0; 16];
        let (received, descriptor) = receive_with_descriptor(b.as_fd(), &mut bytes).expect("received");
        assert_eq!(&bytes[..received], b"hello");
        let descriptor = descriptor.expect("a descriptor");
        let flags = rustix::io::fcntl_getfd(&descriptor).expect("flags");
        assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        let mut file = std::fs::File::from(descriptor);
        file.rewind().expect("a file");
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("read");
        assert_eq!(content, b"content");
    }

    #[test]
    fn bytes_without_a_descriptor_are_only_bytes_and_nothing_yet_would_block() {
        let (mut a, b) = UnixStream::pair().expect("pair");
        let mut bytes = [0; 16];
        let error = receive_with_descriptor(b.as_fd(), &mut bytes).expect_err("nothing has come");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        a.write_all(b"x").expect("write");
        assert!(matches!(receive_with_descriptor(b.as_fd(), &mut bytes), Ok((1, None))));
    }

    /// Which of this process's descriptors lead to the file; other tests open and close theirs meanwhile.
    fn open_on(file: &std::fs::File) -> usize {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let wanted = identity(file.metadata().expect("metadata"));
        let entries = std::fs::read_dir("/proc/self/fd").expect("procfs");
        let metadata = entries.filter_map(|entry| std::fs::metadata(entry.ok()?.path()).ok());
        metadata.filter(|metadata| identity(metadata.clone()) == wanted).count()
    }

    #[test]
    fn descriptors_that_nobody_asked_for_are_closed() {
        let (a, mut b) = UnixStream::pair().expect("pair");
        let file = file_with(b"x");
        let many = [file.as_fd(); 7];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(7))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&many)));
        sendmsg(a.as_fd(), &[IoSlice::new(b"y")], &mut ancillary, SendFlags::empty()).expect("sent");
        let (_, kept) = receive_with_descriptor(b.as_fd(), &mut [0; 8]).expect("received");
        assert_eq!(open_on(&file), 2, "the file and the one that is kept");
        drop(kept);
        // Read in the plain way, as everywhere else, they do not even come.
        send_with_descriptor(a.as_fd(), b"z", file.as_fd()).expect("sent");
        b.read_exact(&mut [0]).expect("read");
        assert_eq!(open_on(&file), 1);
    }
}
