//! Sends of which the kernel takes the pages rather than a copy, where it can, and what it says of them later by the
//! socket's error queue: `MSG_ZEROCOPY`, `Documentation/networking/msg_zerocopy.rst` and linux/errqueue.h.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::FrozenMemory;

/// From asm-generic/socket.h; libc does not name these.
const SO_ZEROCOPY: libc::c_int = 60;
/// From linux/errqueue.h.
const SO_EE_ORIGIN_ZEROCOPY: u8 = 5;
const SO_EE_CODE_ZEROCOPY_COPIED: u8 = 1;

/// What the kernel says when it no longer needs the memory of some sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Completion {
    /// How many sends it speaks of.
    pub(crate) sends: u32,
    /// It has copied them after all.
    pub(crate) copied: bool,
}

/// Allows [`send_zerocopy`] on a socket.
///
/// # Errors
/// On sockets of a kind for which the kernel has no such sends, Unix sockets among them.
pub(crate) fn enable_zerocopy(socket: BorrowedFd<'_>) -> io::Result<()> {
    let on: libc::c_int = 1;
    let len = libc::socklen_t::try_from(size_of_val(&on)).unwrap_or(0);
    // SAFETY: the pointer is to a live int of the length given, which is only read.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_ZEROCOPY,
            (&raw const on).cast(),
            len,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Sends bytes of `memory` that lie in `place`, as many as the socket takes now. The kernel may read them until a
/// [`Completion`] speaks of this send, also where `memory` is dropped before.
///
/// # Errors
/// What the socket says; `InvalidInput` where the memory does not reach that far.
pub(crate) fn send_zerocopy(socket: BorrowedFd<'_>, memory: &FrozenMemory, place: Range<usize>) -> io::Result<usize> {
    let bytes = memory.get(place).ok_or(io::ErrorKind::InvalidInput)?;
    let flags = libc::MSG_ZEROCOPY | libc::MSG_NOSIGNAL;
    // SAFETY: the range is a live slice's, and the kernel only reads it. It holds the pages themselves until it is done
    // with them. Nobody writes to them meanwhile: FrozenMemory has no way to, and its pages are private and its own,
    // so that they are nobody's when it is dropped.
    let sent = unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// The next thing that the kernel has to say of earlier sends, without waiting for it.
pub(crate) fn next_completion(socket: BorrowedFd<'_>) -> io::Result<Option<Completion>> {
    // Aligned for the headers that the kernel writes, with room for one and the address that may follow it.
    let mut control = [0_u64; 16];
    let mut message = {
        // SAFETY: msghdr is plain data for which all zeroes is valid.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        message
    };
    let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
    // SAFETY: the header and the control buffer that it names are live and of the length given; no data is asked for.
    if unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) } < 0 {
        return match io::Error::last_os_error() {
            error if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
            error => Err(error),
        };
    }
    // SAFETY: recvmsg has left a valid header, whose control length is what it wrote; the CMSG functions keep to that.
    let mut header = unsafe { libc::CMSG_FIRSTHDR(&raw const message) };
    while !header.is_null() {
        // SAFETY: it is not null, and so lies with its data in the control buffer.
        if let Some(completion) = unsafe { completion_in(header) } {
            return Ok(Some(completion));
        }
        // SAFETY: as for the first header.
        header = unsafe { libc::CMSG_NXTHDR(&raw const message, header) };
    }
    // Something else that was in the queue, such as an unreachable host: it is told by the socket as well.
    Ok(Some(Completion {
        sends: 0,
        copied: false,
    }))
}

/// What a control message says of sends; `None` where it speaks of something else.
///
/// # Safety
/// The header lies, with the data that it speaks of, in a live buffer.
unsafe fn completion_in(header: *const libc::cmsghdr) -> Option<Completion> {
    // SAFETY: the caller says that it is there.
    let told = unsafe { header.read() };
    let error_bytes = libc::c_uint::try_from(size_of::<libc::sock_extended_err>()).ok()?;
    // SAFETY: CMSG_LEN only calculates.
    let whole_bytes = unsafe { libc::CMSG_LEN(error_bytes) };
    let is_error = [(libc::SOL_IP, libc::IP_RECVERR), (libc::SOL_IPV6, libc::IPV6_RECVERR)]
        .contains(&(told.cmsg_level, told.cmsg_type));
    if !is_error || told.cmsg_len < whole_bytes as usize {
        return None;
    }
    // SAFETY: as above; where its data begins is only calculated.
    let data = unsafe { libc::CMSG_DATA(header) };
    // SAFETY: the header's length says that all of the error is there. It is plain data, which need not be aligned.
    let error = unsafe { data.cast::<libc::sock_extended_err>().read_unaligned() };
    (error.ee_origin == SO_EE_ORIGIN_ZEROCOPY).then(|| Completion {
        sends: error.ee_data.wrapping_sub(error.ee_info).wrapping_add(1),
        copied: error.ee_code & SO_EE_CODE_ZEROCOPY_COPIED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::unacknowledged_bytes;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;

    use socket2::SockRef;

    fn frozen(len: usize, byte: u8) -> FrozenMemory {
        FrozenMemory::new(len, |bytes| bytes.fill(byte)).expect("a few pages")
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no zerocopy sends")]
    fn what_waits_to_be_sent_stays_as_it_was_when_its_memory_is_dropped_and_others_get_some() {
        const LEN: usize = 64 << 10;
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        SockRef::from(&listener)
            .set_recv_buffer_size(4096)
            .expect("a small window");
        let mut stream = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
        let (mut peer, _) = listener.accept().expect("accept");
        enable_zerocopy(stream.as_fd()).expect("TCP has it");
        // The window is full: what follows waits here.
        stream.write_all(&vec![0; LEN]).expect("buffered");
        let memory = frozen(LEN, 7);
        assert!(send_zerocopy(stream.as_fd(), &memory, 1..LEN + 1).is_err());
        let sent = send_zerocopy(stream.as_fd(), &memory, 0..LEN).expect("sent");
        assert!(unacknowledged_bytes(stream.as_fd()).expect("a socket") > sent);
        drop(memory);
        let _others: Vec<FrozenMemory> = (0..8).map(|_| frozen(LEN, 9)).collect();
        drop(stream);
        let mut got = Vec::new();
        peer.read_to_end(&mut got).expect("received");
        assert_eq!(got.len(), LEN + sent);
        assert!(got[LEN..].iter().all(|byte| *byte == 7));
    }

    #[test]
    #[cfg_attr(miri, ignore = "miri has no zerocopy sends")]
    fn every_send_is_accounted_for_by_the_kernel() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).expect("port");
            let stream = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
            let (mut peer, _) = listener.accept().expect("accept");
            enable_zerocopy(stream.as_fd()).expect("TCP has it");
            assert_eq!(next_completion(stream.as_fd()).expect("a queue"), None);
            let bytes = frozen(20_000, 7);
            for _ in 0..3 {
                let sent = send_zerocopy(stream.as_fd(), &bytes, 0..20_000).expect("sent");
                peer.read_exact(&mut vec![0; sent]).expect("received");
            }
            let mut sends = 0;
            while sends < 3 {
                if let Some(completion) = next_completion(stream.as_fd()).expect("a queue") {
                    assert!(completion.copied, "loopback always copies");
                    sends += completion.sends;
                }
            }
            assert_eq!((sends, next_completion(stream.as_fd()).expect("a queue")), (3, None));
        }
    }

    /// As it lies in a control buffer.
    #[repr(C)]
    struct Message {
        header: libc::cmsghdr,
        error: libc::sock_extended_err,
    }

    #[test]
    fn only_a_whole_message_of_sends_is_a_completion() {
        let heard = |short_of: usize, (cmsg_level, cmsg_type), ee_origin, (ee_info, ee_data)| {
            let message = Message {
                header: libc::cmsghdr {
                    cmsg_len: size_of::<Message>() - short_of,
                    cmsg_level,
                    cmsg_type,
                },
                error: libc::sock_extended_err {
                    ee_errno: 0,
                    ee_origin,
                    ee_type: 0,
                    ee_code: SO_EE_CODE_ZEROCOPY_COPIED,
                    ee_pad: 0,
                    ee_info,
                    ee_data,
                },
            };
            // SAFETY: the error lies behind the header.
            unsafe { completion_in((&raw const message).cast()) }
        };
        let (ip, ipv6) = ((libc::SOL_IP, libc::IP_RECVERR), (libc::SOL_IPV6, libc::IPV6_RECVERR));
        let completion = |sends| Some(Completion { sends, copied: true });
        assert_eq!(heard(0, ip, SO_EE_ORIGIN_ZEROCOPY, (3, 5)), completion(3));
        assert_eq!(heard(0, ipv6, SO_EE_ORIGIN_ZEROCOPY, (u32::MAX, 0)), completion(2));
        assert_eq!(heard(1, ip, SO_EE_ORIGIN_ZEROCOPY, (0, 0)), None, "it is cut");
        assert_eq!(heard(0, ip, SO_EE_ORIGIN_ZEROCOPY + 1, (0, 0)), None);
        assert_eq!(
            heard(0, (libc::SOL_SOCKET, libc::SCM_RIGHTS), SO_EE_ORIGIN_ZEROCOPY, (0, 0)),
            None
        );
    }
}
