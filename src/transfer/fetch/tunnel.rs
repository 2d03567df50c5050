//! Has a proxy connect to a server: by CONNECT of HTTP, or by SOCKS of versions 4, 4A and 5.

use std::io::{self, Read, Write};
use std::net::IpAddr;

use crate::text::shown;

use super::proxy::{Credentials, Proxy, ProxyKind};

/// The longest head of an answer to CONNECT.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// So much of its status is told.
const STATUS_CHARACTERS_MAX: usize = 80;

/// Why there is no way through a proxy.
#[derive(Debug)]
pub(super) enum TunnelError {
    /// The connection to the proxy broke, or it was silent.
    Io(io::Error),
    /// The proxy says so.
    Refused(String),
}

impl From<io::Error> for TunnelError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Has a proxy at the other end of `stream` connect to a server, whose host is a name or an address.
pub(super) fn open<S: Read + Write>(
    stream: &mut S,
    proxy: &Proxy,
    (host, port): (&str, u16),
) -> Result<(), TunnelError> {
    match proxy.kind {
        ProxyKind::Http | ProxyKind::Https => connect(stream, proxy.credentials.as_ref(), host, port),
        ProxyKind::Socks4 { .. } => socks4(stream, proxy.credentials.as_ref(), host, port),
        ProxyKind::Socks5 { .. } => socks5(stream, proxy.credentials.as_ref(), host, port),
    }
}

/// RFC 9110, 9.3.6.
fn connect<S: Read + Write>(
    stream: &mut S,
    credentials: Option<&Credentials>,
    host: &str,
    port: u16,
) -> Result<(), TunnelError> {
    let server = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let credentials = credentials.map(|credentials| format!("Proxy-Authorization: {}\r\n", credentials.basic()));
    let credentials = credentials.unwrap_or_default();
    stream.write_all(format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n{credentials}\r\n").as_bytes())?;
    let mut head = Vec::new();
    // Byte by byte: what follows is the server's.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            return Err(TunnelError::Refused("its answer is no HTTP".into()));
        }
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    let (version, status) = line.split_once(' ').unwrap_or_default();
    let number = status.get(..3).and_then(|status| status.parse::<u16>().ok());
    let status: String = shown(status).chars().take(STATUS_CHARACTERS_MAX).collect();
    match number {
        Some(200..300) if version.starts_with("HTTP/1.") => Ok(()),
        Some(407) => Err(TunnelError::Refused(format!(
            "it asks for a name and a password in its URL ({status})"
        ))),
        Some(_) => Err(TunnelError::Refused(format!(
            "it does not connect to {server}: {status}"
        ))),
        None => Err(TunnelError::Refused("its answer is no HTTP".into())),
    }
}

/// The protocol of Ying-Da Lee, where a proxy knows users by name alone, and its extension 4A by which it looks names up.
fn socks4<S: Read + Write>(
    stream: &mut S,
    credentials: Option<&Credentials>,
    host: &str,
    port: u16,
) -> Result<(), TunnelError> {
    let refused = |text: &str| Err(TunnelError::Refused(text.into()));
    let user = credentials.map_or("", |credentials| credentials.name.as_str());
    if user.contains('\0') {
        return refused("a name for it has a zero byte");
    }
    let (address, name) = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => (address.octets(), None),
        Ok(IpAddr::V6(_)) => return refused("SOCKS4 leads to no address of IPv6"),
        // No such address is anybody's: a name follows.
        Err(_) => ([0, 0, 0, 1], Some(host)),
    };
    let mut message = vec![4, 1];
    message.extend(port.to_be_bytes());
    message.extend(address);
    for text in [Some(user), name].into_iter().flatten() {
        message.extend_from_slice(text.as_bytes());
        message.push(0);
    }
    stream.write_all(&message)?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer)?;
    match answer {
        [0, 90, ..] => Ok(()),
        [0, 91, ..] => refused(&format!("it does not connect to {host}:{port}")),
        [0, 92 | 93, ..] => refused("it does not take the name in its URL"),
        _ => refused("its answer is no SOCKS4"),
    }
}

/// RFC 1928, with names and passwords by RFC 1929.
fn socks5<S: Read + Write>(
    stream: &mut S,
    credentials: Option<&Credentials>,
    host: &str,
    port: u16,
) -> Result<(), TunnelError> {
    let refused = |text: &str| Err(TunnelError::Refused(text.into()));
    let no_socks = "its answer is no SOCKS5";
    // Without a name, or by one.
    stream.write_all(if credentials.is_some() {
        &[5, 2, 0, 2]
    } else {
        &[5, 1, 0]
    })?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer)?;
    match (answer, credentials) {
        ([5, 0], _) => {}
        ([5, 2], Some(credentials)) => {
            let mut message = vec![1];
            for text in [&credentials.name, &credentials.password] {
                let Ok(len) = u8::try_from(text.len()) else {
                    return refused("a name or a password for it has more than 255 bytes");
                };
                message.push(len);
                message.extend_from_slice(text.as_bytes());
            }
            stream.write_all(&message)?;
            stream.read_exact(&mut answer)?;
            if answer[1] != 0 {
                return refused("it does not take the name and the password in its URL");
            }
        }
        ([5, _], _) => return refused("it asks for a name and a password in its URL"),
        _ => return refused(no_socks),
    }
    let mut message = vec![5, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => message.extend([1].into_iter().chain(address.octets())),
        Ok(IpAddr::V6(address)) => message.extend([4].into_iter().chain(address.octets())),
        Err(_) => {
            let Ok(len) = u8::try_from(host.len()) else {
                return refused("the server's name has more than 255 bytes");
            };
            message.extend([3, len]);
            message.extend_from_slice(host.as_bytes());
        }
    }
    message.extend(port.to_be_bytes());
    stream.write_all(&message)?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer)?;
    let [version, reply, _, kind] = answer;
    if version != 5 {
        return refused(no_socks);
    }
    if reply != 0 {
        return refused(&format!(
            "it does not connect to {host}:{port}: {}",
            reply_in_words(reply)
        ));
    }
    // Where it connects from, which nobody needs.
    let len = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let mut len = [0];
            stream.read_exact(&mut len)?;
            usize::from(len[0])
        }
        _ => return refused(no_socks),
    };
    Ok(stream.read_exact(&mut vec![0; len + 2])?)
}

/// RFC 1928, 6.
fn reply_in_words(reply: u8) -> &'static str {
    match reply {
        2 => "its rules do not allow it",
        3 => "the network cannot be reached",
        4 => "the host cannot be reached",
        5 => "the connection is refused",
        6 => "the connection takes too long",
        8 => "it does not take that kind of address",
        _ => "it fails for a reason that it does not tell",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a proxy answers whatever it is told.
    struct Script {
        answers: io::Cursor<Vec<u8>>,
        told: Vec<u8>,
    }

    impl Read for Script {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.answers.read(into)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.told.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn script(answers: &[u8]) -> Script {
        Script {
            answers: io::Cursor::new(answers.to_vec()),
            told: Vec::new(),
        }
    }

    #[test]
    fn connect_takes_no_byte_of_what_follows_the_answer() {
        let mut stream = script(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\nserver");
        connect(&mut stream, None, "::1", 443).expect("a way");
        assert_eq!(stream.told, b"CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
        let mut left = String::new();
        stream.read_to_string(&mut left).expect("the rest");
        assert_eq!(left, "server");
    }

    #[test]
    fn what_a_proxy_says_of_itself_is_told_in_short() {
        let long = format!("HTTP/1.1 403 {}\r\n\r\n", "x".repeat(1000));
        let refused = connect(&mut script(long.as_bytes()), None, "a", 1);
        assert!(matches!(refused, Err(TunnelError::Refused(text)) if text.contains("403 x") && text.len() < 200));
    }

    #[test]
    fn whatever_answers_a_proxy_gives_they_are_refused_or_the_end_is_seen() {
        let long = [b"HTTP/1.1 200 OK\r\n".to_vec(), vec![b'x'; HEAD_BYTES_MAX]].concat();
        for answers in [
            &b"HTTP/1.1 403 Forbidden\r\n\r\n"[..],
            b"SSH-2.0\r\n\r\n",
            b"\r\n\r\n",
            b"",
            &long,
        ] {
            connect(&mut script(answers), None, "a", 1).expect_err("no way");
        }
        for answers in [
            &[5][..],
            &[4, 0],
            &[5, 255],
            &[5, 2],
            &[5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0],
            &[5, 0, 5, 0, 0, 9],
            &[5, 0, 5, 2, 0, 1],
            &[5, 0, 4, 0, 0, 1],
        ] {
            socks5(&mut script(answers), None, "a", 1).expect_err("no way");
        }
    }

    #[test]
    fn socks4_names_the_server_by_its_address_or_by_its_name() {
        let credentials = Credentials {
            name: "u".into(),
            password: "unheard".into(),
        };
        let granted = [0, 90, 0, 0, 0, 0, 0, 0];
        let mut stream = script(&granted);
        socks4(&mut stream, Some(&credentials), "9.8.7.6", 258).expect("a way");
        assert_eq!(stream.told, [4, 1, 1, 2, 9, 8, 7, 6, b'u', 0]);
        let mut stream = script(&granted);
        socks4(&mut stream, None, "a.b", 80).expect("a way");
        assert_eq!(stream.told, *b"\x04\x01\x00\x50\x00\x00\x00\x01\x00a.b\x00");
        socks4(&mut script(&granted), None, "::1", 80).expect_err("no way");
        for answers in [
            &[0, 91, 0, 0, 0, 0, 0, 0][..],
            &[0, 93, 0, 0, 0, 0, 0, 0],
            &[5; 8],
            &[0, 90],
        ] {
            socks4(&mut script(answers), None, "a", 1).expect_err("no way");
        }
    }

    #[test]
    fn socks5_names_the_server_and_who_asks() {
        let credentials = Credentials {
            name: "u".into(),
            password: "pw".into(),
        };
        let mut stream = script(&[5, 2, 1, 0, 5, 0, 0, 3, 1, b'x', 0, 80]);
        socks5(&mut stream, Some(&credentials), "a.b", 258).expect("a way");
        assert_eq!(
            stream.told,
            [
                &[5, 2, 0, 2][..],
                &[1, 1],
                b"u",
                &[2],
                b"pw",
                &[5, 1, 0, 3, 3],
                b"a.b",
                &[1, 2]
            ]
            .concat()
        );
        let mut stream = script(&[5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 80]);
        socks5(&mut stream, None, "9.8.7.6", 80).expect("a way");
        assert_eq!(stream.told, [5, 1, 0, 5, 1, 0, 1, 9, 8, 7, 6, 0, 80]);
    }
}
