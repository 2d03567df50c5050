//! Lines of JSON between a service and a worker over a Unix stream, some of them with a descriptor. Nothing waits.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::line_queue::{LineQueue, json_line};
use crate::sys::receive_with_descriptor;

/// Read at once, at most.
const READ_BYTES: usize = 16 << 10;
/// The longest line: a preview of the longest texts is shorter.
const LINE_BYTES_MAX: usize = 16 << 20;

/// One end of such a stream.
#[derive(Debug)]
pub(in crate::service) struct Channel {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// Bytes of the inbox in which there is no end of a line.
    searched: usize,
    /// In the order of the lines that they came with.
    descriptors: VecDeque<OwnedFd>,
    outbox: LineQueue,
    is_over: bool,
}

impl Channel {
    /// Makes `stream` non-blocking, and sends and receives lines over it.
    pub(in crate::service) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            inbox: Vec::new(),
            searched: 0,
            descriptors: VecDeque::new(),
            outbox: LineQueue::default(),
            is_over: false,
        })
    }

    /// Splits the channel into one that sends and one that receives; the second has what has come already.
    pub(in crate::service) fn split(self) -> io::Result<(Self, Self)> {
        Ok((Self::new(self.stream.try_clone()?)?, self))
    }

    /// Sends a line, now or with a later [`Channel::flush`].
    pub(in crate::service) fn send(&mut self, message: &impl Serialize, descriptor: Option<OwnedFd>) -> io::Result<()> {
        self.outbox.push(json_line(message)?.into(), descriptor);
        self.flush()
    }

    /// Sends as much as there is room for.
    pub(in crate::service) fn flush(&mut self) -> io::Result<()> {
        self.outbox.flush(&self.stream)
    }

    /// The next line. `None` where no whole one has come; where none will, [`Channel::is_over`] says so.
    ///
    /// # Errors
    /// What came is none of the messages.
    pub(in crate::service) fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(end) = self.inbox[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.inbox.drain(..=self.searched + end).collect();
                self.searched = 0;
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            self.searched = self.inbox.len();
            if self.is_over || !self.read()? {
                return Ok(None);
            }
        }
    }

    /// The descriptor that came with the line that was received last.
    pub(in crate::service) fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// The other end has gone.
    pub(in crate::service) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Whether every line has been sent.
    pub(in crate::service) fn is_flushed(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Reads what has come; false where nothing has.
    fn read(&mut self) -> io::Result<bool> {
        if self.inbox.len() > LINE_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut buffer = [0; READ_BYTES];
        match receive_with_descriptor(self.stream.as_fd(), &mut buffer) {
            Ok((received, descriptor)) => {
                self.is_over = received == 0;
                self.inbox.extend_from_slice(&buffer[..received]);
                self.descriptors.extend(descriptor);
                Ok(received > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                self.is_over = true;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    fn pair() -> (Channel, Channel) {
        let (a, b) = UnixStream::pair().expect("pair");
        (Channel::new(a).expect("channel"), Channel::new(b).expect("channel"))
    }

    #[test]
    fn each_descriptor_comes_with_its_line() {
        let (mut a, mut b) = pair();
        assert_eq!(b.receive::<u32>().expect("nothing yet"), None);
        for number in 0..20_u32 {
            let (ours, theirs) = UnixStream::pair().expect("pair");
            (&ours)
                .write_all(&[u8::try_from(number).expect("small")])
                .expect("written");
            a.send(&number, (number % 3 != 1).then(|| theirs.into())).expect("said");
        }
        for number in 0..20_u32 {
            assert_eq!(b.receive().expect("a line"), Some(number));
            if number % 3 != 1 {
                let mut came = [0];
                let mut stream = UnixStream::from(b.descriptor().expect("a descriptor"));
                stream.read_exact(&mut came).expect("a byte");
                assert_eq!(u32::from(came[0]), number);
            }
        }
        assert!(b.descriptor().is_none() && a.is_flushed());
        drop(a);
        assert_eq!(b.receive::<u32>().expect("over"), None);
        assert!(b.is_over());
    }

    #[test]
    fn what_finds_no_room_is_sent_later_and_whole() {
        let (mut a, mut b) = pair();
        let long = "x".repeat(100_000);
        for _ in 0..20 {
            a.send(&long, None).expect("said");
        }
        assert!(!a.is_flushed());
        let mut heard = 0;
        while heard < 20 {
            a.flush().expect("flushed");
            while let Some(line) = b.receive::<String>().expect("a line") {
                assert_eq!(line, long);
                heard += 1;
            }
        }
        assert!(a.is_flushed());
    }

    #[test]
    fn what_is_no_message_is_an_error_and_an_endless_line_too() {
        let (mut a, b) = UnixStream::pair().expect("pair");
        let mut b = Channel::new(b).expect("channel");
        a.write_all(b"{nonsense\n").expect("written");
        assert!(b.receive::<u32>().is_err());
        let endless = std::thread::Builder::new().spawn(move || while a.write_all(&[b'1'; 4096]).is_ok() {});
        let error = loop {
            if let Err(error) = b.receive::<u32>() {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        drop(b);
        endless.expect("a thread").join().expect("it ends");
    }
}
